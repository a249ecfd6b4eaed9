import { GraphError } from "../errors.ts";

/** One array element per supervoxel must be addressable by a u32. */
const MOST_SUPERVOXELS = 2 ** 32 - 1;

/**
 * Where the supervoxels of each chunk begin in the count over the whole volume, which follows the order of their ids.
 */
export class SupervoxelCount {
  readonly total: number;
  private readonly starts: Float64Array;

  /** @param counts supervoxels of each chunk, by ordinal. */
  constructor(counts: Uint32Array) {
    this.starts = new Float64Array(counts.length + 1);
    for (let chunk = 0; chunk < counts.length; chunk++) this.starts[chunk + 1] = this.starts[chunk]! + counts[chunk]!;
    this.total = this.starts[counts.length]!;
    if (this.total > MOST_SUPERVOXELS) {
      throw new GraphError(
        "bad-settings",
        `the volume has ${this.total} supervoxels, more than the ${MOST_SUPERVOXELS} one graph can hold; use larger chunks`,
        { supervoxels: this.total, limit: MOST_SUPERVOXELS },
      );
    }
  }

  /** Supervoxels in the chunks before this one. */
  start(chunk: number): number {
    return this.starts[chunk]!;
  }

  /** Supervoxels of a chunk. */
  count(chunk: number): number {
    return this.starts[chunk + 1]! - this.starts[chunk]!;
  }

  /** The chunk of a supervoxel counted over the volume. */
  chunkOf(supervoxel: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! <= supervoxel) low = middle;
      else high = middle;
    }
    return low;
  }
}
