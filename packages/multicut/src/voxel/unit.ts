import type { VoxelSize } from "@pcg/kernels";

/** Digits of a length that a change of the unit keeps. */
const DIGITS = 12;

/** A length in units of another one. */
export function lengthIn(unit: number, length: number): number {
  return Number((length / unit).toPrecision(DIGITS));
}

/**
 * The shortest voxel side, and the sides in it: 1 and more. Work in these does not depend on the unit of length, neither by its
 * rounding nor by running out of single precision.
 */
export function inUnits(voxelSize: VoxelSize): [unit: number, sides: VoxelSize] {
  const unit = Math.min(...voxelSize);
  return [unit, [lengthIn(unit, voxelSize[0]), lengthIn(unit, voxelSize[1]), lengthIn(unit, voxelSize[2])]];
}
