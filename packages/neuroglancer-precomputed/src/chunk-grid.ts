/**
 * Where the chunks of one scale lie. The grid starts at `voxelOffset`; chunks at the far edges are truncated to the
 * volume, in their names and in what is stored.
 * @module
 */

/** A position, size or offset in x, y, z order. */
export type Xyz = readonly [number, number, number];

/** Half-open box: voxels or grid cells `begin` to `end`, `end` excluded. */
export interface Box {
  readonly begin: Xyz;
  readonly end: Xyz;
}

const CHUNK_NAME = /^(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)$/;

/**
 * The chunk grid of one scale. Voxel positions are absolute (they include `voxelOffset`), chunk positions count from 0.
 *
 * @example
 * const grid = new ChunkGrid({ size: [100, 64, 64], chunkSize: [64, 64, 64], voxelOffset: [10, 0, 0] });
 * grid.shape; // [2, 1, 1]
 * grid.chunkName([1, 0, 0]); // "74-110_0-64_0-64"
 */
export class ChunkGrid {
  readonly size: Xyz;
  readonly chunkSize: Xyz;
  readonly voxelOffset: Xyz;
  /** Number of chunks along each axis. */
  readonly shape: Xyz;

  constructor(grid: { readonly size: Xyz; readonly chunkSize: Xyz; readonly voxelOffset?: Xyz }) {
    this.size = grid.size;
    this.chunkSize = grid.chunkSize;
    this.voxelOffset = grid.voxelOffset ?? [0, 0, 0];
    for (const axis of [0, 1, 2] as const) {
      const [size, chunk, offset] = [this.size[axis], this.chunkSize[axis], this.voxelOffset[axis]];
      const name = "xyz"[axis]!;
      if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`size ${size} along ${name} is no voxel count`);
      if (!Number.isSafeInteger(chunk) || chunk < 1)
        throw new RangeError(`chunk size ${chunk} along ${name} is below 1`);
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(offset + size + chunk)) {
        throw new RangeError(`voxel offset ${offset} with size ${size} along ${name} leaves the integers below 2^53`);
      }
    }
    const cells = (axis: 0 | 1 | 2): number => Math.ceil(this.size[axis] / this.chunkSize[axis]);
    this.shape = [cells(0), cells(1), cells(2)];
  }

  /** How many chunks the grid has. A bigint: three axes of 2^31 voxels exceed the exact numbers. */
  get chunkCount(): bigint {
    return BigInt(this.shape[0]) * BigInt(this.shape[1]) * BigInt(this.shape[2]);
  }

  /** All voxels of the scale. */
  get bounds(): Box {
    const [ox, oy, oz] = this.voxelOffset;
    return { begin: this.voxelOffset, end: [ox + this.size[0], oy + this.size[1], oz + this.size[2]] };
  }

  /** Whether `position` is a chunk of this grid. */
  has(position: Xyz): boolean {
    return [0, 1, 2].every((axis) => {
      const cell = position[axis]!;
      return Number.isInteger(cell) && cell >= 0 && cell < this.shape[axis]!;
    });
  }

  /** The voxels of a chunk, truncated at the volume's far edges. */
  chunkBox(position: Xyz): Box {
    if (!this.has(position)) {
      throw new RangeError(`chunk (${position.join(", ")}) is outside the grid of ${this.shape.join(" x ")} chunks`);
    }
    const begin = (axis: 0 | 1 | 2): number => this.voxelOffset[axis] + position[axis] * this.chunkSize[axis];
    const end = (axis: 0 | 1 | 2): number =>
      this.voxelOffset[axis] + Math.min((position[axis] + 1) * this.chunkSize[axis], this.size[axis]);
    return { begin: [begin(0), begin(1), begin(2)], end: [end(0), end(1), end(2)] };
  }

  /** Size in voxels of what is stored for a chunk. */
  chunkShape(position: Xyz): Xyz {
    const { begin, end } = this.chunkBox(position);
    return [end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]];
  }

  /** File name of an unsharded chunk: `x0-x1_y0-y1_z0-z1` in absolute voxels. */
  chunkName(position: Xyz): string {
    const { begin, end } = this.chunkBox(position);
    return `${begin[0]}-${end[0]}_${begin[1]}-${end[1]}_${begin[2]}-${end[2]}`;
  }

  /** The chunk that has this file name, or `undefined` when the grid has none of that name. */
  parseChunkName(name: string): Xyz | undefined {
    const match = CHUNK_NAME.exec(name);
    if (match === null) return undefined;
    const cell = (axis: 0 | 1 | 2): number =>
      (Number(match[1 + 2 * axis]) - this.voxelOffset[axis]) / this.chunkSize[axis];
    const position: Xyz = [cell(0), cell(1), cell(2)];
    return this.has(position) && this.chunkName(position) === name ? position : undefined;
  }

  /** Grid cells that share at least one voxel with `box`, as a half-open box of chunk positions; may be empty. */
  overlapping(box: Box): Box {
    const begin = [0, 0, 0];
    const end = [0, 0, 0];
    for (const axis of [0, 1, 2] as const) {
      const low = Math.max(box.begin[axis] - this.voxelOffset[axis], 0);
      const high = Math.min(box.end[axis] - this.voxelOffset[axis], this.size[axis]);
      begin[axis] = Math.floor(low / this.chunkSize[axis]);
      end[axis] = high > low ? Math.ceil(high / this.chunkSize[axis]) : begin[axis]!;
    }
    return { begin: begin as unknown as Xyz, end: end as unknown as Xyz };
  }

  /** Positions of the chunks that share a voxel with `box` (all chunks without one), x fastest. */
  *chunks(box: Box = this.bounds): IterableIterator<Xyz> {
    const { begin, end } = this.overlapping(box);
    for (let z = begin[2]; z < end[2]; z++) {
      for (let y = begin[1]; y < end[1]; y++) {
        for (let x = begin[0]; x < end[0]; x++) yield [x, y, z];
      }
    }
  }
}
