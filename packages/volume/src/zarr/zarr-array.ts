import type { KvStore } from "@pcg/kvstore";
import type { Destination } from "../array/destination.ts";
import { checkChunkBytes, type MemoryLimits } from "../array/limits.ts";
import { requireConditions } from "../array/require-conditions.ts";
import { type StoredUnit, type UnitArray, type UnitWrite, writeUnits } from "../array/write-units.ts";
import { type Box4, cellBox, countOf, denseStrides, extentOf, map4, type Xyzc } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import { allocateVoxels, bytesPerVoxel, fillVoxels } from "../data-type.ts";
import { VolumeError } from "../errors.ts";
import type { ArrayMetadata } from "./array-metadata.ts";
import { objectSource, ReplacedError } from "./byte-source.ts";
import { type AxisMap, type ChunkCodec, pick } from "./chunk-codec.ts";
import { decodeObject, innermost, readChunk } from "./decode-chunk.ts";
import { encodeObject } from "./encode-chunk.ts";
import { ShardIndexCache } from "./shard-index-cache.ts";

/** Memory for the shard indexes of one array. */
const indexCacheBytes = 2 ** 25;

/** Each attempt finds the shard replaced once more; a reader that loses this often is told. */
const maxAttempts = 20;

/** A zarr array, of either version, as a grid of chunks. */
export class ZarrArray implements UnitArray {
  readonly key: string;
  readonly dataType: DataType;
  readonly size: Xyzc;
  readonly chunkSize: Xyzc;
  readonly unitSize: Xyzc;
  readonly fillValue: number | bigint;
  readonly rowLength = 1;
  readonly #store: KvStore;
  readonly #prefix: string;
  readonly #metadata: ArrayMetadata;
  readonly #axes: AxisMap;
  readonly #codec: ChunkCodec;
  readonly #indexes = new ShardIndexCache(indexCacheBytes);

  /**
   * @param path of the array in `store`, without a slash at the end
   * @param axes dimension of x, y, z and channel; all other dimensions have size 1
   * @param maxChunkBytes bound on the voxels of a chunk, for metadata that asks for absurd ones
   */
  constructor(store: KvStore, path: string, metadata: ArrayMetadata, axes: AxisMap, maxChunkBytes: number) {
    this.key = path;
    this.dataType = metadata.dataType;
    this.fillValue = metadata.fillValue;
    this.#store = store;
    this.#prefix = path === "" ? "" : `${path}/`;
    this.#metadata = metadata;
    this.#axes = axes;
    this.#codec = metadata.codec(axes);
    this.size = pick(metadata.shape, axes, 1);
    this.unitSize = pick(metadata.chunkShape, axes, 1);
    const smallest = innermost(this.#codec);
    this.chunkSize = smallest.size;
    checkChunkBytes(path, smallest.length * bytesPerVoxel(this.dataType), maxChunkBytes, store.url);
  }

  async readRow(cell: Xyzc, _count: 1, into: Destination, signal: AbortSignal | undefined): Promise<readonly Xyzc[]> {
    const unit = map4((axis) => Math.floor((cell[axis]! * this.chunkSize[axis]!) / this.unitSize[axis]!));
    const inside = map4((axis) => cell[axis]! - (unit[axis]! * this.unitSize[axis]!) / this.chunkSize[axis]!);
    const key = this.#key(unit);
    const exactGenerations = this.#store.capabilities.conditionalWrites === true;
    const context = { dataType: this.dataType, indexes: this.#indexes, exactGenerations, signal };
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      try {
        const chunk = await readChunk(this.#codec, objectSource(this.#store, key), inside, context);
        if (chunk === undefined) return [cell];
        into.put(chunk.data, cellBox(cell, this.chunkSize, this.size), chunk.strides);
        return [];
      } catch (error) {
        if (!(error instanceof ReplacedError)) throw error;
        this.#indexes.forget(key);
      }
    }
    throw new VolumeError(
      "CONFLICT",
      `Shard ${key} was replaced ${maxAttempts} times while one chunk was read from it`,
      {
        url: this.#store.url,
        key,
      },
    );
  }

  writeBox(box: Box4, data: VoxelArray, limits: MemoryLimits, signal: AbortSignal | undefined): Promise<void> {
    return writeUnits(this, box, data, limits, signal);
  }

  async readUnit(cell: Xyzc, signal: AbortSignal | undefined): Promise<StoredUnit> {
    requireConditions(this.#store);
    const key = this.#key(cell);
    const stored = await this.#store.read(key, { ...(signal && { signal }) });
    if (stored === undefined) return { voxels: undefined, generation: null };
    const extent = this.#extent(cell);
    const strides = denseStrides(extent);
    const data = allocateVoxels(this.dataType, countOf(extent));
    fillVoxels(data, this.fillValue);
    await decodeObject(this.#codec, this.dataType, stored.value, key, data, { start: 0, strides }, extent);
    return { voxels: { data, strides }, generation: stored.generation };
  }

  async writeUnit(cell: Xyzc, data: VoxelArray, options: UnitWrite): Promise<boolean> {
    const key = this.#key(cell);
    const extent = this.#extent(cell);
    const layout = { start: 0, strides: denseStrides(extent) };
    const bytes = await encodeObject(this.#codec, data, layout, extent, this);
    const { ifGeneration, signal } = options;
    const result = await this.#store.write(key, bytes, {
      ...(ifGeneration !== undefined && { ifGeneration }),
      ...(signal && { signal }),
    });
    this.#indexes.forget(key);
    return result.written;
  }

  /** Extent of the part of a unit inside the array. */
  #extent(cell: Xyzc): Xyzc {
    return extentOf(cellBox(cell, this.unitSize, this.size));
  }

  #key(unit: Xyzc): string {
    const cell = this.#metadata.shape.map(() => 0);
    this.#axes.forEach((dimension, axis) => {
      if (dimension >= 0) cell[dimension] = unit[axis]!;
    });
    return this.#prefix + this.#metadata.chunkKey(cell);
  }
}
