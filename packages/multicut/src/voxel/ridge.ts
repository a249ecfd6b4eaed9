/**
 * Costs that keep paths and fronts in the middle of the object.
 * @module
 */
import { distanceTransformSlices, type Size } from "@pcg/kernels";
import type { Budget } from "./budget.ts";
import type { SplitPhase } from "./contract.ts";
import { during, type Work } from "./drive.ts";
import type { Level } from "./levels.ts";

/**
 * Physical distance of each voxel to the outside; beyond the block all is outside. Takes 4 bytes per voxel from the budget, which
 * stay taken.
 */
export function* depths(
  { mask, size, voxelSize }: Level,
  budget: Budget,
  phase: SplitPhase,
  span: readonly [number, number],
): Work<Float32Array> {
  const rimmed: Size = [size[0] + 2, size[1] + 2, size[2] + 2];
  const voxels = rimmed[0] * rimmed[1] * rimmed[2];
  const passing = voxels * 9 + (1 << 19);
  budget.take(mask.length * 4 + passing);
  const block = new Uint8Array(voxels);
  const [sx, sy, sz] = size;
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const from = sx * (y + sy * z);
      block.set(mask.subarray(from, from + sx), 1 + rimmed[0] * (y + 1 + rimmed[1] * (z + 1)));
    }
  }
  const rim = yield* during(phase, span, distanceTransformSlices(block, rimmed, voxelSize));
  const depth = new Float32Array(mask.length);
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const from = 1 + rimmed[0] * (y + 1 + rimmed[1] * (z + 1));
      depth.set(rim.subarray(from, from + sx), sx * (y + sy * z));
    }
  }
  budget.give(passing);
  return depth;
}

/** (deepest/depth)^exponent, as costs per length: dear near the outside, never beyond `most`. */
export function ridgeCosts(depth: Float32Array, exponent: number, most: number): Float32Array {
  let deepest = 0;
  for (let voxel = 0; voxel < depth.length; voxel++) if (depth[voxel]! > deepest) deepest = depth[voxel]!;
  return depth.map((d) => (d > 0 ? Math.min(most, (d / deepest) ** -exponent) : most));
}
