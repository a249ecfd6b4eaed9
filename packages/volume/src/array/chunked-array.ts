/**
 * What a format provides of one scale: chunks. Everything else (boxes, labels, limits) is built on it once.
 *
 * Positions are relative to the array's first voxel; all four axes (x, y, z, channel) are cut into chunks.
 * @module
 */
import type { Box4, Xyzc } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import type { Destination } from "./destination.ts";
import type { MemoryLimits } from "./limits.ts";

/** One scale as a grid of chunks to read, and something that takes boxes to write. */
export interface ChunkedArray {
  readonly key: string;
  readonly dataType: DataType;
  readonly size: Xyzc;
  /** Unit of reading. */
  readonly chunkSize: Xyzc;
  /** Extent of one stored object: a chunk, or a shard of chunks; the whole array where shards are no boxes. */
  readonly unitSize: Xyzc;
  /** Value of voxels that are not stored; a bigint for the 64-bit integer types. */
  readonly fillValue: number | bigint;
  /** Most chunks side by side along x that `readRow` is given; more than one where that is faster. */
  readonly rowLength: number;
  /**
   * Puts `count` chunks from `cell` of the chunk grid on along x (at least what they share with the destination's box) into
   * `into`.
   * @returns the cells whose chunks are not stored, where `into` is as it was
   */
  readRow(cell: Xyzc, count: number, into: Destination, signal: AbortSignal | undefined): Promise<readonly Xyzc[]>;
  /** Writes a box that lies inside the array; `data` is dense, x fastest. Other voxels keep what any writer gave them. */
  writeBox(box: Box4, data: VoxelArray, limits: MemoryLimits, signal: AbortSignal | undefined): Promise<void>;
}
