/**
 * Makes every side one piece.
 * @module
 */
import { componentLabels, connectedComponents, DIRECTIONS, type Size, type VoxelSize } from "@pcg/kernels";
import { areaWeights } from "./area-weights.ts";
import type { Budget } from "./budget.ts";
import type { Work } from "./drive.ts";

/**
 * Gives each 26-component of a side that holds no voxel of the side's team to the side it shares most area with, until every
 * side is the one component around its team. Changes `sides` in place. Takes 4 bytes per voxel from the budget while it works;
 * the components' kernel may take 16 per run of equal sides beside it.
 */
export function* cleanUp(
  sides: Uint8Array,
  size: Size,
  voxelSize: VoxelSize,
  teams: readonly Uint32Array[],
  budget: Budget,
  done: number,
): Work<void> {
  const areas = areaWeights(voxelSize);
  budget.take(sides.length * 4);
  for (;;) {
    const { components, count } = connectedComponents(sides, size, 26);
    if (count === teams.length) break;
    const sideOf = componentLabels(sides, components, count);
    const main = new Uint8Array(count + 1);
    for (const team of teams) main[components[team[0]!]!] = 1;
    const islands = new Map<number, Float64Array>();
    for (let component = 1; component <= count; component++) {
      if (main[component] === 0) islands.set(component, new Float64Array(teams.length + 1));
    }
    tallyContacts(components, sideOf, main, islands, size, areas);
    let moved = 0;
    const next = new Uint8Array(count + 1);
    for (const [component, shared] of islands) {
      const most = Math.max(...shared);
      if (most === 0) continue; // Touches other islands only: they move first.
      next[component] = shared.indexOf(most);
      moved++;
    }
    if (moved === 0) throw new Error("a component of the object holds no seed; the caller sets those apart");
    for (let voxel = 0; voxel < sides.length; voxel++) {
      const side = next[components[voxel]!]!;
      if (side !== 0) sides[voxel] = side;
    }
    yield { phase: "clean-up", done };
  }
  budget.give(sides.length * 4);
}

/** Adds up for each island the area that it shares with the main component of each side. */
function tallyContacts(
  components: Uint32Array,
  sideOf: Uint8Array,
  main: Uint8Array,
  islands: ReadonlyMap<number, Float64Array>,
  [sx, sy, sz]: Size,
  areas: Float64Array,
): void {
  for (let z = 0, voxel = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, voxel++) {
        const component = components[voxel]!;
        if (component === 0 || main[component] !== 0) continue;
        const shared = islands.get(component)!;
        for (let k = 0; k < 26; k++) {
          const sign = k < 13 ? 1 : -1;
          const [dx, dy, dz] = DIRECTIONS[k % 13]!;
          const [i, j, l] = [x + sign * dx, y + sign * dy, z + sign * dz];
          if (i < 0 || j < 0 || l < 0 || i >= sx || j >= sy || l >= sz) continue;
          const other = components[i + sx * (j + sy * l)]!;
          if (main[other] !== 0) shared[sideOf[other - 1]!]! += areas[k % 13]!;
        }
      }
    }
  }
}
