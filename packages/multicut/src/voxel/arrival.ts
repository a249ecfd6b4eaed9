/**
 * Which group is nearest, and by how much.
 * @module
 */
import { geodesicBytes, geodesicDistancesSlices } from "@pcg/kernels";
import type { Budget } from "./budget.ts";
import type { SplitPhase } from "./contract.ts";
import { during, type Work } from "./drive.ts";
import type { Level } from "./levels.ts";

/** Distances to the nearest and the second nearest group. */
export interface Arrival {
  /** Per voxel the side whose seeds are nearest (of equals the first), 0 where none reaches. */
  readonly side: Uint8Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The bytes of an {@link Arrival} per voxel. */
export const ARRIVAL_BYTES = 9;

/**
 * Shortest paths from each group's voxels through the level's mask, at speed 1 or at the given cost per length. Takes
 * {@link ARRIVAL_BYTES} per voxel from the budget, which stay taken.
 */
export function* arrive(
  level: Level,
  groups: readonly Uint32Array[],
  budget: Budget,
  phase: SplitPhase,
  [from, to]: readonly [number, number],
  costs?: Float32Array,
): Work<Arrival> {
  const { mask, size, voxelSize } = level;
  budget.take(mask.length * ARRIVAL_BYTES);
  const side = new Uint8Array(mask.length);
  const first = new Float32Array(mask.length).fill(Number.POSITIVE_INFINITY);
  const second = new Float32Array(mask.length).fill(Number.POSITIVE_INFINITY);
  const passing = mask.length * 4 + geodesicBytes(size, costs !== undefined);
  const share = (to - from) / groups.length;
  for (const [group, seeds] of groups.entries()) {
    budget.take(passing);
    const span = [from + share * group, from + share * (group + 1)] as const;
    const options = { voxelSize, seeds, ...(costs && { costs }) };
    const distances = yield* during(phase, span, geodesicDistancesSlices(mask, size, options));
    for (let voxel = 0; voxel < mask.length; voxel++) {
      const distance = distances[voxel]!;
      if (distance < first[voxel]!) {
        second[voxel] = first[voxel]!;
        first[voxel] = distance;
        side[voxel] = group + 1;
      } else if (distance < second[voxel]!) second[voxel] = distance;
    }
    budget.give(passing);
    yield { phase, done: span[1] };
  }
  return { side, first, second };
}

/** Area counts by this power of how deep it lies. */
const DEPTH_EXPONENT = 2;

/**
 * Where the surface may lie: voxels whose two nearest groups are about as far, |D₁−D₂| < band·(D₁+D₂), get how much area counts
 * there, of 255; all others, and those that one group alone reaches, 0. Area counts 1/√(1−|D₁−D₂|/(D₁+D₂)), so that it is dearest
 * near seeds: that keeps the surface from shrinking onto them, and of equal surfaces the one in the middle is cut. It also counts
 * (depth/deepest)², the deepest of these voxels in full: bodies that touch are shallow along their seam, and their own
 * cross-sections are deep.
 */
export function freeBand({ first, second }: Arrival, depth: Float32Array, mask: Uint8Array, band: number): Uint8Array {
  const free = new Uint8Array(mask.length);
  let deepest = 0;
  for (let voxel = 0; voxel < mask.length; voxel++) {
    if (mask[voxel] === 0 || second[voxel] === Number.POSITIVE_INFINITY) continue;
    const sum = first[voxel]! + second[voxel]!;
    // Both 0 where a coarse cell holds seeds of two groups: free as well.
    const away = sum === 0 ? 0 : (second[voxel]! - first[voxel]!) / sum;
    if (away >= band) continue;
    free[voxel] = Math.round(255 * Math.sqrt((1 - band) / (1 - away)));
    if (depth[voxel]! > deepest) deepest = depth[voxel]!;
  }
  for (let voxel = 0; voxel < mask.length; voxel++) {
    if (free[voxel] === 0) continue;
    free[voxel] = Math.max(1, Math.round(free[voxel]! * (depth[voxel]! / deepest) ** DEPTH_EXPONENT));
  }
  return free;
}
