/**
 * A block with a rim of one voxel all around it, so that a kernel reaches neighbours without asking for bounds; and the 26
 * neighbours themselves.
 * @module
 */
import type { Size } from "./volume.ts";

/** Nanometres, or any unit of length, per voxel along x, y and z. */
export type VoxelSize = readonly [x: number, y: number, z: number];

/**
 * The 13 directions to neighbours that come later in memory; the other 13 neighbours lie opposite. Direction weights and
 * kernels number them in this order.
 */
export const DIRECTIONS: readonly (readonly [x: number, y: number, z: number])[] = Array.from(
  { length: 13 },
  (_, k) => {
    const at = 14 + k;
    return [(at % 3) - 1, (Math.floor(at / 3) % 3) - 1, Math.floor(at / 9) - 1];
  },
);

/** The physical length of a step in each of {@link DIRECTIONS}; the same whichever way the axes are named. */
export function stepLengths(voxelSize: VoxelSize): Float32Array {
  return Float32Array.from(DIRECTIONS, (direction) => {
    const squares = direction.map((d, axis) => (d * voxelSize[axis]!) ** 2).sort((a, b) => a - b);
    return Math.sqrt(squares[0]! + squares[1]! + squares[2]!);
  });
}

/** RangeError unless all three sizes are finite and above 0. */
export function checkVoxelSize(voxelSize: VoxelSize): void {
  if (voxelSize.length === 3 && voxelSize.every((length) => Number.isFinite(length) && length > 0)) return;
  throw new RangeError(`voxelSize must be three finite lengths above 0, got ${voxelSize.join("×")}`);
}

/** How a block lies in memory with its rim. */
export interface Rimmed {
  readonly size: Size;
  /** Voxels with the rim. */
  readonly voxels: number;
  /** Voxels from one row to the next, and from one plane to the next. */
  readonly row: number;
  readonly plane: number;
  /** Voxel offsets of {@link DIRECTIONS}. */
  readonly offsets: Int32Array;
}

/** Lays out a block; RangeError when voxel numbers would not fit in 31 bits. */
export function withRim(size: Size): Rimmed {
  const row = size[0] + 2;
  const plane = row * (size[1] + 2);
  const voxels = plane * (size[2] + 2);
  if (voxels >= 2 ** 31) {
    throw new RangeError(`the kernel numbers voxels with 31 bits; ${size.join("×")} is too large, crop or split it`);
  }
  const offsets = Int32Array.from(DIRECTIONS, ([x, y, z]) => x + row * y + plane * z);
  return { size, voxels, row, plane, offsets };
}

/** The rimmed voxel number of voxel (0, y, z). */
export function rowStart({ row, plane }: Rimmed, y: number, z: number): number {
  return 1 + row * (y + 1) + plane * (z + 1);
}

/** The rimmed voxel number of the voxel with dense number `voxel`. */
export function toRimmed(rimmed: Rimmed, voxel: number): number {
  const [sx, sy] = rimmed.size;
  const x = voxel % sx;
  const rows = (voxel - x) / sx;
  return x + rowStart(rimmed, rows % sy, Math.floor(rows / sy));
}
