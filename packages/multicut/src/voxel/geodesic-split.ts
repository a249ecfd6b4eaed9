/**
 * The split of PyChunkedGraph: each voxel goes to the group whose front arrives first, where fronts are slow near the surface of
 * the object and so in necks. Unlike there, levels are pooled and not strided, axes are never mixed up, voxels outside cannot be
 * passed at any cost, and a piece that no front reaches is not given to the first group. Its boost in a band around equal arrival is
 * left out, for it multiplies by 1 + 2·exp(−t) with t in nanometres, which is 1.
 * @module
 */
import { DIRECTIONS, type Size } from "@pcg/kernels";
import { ARRIVAL_BYTES, arrive } from "./arrival.ts";
import { positionOf } from "./box.ts";
import type { Budget } from "./budget.ts";
import type { Work } from "./drive.ts";
import { cellOf, type Level, spread } from "./levels.ts";
import { fixTeams } from "./refine.ts";
import { depths, ridgeCosts } from "./ridge.ts";

/** Speed is (depth/deepest)^1.6, at least 1e-6. */
const SPEED_EXPONENT = 1.6;
const MOST_COST = 1e6;

/** The sides at the finest level; of equal arrivals the first group counts. Takes 1 byte per voxel, which stays taken. */
export function* splitGeodesic(
  finest: Level,
  coarse: Level,
  teams: readonly Uint32Array[],
  budget: Budget,
  [from, to]: readonly [number, number],
): Work<Uint8Array> {
  const depth = yield* depths(coarse, budget, "distances", [from, from + 0.1]);
  budget.take(coarse.mask.length * 4);
  const costs = ridgeCosts(depth, SPEED_EXPONENT, MOST_COST);
  const seeds = teams.map((team) =>
    thicken(new Set(Array.from(team, (voxel) => cellOf(voxel, finest.size, coarse))), coarse),
  );
  const arrival = yield* arrive(coarse, seeds, budget, "distances", [from + 0.1, to], costs);
  budget.take(finest.mask.length);
  const sides = spread(arrival.side, coarse, finest);
  fixTeams(sides, new Uint8Array(sides.length), finest, teams, finest.size);
  budget.give(coarse.mask.length * (8 + ARRIVAL_BYTES));
  return sides;
}

/** The cells and their neighbours across faces, inside of the mask. */
function thicken(cells: ReadonlySet<number>, { mask, size }: { mask: Uint8Array; size: Size }): Uint32Array {
  const thick = new Set(cells);
  for (const cell of cells) {
    const at = positionOf(cell, size);
    for (const direction of DIRECTIONS) {
      if (direction.filter((d) => d !== 0).length > 1) continue;
      for (const sign of [1, -1]) {
        const [x, y, z] = at.map((a, axis) => a + sign * direction[axis]!) as [number, number, number];
        if (x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2]) continue;
        const other = x + size[0] * (y + size[1] * z);
        if (mask[other] !== 0) thick.add(other);
      }
    }
  }
  return Uint32Array.from(thick);
}
