/**
 * Shortest paths by settling the nearest open voxel, found by looking at all: the meaning of the fast kernel. For tests.
 * @module
 */
import type { GeodesicOptions } from "../geodesic.ts";
import { checkLength, type Size } from "../volume.ts";

/** See `geodesicDistances` of `@pcg/kernels/geodesic`; the same f32 sums, bit for bit. */
export function geodesicDistancesOracle(
  mask: Uint8Array,
  size: Size,
  { voxelSize, seeds, costs }: GeodesicOptions,
): Float32Array {
  checkLength("mask", mask.length, size);
  const [sx, sy, sz] = size;
  const distances = new Float32Array(mask.length).fill(Number.POSITIVE_INFINITY);
  for (const voxel of seeds) distances[voxel] = 0;
  const settled = new Uint8Array(mask.length);
  for (;;) {
    let voxel = -1;
    for (let other = 0; other < mask.length; other++) {
      if (settled[other] !== 0 || distances[other] === Number.POSITIVE_INFINITY) continue;
      if (voxel < 0 || distances[other]! < distances[voxel]!) voxel = other;
    }
    if (voxel < 0) return distances;
    settled[voxel] = 1;
    const [x, y, z] = [voxel % sx, Math.floor(voxel / sx) % sy, Math.floor(voxel / (sx * sy))];
    for (let k = Math.max(0, z - 1); k <= Math.min(sz - 1, z + 1); k++) {
      for (let j = Math.max(0, y - 1); j <= Math.min(sy - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(sx - 1, x + 1); i++) {
          const other = i + sx * (j + sy * k);
          if (mask[other] === 0 || other === voxel) continue;
          const squares = [(i - x) * voxelSize[0], (j - y) * voxelSize[1], (k - z) * voxelSize[2]].map((d) => d * d);
          squares.sort((a, b) => a - b);
          const length = Math.fround(Math.sqrt(squares[0]! + squares[1]! + squares[2]!));
          const cost =
            costs === undefined ? 1 : Math.fround(Math.fround(costs[voxel]! * 0.5) + Math.fround(costs[other]! * 0.5));
          const through = Math.fround(distances[voxel]! + Math.fround(length * cost));
          if (through < distances[other]!) distances[other] = through;
        }
      }
    }
  }
}
