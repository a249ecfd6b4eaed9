/**
 * One scale of a precomputed volume: chunks in and out, sharded or not, in any encoding.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { type Box, ChunkGrid, type Xyz } from "./chunk-grid.ts";
import type { ChunkStore, EncodedChunk, StorageUnit } from "./chunk-store.ts";
import {
  type ChunkFormat,
  chunkFormat,
  decodeChunk,
  decodeChunkRow,
  encodeChunk,
  encodeChunkPieces,
  type FillPiece,
  maxEncodedBytes,
  type TakePiece,
} from "./codecs.ts";
import type { ChunkArray, DataType } from "./data-type.ts";
import { isPrecomputedError, namingKey, PrecomputedError } from "./errors.ts";
import type { PrecomputedInfo, ScaleInfo } from "./info.ts";
import { ShardedChunks } from "./sharded/chunks.ts";
import { UnshardedChunks } from "./unsharded-chunks.ts";

/** One chunk to write: its voxels, truncated at the volume's edges; what fills them in; or `undefined` to delete it. */
export interface ChunkWrite {
  readonly position: Xyz;
  readonly data: ChunkArray | FillPiece | undefined;
}

/** Options of every call that touches the store. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ScaleOptions {
  /** Bytes of shard indices to keep. Default 32 MiB. */
  readonly indexCacheBytes?: number;
}

/**
 * A scale. Positions count chunks from 0; data is x fastest, then y, z, channel. Absent chunks are `undefined`: what
 * stands for background is the caller's to say. Chunks are never cached, indices of shards are.
 */
export class PrecomputedScale {
  readonly info: ScaleInfo;
  readonly format: ChunkFormat;
  readonly grid: ChunkGrid;
  private readonly chunks: ChunkStore;

  /** @param path folder of the info in `store`: "" or ending in "/" */
  constructor(store: KvStore, path: string, info: PrecomputedInfo, scale: ScaleInfo, options: ScaleOptions = {}) {
    this.info = scale;
    this.format = chunkFormat(info, scale);
    this.grid = new ChunkGrid({ size: scale.size, chunkSize: scale.chunk_sizes[0]!, voxelOffset: scale.voxel_offset });
    const folder = scaleFolder(path, scale.key, store.url);
    const maxBytes = (size: Xyz): number => maxEncodedBytes(this.format, size);
    this.chunks =
      scale.sharding === undefined
        ? new UnshardedChunks(store, folder, this.grid, maxBytes, scale.encoding === "raw")
        : new ShardedChunks(store, folder, this.grid, scale.sharding, maxBytes, options.indexCacheBytes);
  }

  get key(): string {
    return this.info.key;
  }

  get dataType(): DataType {
    return this.format.dataType;
  }

  get channels(): number {
    return this.format.channels;
  }

  /** Key of the stored object that holds a chunk: its own file, or its shard. */
  chunkKey(position: Xyz): string {
    return this.chunks.keyOf(position);
  }

  /** The voxels of a chunk, or `undefined` when it is absent. CORRUPT when it is not what the info says. */
  async readChunk(position: Xyz, options: CallOptions = {}): Promise<ChunkArray | undefined> {
    const bytes = await this.chunks.read(position, options.signal);
    if (bytes === undefined) return undefined;
    try {
      return await decodeChunk(this.format, this.grid.chunkShape(position), bytes);
    } catch (error) {
      throw namingKey(error, this.nameOf(position));
    }
  }

  /**
   * Gives the voxels of `count` chunks side by side along x, from `position` on, to `take`, for a caller that puts them into
   * an array of its own: pieces that together hold all of `within` (a box in voxels of the row of chunks) that is stored.
   *
   * @returns the positions of chunks that are absent
   */
  async readRow(
    position: Xyz,
    count: number,
    within: Box,
    take: TakePiece,
    options: CallOptions = {},
  ): Promise<readonly Xyz[]> {
    const positions = Array.from({ length: count }, (_, i): Xyz => [position[0] + i, position[1], position[2]]);
    const reads = await Promise.allSettled(positions.map((chunk) => this.chunks.read(chunk, options.signal)));
    const failed = reads.find((read) => read.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const chunks = reads.map((read) => (read as PromiseFulfilledResult<Uint8Array | undefined>).value);
    const width = this.grid.chunkSize[0];
    for (let first = 0, end = 0; first < count; first = end + 1) {
      end = chunks.indexOf(undefined, first);
      if (end < 0) end = count;
      const row = chunks
        .slice(first, end)
        .map((bytes, i) => ({ bytes: bytes!, size: this.grid.chunkShape(positions[first + i]!) }));
      if (row.length === 0) continue;
      const x = first * width;
      try {
        await decodeChunkRow(this.format, row, shifted(within, -x), (piece) =>
          take({ ...piece, begin: moved(piece.begin, x) }),
        );
      } catch (error) {
        const chunk = isPrecomputedError(error) ? error.fields.chunk : undefined;
        throw typeof chunk === "number" ? namingKey(error, this.nameOf(positions[first + chunk]!)) : error;
      }
    }
    return positions.filter((_, i) => chunks[i] === undefined);
  }

  /** A chunk in its encoding, without any outer compression: what a server hands on. */
  readChunkBytes(position: Xyz, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return this.chunks.read(position, options.signal);
  }

  hasChunk(position: Xyz, options: CallOptions = {}): Promise<boolean> {
    return this.chunks.has(position, options.signal);
  }

  /** Positions of the chunks that are present, in no particular order. Needs a store that lists. */
  listChunks(options: CallOptions = {}): AsyncIterable<Xyz> {
    return this.chunks.list(options.signal);
  }

  writeChunk(position: Xyz, data: ChunkArray, options: CallOptions = {}): Promise<void> {
    return this.writeChunks([{ position, data }], options);
  }

  /** Deletes a chunk; an absent one is fine. */
  deleteChunk(position: Xyz, options: CallOptions = {}): Promise<void> {
    return this.writeChunks([{ position, data: undefined }], options);
  }

  /**
   * Writes chunks as they come and encodes each at once, so that decoded voxels never pile up.
   *
   * Unsharded, each chunk is published by itself. Sharded, a shard is published once: as soon as all its chunks came
   * (identity hash; then nothing is read), else at the end, merged into what is there, under a condition that nobody
   * else changed it meanwhile. So give the chunks in the order of {@link storageUnits}: memory is the encoded bytes of
   * shards that are not complete. When the source fails or is aborted, shards that are not complete stay untouched.
   */
  async writeChunks(
    source: Iterable<ChunkWrite> | AsyncIterable<ChunkWrite>,
    options: CallOptions = {},
  ): Promise<void> {
    if (this.info.chunk_sizes.length > 1) {
      throw new PrecomputedError(
        "UNSUPPORTED",
        `scale "${this.key}" holds ${this.info.chunk_sizes.length} copies of its data (chunk_sizes); writing one would leave the others behind, so give it one chunk size`,
      );
    }
    await this.chunks.write(this.encoded(source, options.signal), options.signal);
  }

  /** What is stored together, in the order to write it in: for sharded scales all chunks of a shard, else each chunk. */
  storageUnits(): Iterable<StorageUnit> {
    return this.chunks.units();
  }

  private async *encoded(
    source: Iterable<ChunkWrite> | AsyncIterable<ChunkWrite>,
    signal: AbortSignal | undefined,
  ): AsyncIterable<EncodedChunk> {
    for await (const { position, data } of source) {
      signal?.throwIfAborted();
      yield { position, bytes: data === undefined ? null : await this.encode(position, data) };
    }
  }

  private encode(position: Xyz, data: ChunkArray | FillPiece): Promise<Uint8Array> {
    const size = this.grid.chunkShape(position);
    return typeof data === "function"
      ? encodeChunkPieces(this.format, size, data)
      : encodeChunk(this.format, size, data);
  }

  private nameOf(position: Xyz): string {
    const key = this.chunkKey(position);
    return this.info.sharding === undefined ? key : `${key}, chunk ${this.grid.chunkName(position)}`;
  }
}

function shifted({ begin, end }: Box, x: number): Box {
  return { begin: moved(begin, x), end: moved(end, x) };
}

function moved([x, y, z]: Xyz, by: number): Xyz {
  return [x + by, y, z];
}

/** `path` and `key` as one folder with a final slash, `..` resolved. */
function scaleFolder(path: string, key: string, url: string): string {
  const parts: string[] = [];
  for (const part of `${path}/${key}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new PrecomputedError(
        "UNSUPPORTED",
        `scale key "${key}" leads out of ${url}: open a store further up and give the volume's folder as path`,
        { key },
      );
    }
  }
  return `${parts.join("/")}/`;
}
