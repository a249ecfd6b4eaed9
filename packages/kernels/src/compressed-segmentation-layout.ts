/**
 * What encoder and decoder of compressed_segmentation agree on: the grid of blocks and how it is cut into slabs.
 * @module
 */
import { type Size, voxelCount } from "./volume.ts";
import { SLAB_BYTES } from "./workspace.ts";

/** Keeps bit positions inside a block within 32 bits. */
const MOST_BLOCK_VOXELS = 2 ** 24;

/** A volume cut into blocks. */
export interface Layout {
  readonly size: Size;
  readonly block: Size;
  readonly channels: number;
  /** Voxels of one channel. */
  readonly voxels: number;
  /** Blocks along x, y, z. */
  readonly grid: Size;
  /** Blocks of one channel. */
  readonly blocks: number;
}

/** Some rows of blocks of one layer: what moves through memory at a time. */
export interface Slab {
  /** First voxel row and how many. */
  readonly y: number;
  readonly rows: number;
  /** First plane and how many. */
  readonly z: number;
  readonly depth: number;
  /** Word of the first block's header, from the start of the channel. */
  readonly header: number;
}

/** Checks the arguments; RangeError names what does not fit. */
export function layoutOf(size: Size, channels: number, blockSize: Size): Layout {
  const voxels = voxelCount(size);
  if (!Number.isInteger(channels) || channels < 1) {
    throw new RangeError(`channels must be a whole number ≥ 1, got ${channels}`);
  }
  const [bx, by, bz] = blockSize;
  if (![bx, by, bz].every((length) => Number.isInteger(length) && length > 0) || bx * by * bz > MOST_BLOCK_VOXELS) {
    throw new RangeError(`a block is at least 1×1×1 and at most 2^24 voxels, got ${blockSize.join("×")}`);
  }
  const grid: Size = [Math.ceil(size[0] / bx), Math.ceil(size[1] / by), Math.ceil(size[2] / bz)];
  return { size, block: blockSize, channels, voxels, grid, blocks: grid[0] * grid[1] * grid[2] };
}

/** Bytes of the largest slab of `bytesPerVoxel`. */
export function slabBytes(layout: Layout, bytesPerVoxel: number): number {
  const rows = Math.min(layout.size[1], blockRowsPerSlab(layout, bytesPerVoxel) * layout.block[1]);
  return layout.size[0] * rows * Math.min(layout.size[2], layout.block[2]) * bytesPerVoxel;
}

/** The slabs of a channel, in the order of their headers. */
export function* slabs(layout: Layout, bytesPerVoxel: number): Generator<Slab> {
  const [, sy, sz] = layout.size;
  const [, by, bz] = layout.block;
  const step = blockRowsPerSlab(layout, bytesPerVoxel);
  for (let gz = 0; gz < layout.grid[2]; gz++) {
    for (let gy = 0; gy < layout.grid[1]; gy += step) {
      const header = 2 * layout.grid[0] * (gy + layout.grid[1] * gz);
      const rows = Math.min(step * by, sy - gy * by);
      yield { y: gy * by, rows, z: gz * bz, depth: Math.min(bz, sz - gz * bz), header };
    }
  }
}

function blockRowsPerSlab(layout: Layout, bytesPerVoxel: number): number {
  const bytes = layout.size[0] * layout.block[1] * layout.block[2] * bytesPerVoxel;
  return Math.max(1, Math.min(layout.grid[1], Math.floor(SLAB_BYTES / bytes)));
}
