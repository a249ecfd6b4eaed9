/**
 * Connects the seeds of each group by paths in the middle of the object, so that no cut can part a group.
 * @module
 */
import { geodesicBytes, geodesicDistancesSlices, type Size, tracePath } from "@pcg/kernels";
import { boundsOf, cutOut, distanceBetween, grow, positionOf } from "./box.ts";
import type { Budget } from "./budget.ts";
import type { Xyz } from "./contract.ts";
import { during, type Work } from "./drive.ts";
import { VoxelSplitError } from "./error.ts";
import { cellOf, type Level, spread } from "./levels.ts";
import { depths, ridgeCosts } from "./ridge.ts";
import { TeamReach, type Terrain } from "./team-reach.ts";

/** A seed is joined to its team by the path that is cheapest by 1/depth² per length. */
export const RIDGE_EXPONENT = 2;
/** Passing a voxel at the surface costs no more than this many times the deepest one. */
export const MOST_COST = 10_000;
/** Bytes per voxel of a walk with costs. */
const RIDGED_BYTES = 36;

/**
 * The voxels of each team: its seeds and paths that join them, disjoint from all other teams. All numbers are of the finest
 * level. Seeds of one group must lie in one component of the mask. A team that finds its way barred by another's goes first
 * in a second attempt.
 *
 * @throws VoxelSplitError `TEAMS_CROSS`.
 */
export function* connectTeams(
  terrain: Terrain,
  groups: readonly (readonly number[])[],
  budget: Budget,
  [from, to]: readonly [number, number],
): Work<Uint32Array[]> {
  const order = groups.map((_, group) => group);
  const barred = new Set<number>();
  for (;;) {
    const owner = new Map<number, number>();
    for (const [group, seeds] of groups.entries()) for (const seed of seeds) owner.set(seed, group);
    let failed = -1;
    for (const [rank, group] of order.entries()) {
      const span = [
        from + ((to - from) * rank) / groups.length,
        from + ((to - from) * (rank + 1)) / groups.length,
      ] as const;
      if (yield* connectTeam(terrain, group, groups[group]!, owner, budget, span)) continue;
      failed = group;
      break;
    }
    if (failed < 0) {
      return groups.map((_, group) =>
        Uint32Array.from(
          [...owner].filter(([, other]) => other === group),
          ([voxel]) => voxel,
        ).sort(),
      );
    }
    if (barred.has(failed) || order[0] === failed) {
      throw new VoxelSplitError(
        "TEAMS_CROSS",
        `the seeds of group ${failed} can only be connected through voxels of another group; move or drop a seed`,
        { group: failed },
      );
    }
    barred.add(failed);
    order.splice(order.indexOf(failed), 1);
    order.unshift(failed);
  }
}

/** Joins one team's seeds, nearest first, entering its paths into `owner`; false when another team bars the way. */
function* connectTeam(
  terrain: Terrain,
  group: number,
  seeds: readonly number[],
  owner: Map<number, number>,
  budget: Budget,
  [from, to]: readonly [number, number],
): Work<boolean> {
  const { finest, coarse } = terrain;
  const [root, ...rest] = inCanonicalOrder(terrain, seeds);
  const tree = new Set([root!]);
  const reach = new TeamReach(terrain, group, seeds, owner, budget);
  const far = (seed: number): number => reach.at(cellOf(seed, finest.size, coarse));
  let joined: Iterable<number> = tree;
  for (let left = rest; left.length > 0; left = left.filter((seed) => !tree.has(seed))) {
    const done = from + (to - from) * (1 - left.length / rest.length);
    // With many seeds all of this takes less than a slice: whoever drives the work sees to the time.
    yield { phase: "connect", done };
    yield* reach.grow(tree, joined, [done, done]);
    const end = left.reduce((best, seed) => (far(seed) < far(best) ? seed : best));
    const path: Uint32Array = yield* pathTo(end, reach, terrain, group, tree, owner, budget, [done, done]);
    if (path.length === 0) break;
    for (const voxel of path) {
      tree.add(voxel);
      owner.set(voxel, group);
    }
    joined = path;
  }
  reach.rest();
  return rest.every((seed) => tree.has(seed));
}

/**
 * Deepest first, then those nearest to the middle of all: an order that depends neither on how seeds were listed nor, but for
 * exact ties, on how axes are named.
 */
function inCanonicalOrder({ finest, coarse, depth }: Terrain, seeds: readonly number[]): number[] {
  const distinct = [...new Set(seeds)];
  const places = distinct.map((seed) => positionOf(seed, finest.size));
  const sums = [0, 1, 2].map((axis) => places.reduce((sum, at) => sum + at[axis]!, 0)) as unknown as Xyz;
  const keyed = distinct.map((seed, i) => {
    // Times the number of seeds, so that the middle is whole.
    const at = places[i]!.map((a) => a * distinct.length) as unknown as Xyz;
    const away = distanceBetween(at, sums, finest.voxelSize);
    return { seed, depth: depth[cellOf(seed, finest.size, coarse)]!, away };
  });
  keyed.sort((a, b) => b.depth - a.depth || a.away - b.away || a.seed - b.seed);
  return keyed.map(({ seed }) => seed);
}

/** The path that joins `end` to the tree, all voxels at the finest level; empty when there is none. */
function* pathTo(
  end: number,
  reach: TeamReach,
  { finest, coarse }: Terrain,
  group: number,
  tree: ReadonlySet<number>,
  owner: ReadonlyMap<number, number>,
  budget: Budget,
  span: readonly [number, number],
): Work<Uint32Array> {
  const way = reach.path(cellOf(end, finest.size, coarse));
  if (coarse.factor.every((factor) => factor === 1)) return way;
  // Along the way in voxels, within one cell of it; where that fails, through all of the object.
  for (const corridor of way.length > 0 ? [dilate(way, coarse), undefined] : [undefined]) {
    const path = yield* walk(finest, coarse, corridor, reach, group, tree, end, owner, budget, span);
    if (path.length > 0) return path;
  }
  return new Uint32Array(0);
}

/** The path in voxels from `end` to the tree, in the middle of the corridor of coarse cells if there is one, else of the object. */
function* walk(
  finest: Level,
  coarse: Level,
  corridor: Uint8Array | undefined,
  reach: TeamReach,
  group: number,
  tree: ReadonlySet<number>,
  end: number,
  owner: ReadonlyMap<number, number>,
  budget: Budget,
  span: readonly [number, number],
): Work<Uint32Array> {
  const cells = corridor && boundsOf(corridor, coarse.size)!;
  const corner = cells ? cells.corner.map((at, axis) => at * coarse.factor[axis]!) : [0, 0, 0];
  const size = finest.size.map((length, axis) =>
    cells ? Math.min(length - corner[axis]!, cells.size[axis]! * coarse.factor[axis]!) : length,
  ) as unknown as Size;
  const voxels = size[0] * size[1] * size[2];
  const passing = voxels * 6;
  // The walk goes first where there is not enough for both.
  if (!budget.fits(passing + voxels * RIDGED_BYTES)) reach.rest();
  budget.take(passing);
  const box = { corner: corner as unknown as Size, size };
  let open = cutOut(finest.mask, finest.size, box);
  if (cells) {
    const part = { ...coarse, size: cells.size };
    open = spread(cutOut(corridor!, coarse.size, cells), part, { ...finest, size, mask: open });
  }
  const inBox = (voxel: number): number => {
    const at = positionOf(voxel, finest.size).map((a, axis) => a - corner[axis]!);
    if (at.some((a, axis) => a < 0 || a >= size[axis]!)) return -1;
    return at[0]! + size[0] * (at[1]! + size[1] * at[2]!);
  };
  const toFinest = (voxel: number): number => {
    const [x, y, z] = positionOf(voxel, size);
    return x + corner[0]! + finest.size[0] * (y + corner[1]! + finest.size[1] * (z + corner[2]!));
  };
  for (const [voxel, other] of owner) if (other !== group && inBox(voxel) >= 0) open[inBox(voxel)] = 0;
  const starts = Uint32Array.from([...tree].map(inBox).filter((voxel) => voxel >= 0 && open[voxel] !== 0));
  const { voxelSize } = finest;
  const goal = inBox(end);
  // In a corridor the path keeps to the middle; through the whole object the memory for that is not there.
  const ridged = cells !== undefined && budget.fits(voxels * RIDGED_BYTES);
  const level = { factor: finest.factor, size, voxelSize, mask: open };
  const costs = ridged
    ? { costs: ridgeCosts(yield* depths(level, budget, "connect", span), RIDGE_EXPONENT, MOST_COST) }
    : {};
  const bytes = (ridged ? voxels * 4 : 0) + geodesicBytes(size, ridged);
  budget.take(bytes);
  const options = { voxelSize, ...costs, seeds: starts, until: Uint32Array.of(goal) };
  const distances = yield* during("connect", span, geodesicDistancesSlices(open, size, options));
  budget.give(passing + bytes + (ridged ? voxels * 4 : 0));
  return tracePath(distances, size, { voxelSize, ...costs }, goal).map(toFinest);
}

/** Cells of the way and their 26 neighbours, 1 each. */
function dilate(way: Uint32Array, { size, mask }: Level): Uint8Array {
  const wide = new Uint8Array(mask.length);
  for (const cell of way) {
    const { corner, size: span } = grow({ corner: positionOf(cell, size), size: [1, 1, 1] }, 1, size);
    for (let k = 0; k < span[2]; k++) {
      for (let j = 0; j < span[1]; j++) {
        const row = corner[0] + size[0] * (corner[1] + j + size[1] * (corner[2] + k));
        wide.fill(1, row, row + span[0]);
      }
    }
  }
  return wide;
}
