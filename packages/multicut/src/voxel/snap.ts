/**
 * Puts seeds onto the object.
 * @module
 */
import type { Size } from "@pcg/kernels";
import { distanceBetween } from "./box.ts";
import type { Xyz } from "./contract.ts";

/**
 * The voxel of the mask that is physically nearest to position `at` (which may lie outside of the block), no farther than
 * `limit`; undefined if there is none. Of equally near voxels the one with most neighbours in the mask, then the first in the block. Looks in
 * boxes that grow, so that a near voxel is found without reading the mask.
 */
export function snap(
  mask: Uint8Array,
  size: Size,
  voxelSize: Xyz,
  at: Xyz,
  limit: number,
): { voxel: number; distance: number } | undefined {
  const [sx, sy] = size;
  const whole = distanceBetween(
    at.map((a, axis) => Math.max(Math.abs(a), Math.abs(a - size[axis]!))) as unknown as Xyz,
    [0, 0, 0],
    voxelSize,
  );
  const farthest = Math.min(limit, whole);
  const fullness = (x: number, y: number, z: number): number => neighbours(mask, size, [x, y, z]);
  for (let radius = Math.min(Math.max(...voxelSize), farthest); ; radius = Math.min(radius * 2, farthest)) {
    const low = at.map((a, axis) => Math.max(0, Math.ceil(a - radius / voxelSize[axis]!)));
    const high = at.map((a, axis) => Math.min(size[axis]! - 1, Math.floor(a + radius / voxelSize[axis]!)));
    let best = -1;
    let nearest = radius;
    let most = 0;
    for (let z = low[2]!; z <= high[2]!; z++) {
      for (let y = low[1]!; y <= high[1]!; y++) {
        for (let x = low[0]!; x <= high[0]!; x++) {
          const voxel = x + sx * (y + sy * z);
          if (mask[voxel] === 0) continue;
          const distance = distanceBetween([x, y, z], at, voxelSize);
          if (distance > nearest) continue;
          if (best >= 0 && distance === nearest && fullness(x, y, z) <= most) continue;
          best = voxel;
          nearest = distance;
          most = fullness(x, y, z);
        }
      }
    }
    if (best >= 0) return { voxel: best, distance: nearest };
    if (radius >= farthest) return undefined;
  }
}

/** Voxels of the mask among a voxel and its 26 neighbours. */
function neighbours(mask: Uint8Array, [sx, sy, sz]: Size, [x, y, z]: Xyz): number {
  let count = 0;
  for (let k = Math.max(0, z - 1); k <= Math.min(sz - 1, z + 1); k++) {
    for (let j = Math.max(0, y - 1); j <= Math.min(sy - 1, y + 1); j++) {
      for (let i = Math.max(0, x - 1); i <= Math.min(sx - 1, x + 1); i++)
        if (mask[i + sx * (j + sy * k)] !== 0) count++;
    }
  }
  return count;
}
