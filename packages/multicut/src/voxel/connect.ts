/**
 * Connects the seeds of each group by paths in the middle of the object, so that no cut can part a group.
 * @module
 */
import { geodesicBytes, geodesicDistancesSlices, type Size, tracePath } from "@pcg/kernels";
import type { Arrival } from "./arrival.ts";
import { boundsOf, cutOut, distanceBetween, grow, positionOf } from "./box.ts";
import type { Budget } from "./budget.ts";
import { during, type Work } from "./drive.ts";
import { VoxelSplitError } from "./error.ts";
import { cellOf, type Level, spread } from "./levels.ts";
import { depths, ridgeCosts } from "./ridge.ts";

/** A seed is joined to its team by the path that is cheapest by 1/depth² per length. */
export const RIDGE_EXPONENT = 2;
/** Passing a voxel at the surface costs no more than this many times the deepest one. */
export const MOST_COST = 10_000;
/** Passing a voxel at the seed of another group costs this power of e more. */
const STRANGENESS = 6;
/** Bytes per voxel of a walk with costs. */
const RIDGED_BYTES = 36;

/** The levels that paths are sought on: first in coarse cells, then along them in voxels. */
export interface Terrain {
  readonly finest: Level;
  readonly coarse: Level;
  /** Depth of each coarse cell, to order seeds by, and what it costs to pass. */
  readonly depth: Float32Array;
  readonly costs: Float32Array;
  /** Which group's seeds are nearest to each coarse cell at those costs. */
  readonly arrival: Arrival;
}

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

/** Joins one team's seeds, entering its paths into `owner`; false when another team bars the way. */
function* connectTeam(
  terrain: Terrain,
  group: number,
  seeds: readonly number[],
  owner: Map<number, number>,
  budget: Budget,
  span: readonly [number, number],
): Work<boolean> {
  const [root, ...rest] = inCanonicalOrder(terrain, seeds);
  const tree = new Set([root!]);
  let left = rest;
  while (left.length > 0) {
    const path = yield* findPath(terrain, group, tree, left, owner, budget, span);
    if (path.length === 0) return false;
    for (const voxel of path) {
      tree.add(voxel);
      owner.set(voxel, group);
    }
    left = left.filter((seed) => !tree.has(seed));
  }
  return true;
}

/**
 * Deepest first, then those nearest to all others: an order that depends neither on how seeds were listed nor, but for exact
 * ties, on how axes are named.
 */
function inCanonicalOrder({ finest, coarse, depth }: Terrain, seeds: readonly number[]): number[] {
  const keyed = [...new Set(seeds)].map((seed) => {
    const at = positionOf(seed, finest.size);
    const away = seeds.map((other) => distanceBetween(at, positionOf(other, finest.size), finest.voxelSize));
    const sum = away.sort((a, b) => a - b).reduce((total, distance) => total + distance, 0);
    return { seed, depth: depth[cellOf(seed, finest.size, coarse)]!, sum };
  });
  keyed.sort((a, b) => b.depth - a.depth || a.sum - b.sum || a.seed - b.seed);
  return keyed.map(({ seed }) => seed);
}

/** The path that joins the nearest of `ends` to the tree, all voxels at the finest level; empty when there is none. */
function* findPath(
  { finest, coarse, costs: alone, arrival }: Terrain,
  group: number,
  tree: ReadonlySet<number>,
  ends: readonly number[],
  owner: ReadonlyMap<number, number>,
  budget: Budget,
  span: readonly [number, number],
): Work<Uint32Array> {
  const cell = (voxel: number): number => cellOf(voxel, finest.size, coarse);
  // Cells of other teams are barred, but for those that hold voxels of this one too.
  const open = coarse.mask.slice();
  for (const [voxel, other] of owner) if (other !== group) open[cell(voxel)] = 0;
  for (const voxel of [...tree, ...ends]) open[cell(voxel)] = 1;
  const passing = coarse.mask.length * 9 + geodesicBytes(coarse.size, true);
  budget.take(passing);
  const costs = costsAmongOthers(alone, arrival, group);
  const starts = Uint32Array.from(new Set(Array.from(tree, cell)));
  const goals = Uint32Array.from(ends, cell);
  const { size, voxelSize } = coarse;
  const options = { voxelSize, seeds: starts, costs, until: goals };
  const distances = yield* during("connect", span, geodesicDistancesSlices(open, size, options));
  budget.give(passing);
  const end = ends.reduce((best, seed) => (distances[cell(seed)]! < distances[cell(best)]! ? seed : best));
  const way = tracePath(distances, size, { voxelSize, costs }, cell(end));
  if (coarse.factor.every((factor) => factor === 1)) return way;
  // Along the way in voxels, within one cell of it; where that fails, through all of the object.
  for (const corridor of way.length > 0 ? [dilate(way, coarse), undefined] : [undefined]) {
    const path = yield* walk(finest, coarse, corridor, group, tree, end, owner, budget, span);
    if (path.length > 0) return path;
  }
  return new Uint32Array(0);
}

/**
 * A group's paths keep out of what lies nearer to others, else they run through the thickest body, whose ever it is, and take it
 * along: up to e^6 times as dear, by the share of the way, at the seeds of others.
 */
function costsAmongOthers(costs: Float32Array, { side, first, second }: Arrival, group: number): Float32Array {
  return costs.map((cost, cell) => {
    if (side[cell] === 0 || side[cell] === group + 1 || second[cell] === Number.POSITIVE_INFINITY) return cost;
    const sum = first[cell]! + second[cell]!;
    return sum === 0 ? cost : cost * Math.exp((STRANGENESS * (second[cell]! - first[cell]!)) / sum);
  });
}

/** The path in voxels from `end` to the tree, in the middle of the corridor of coarse cells if there is one, else of the object. */
function* walk(
  finest: Level,
  coarse: Level,
  corridor: Uint8Array | undefined,
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
