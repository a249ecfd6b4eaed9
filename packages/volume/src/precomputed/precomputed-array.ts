import type { KvStore } from "@pcg/kvstore";
import {
  type ChunkArray,
  type ChunkPiece,
  type ChunkWrite,
  isPrecomputedError,
  type PrecomputedInfo,
  PrecomputedScale,
  type ScaleInfo,
} from "neuroglancer-precomputed";
import { shardShape } from "neuroglancer-precomputed/sharded";
import { forEachBounded } from "../array/bounded.ts";
import type { ChunkedArray } from "../array/chunked-array.ts";
import { copyBox } from "../array/copy-box.ts";
import type { Destination } from "../array/destination.ts";
import { layoutWithin } from "../array/layout.ts";
import { checkChunkBytes, concurrencyFor, type MemoryLimits } from "../array/limits.ts";
import { requireConditions } from "../array/require-conditions.ts";
import { type Box4, cellBox, cellsOf, countOf, denseStrides, extentOf, intersect, sameBox, type Xyzc } from "../box.ts";
import type { DataType, VoxelArray, Xyz } from "../contract.ts";
import { allocateVoxels, bytesPerVoxel } from "../data-type.ts";
import { VolumeError } from "../errors.ts";
import { asVolumeError } from "./errors.ts";
import { ChangedError, snapshotStore } from "./snapshot-store.ts";

/** Each failed attempt means that another writer got through. */
const maxAttempts = 100;

/** Rows of voxels this long are copied at the speed of memory, and new memory is then touched page after page. */
const pageBytes = 4096;

/** A scale of a precomputed volume as a grid of chunks. */
export class PrecomputedArray implements ChunkedArray {
  readonly key: string;
  readonly dataType: DataType;
  readonly size: Xyzc;
  readonly chunkSize: Xyzc;
  readonly unitSize: Xyzc;
  readonly fillValue: number | bigint;
  readonly rowLength: number;
  readonly #store: KvStore;
  readonly #info: PrecomputedInfo;
  readonly #scaleInfo: ScaleInfo;
  readonly #scale: PrecomputedScale;

  constructor(store: KvStore, info: PrecomputedInfo, scale: PrecomputedScale, limits: MemoryLimits) {
    this.#store = store;
    this.#info = info;
    this.#scaleInfo = scale.info;
    this.#scale = scale;
    this.key = scale.key;
    this.dataType = scale.dataType;
    this.size = [...scale.grid.size, scale.channels];
    this.chunkSize = [...scale.grid.chunkSize, scale.channels];
    this.unitSize = [...unitSize(scale), scale.channels];
    this.fillValue = scale.dataType === "uint64" ? 0n : 0;
    const rowBytes = scale.grid.chunkSize[0] * bytesPerVoxel(this.dataType);
    const isDecodedInRows = scale.info.encoding === "compressed_segmentation";
    this.rowLength = isDecodedInRows ? Math.max(1, Math.floor(pageBytes / rowBytes)) : 1;
    checkChunkBytes(this.key, countOf(this.chunkSize) * bytesPerVoxel(this.dataType), limits.maxChunkBytes, store.url);
  }

  async readRow(
    cell: Xyzc,
    count: number,
    into: Destination,
    signal: AbortSignal | undefined,
  ): Promise<readonly Xyzc[]> {
    const first = this.#box(cell);
    const within = { begin: offset(into.box.begin, first.begin), end: offset(into.box.end, first.begin) };
    const take = (piece: ChunkPiece): void => {
      into.put(piece.voxels, pieceBox(first, piece), denseStrides([...piece.size, 1]));
    };
    try {
      const absent = await this.#scale.readRow(position(cell), count, within, take, { ...(signal && { signal }) });
      return absent.map(([x, y, z]): Xyzc => [x, y, z, cell[3]]);
    } catch (error) {
      throw asVolumeError(error, this.#store.url);
    }
  }

  /** Chunks that are stored together are written together, each group under the condition that it is still what was read. */
  async writeBox(box: Box4, data: VoxelArray, limits: MemoryLimits, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (countOf(extentOf(box)) === 0) return;
    const groups = new Map<string, Xyzc[]>();
    for (const cell of cellsOf(box, this.chunkSize)) {
      const key = this.#scale.chunkKey(position(cell));
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [cell]);
      else group.push(cell);
    }
    const concurrency = concurrencyFor(this.unitSize, this.dataType, limits);
    await forEachBounded(groups, concurrency, async ([key, cells]) => {
      signal?.throwIfAborted();
      const isWhole = cells.every((cell) => sameBox(this.#box(cell), intersect(this.#box(cell), box)));
      try {
        // A shard is merged into what is there unless all of it is given, so it needs the condition too.
        if (isWhole && this.#scaleInfo.sharding === undefined) {
          await this.#scale.writeChunks(this.#chunks(this.#scale, cells, box, data, signal), {
            ...(signal && { signal }),
          });
        } else {
          await this.#update(key, cells, box, data, signal);
        }
      } catch (error) {
        throw asVolumeError(error, this.#store.url);
      }
    });
  }

  async #update(
    key: string,
    cells: readonly Xyzc[],
    box: Box4,
    data: VoxelArray,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    requireConditions(this.#store);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      signal?.throwIfAborted();
      const scale = new PrecomputedScale(snapshotStore(this.#store), "", this.#info, this.#scaleInfo);
      try {
        return await scale.writeChunks(this.#chunks(scale, cells, box, data, signal), { ...(signal && { signal }) });
      } catch (error) {
        if (!(error instanceof ChangedError) && !isPrecomputedError(error, "CONFLICT")) throw error;
      }
    }
    throw new VolumeError(
      "CONFLICT",
      `Other writers changed ${key} ${maxAttempts} times during one write; let each writer own whole storage units`,
      { url: this.#store.url, key },
    );
  }

  /** The new content of chunks; those that the box covers in part are read from `scale` first. */
  async *#chunks(
    scale: PrecomputedScale,
    cells: readonly Xyzc[],
    box: Box4,
    data: VoxelArray,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ChunkWrite> {
    for (const cell of cells) {
      const chunk = this.#box(cell);
      const part = intersect(chunk, box);
      if (sameBox(part, chunk)) {
        yield { position: position(cell), data: (piece) => cutOut(piece, pieceBox(chunk, piece), data, box) };
        continue;
      }
      const stored = await scale.readChunk(position(cell), { ...(signal && { signal }) });
      const merged = stored ?? (allocateVoxels(this.dataType, countOf(extentOf(chunk))) as ChunkArray);
      copyBox(merged, layoutWithin(part, chunk), data, layoutWithin(part, box), extentOf(part));
      yield { position: position(cell), data: merged };
    }
  }

  #box(cell: Xyzc): Box4 {
    return cellBox(cell, this.chunkSize, this.size);
  }
}

function position(cell: Xyzc): Xyz {
  return [cell[0], cell[1], cell[2]];
}

function offset(to: Xyzc, from: Xyzc): Xyz {
  return [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
}

/** Where a piece lies in the array: of the chunk at the box, or of a row that begins with it. */
function pieceBox({ begin: origin }: Box4, { begin, size, channel }: ChunkPiece): Box4 {
  const [x, y, z] = [origin[0] + begin[0], origin[1] + begin[1], origin[2] + begin[2]];
  return { begin: [x, y, z, channel], end: [x + size[0], y + size[1], z + size[2], channel + 1] };
}

/** Fills a piece out of `data`, which covers `box`. */
function cutOut(piece: ChunkPiece, place: Box4, data: VoxelArray, box: Box4): void {
  copyBox(piece.voxels, layoutWithin(place, place), data, layoutWithin(place, box), extentOf(place));
}

function unitSize({ grid, info }: PrecomputedScale): Xyz {
  if (info.sharding === undefined) return grid.chunkSize;
  const shape = shardShape(grid.shape, info.sharding);
  if (shape === undefined) return grid.size;
  return [shape[0] * grid.chunkSize[0], shape[1] * grid.chunkSize[1], shape[2] * grid.chunkSize[2]];
}
