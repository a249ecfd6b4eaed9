/**
 * Distance to the background by trying all of it: the meaning of the fast kernel in the fewest words. For tests.
 * @module
 */
import { checkVoxelSize, type VoxelSize } from "../rim.ts";
import { checkLength, type Size } from "../volume.ts";

/** See `distanceTransform` of `@pcg/kernels/distance-transform`; in f64. */
export function distanceTransformOracle(mask: Uint8Array, size: Size, voxelSize: VoxelSize): Float64Array {
  checkLength("mask", mask.length, size);
  checkVoxelSize(voxelSize);
  const [sx, sy] = size;
  const positions = Array.from(mask, (_, voxel) => [
    (voxel % sx) * voxelSize[0],
    (Math.floor(voxel / sx) % sy) * voxelSize[1],
    Math.floor(voxel / (sx * sy)) * voxelSize[2],
  ]);
  const background = positions.filter((_, voxel) => mask[voxel] === 0);
  return Float64Array.from(positions, ([x, y, z]) =>
    background.reduce(
      (least, [a, b, c]) => Math.min(least, Math.hypot(x! - a!, y! - b!, z! - c!)),
      Number.POSITIVE_INFINITY,
    ),
  );
}
