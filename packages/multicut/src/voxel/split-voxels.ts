/**
 * Splits a supervoxel between groups of seeds.
 *
 * The banded method: seeds go to the object's nearest voxels; paths along its ridges join each group's seeds; distances through
 * the object from each group tell where the middle is; and of all surfaces within a band around the middle the smallest is
 * cut. Large objects are cut at a coarse level first, and the surface is then refined level by level within two coarse voxels.
 * @module
 */
import { ARRIVAL_BYTES, type Arrival, arrive, freeBand } from "./arrival.ts";
import { cutBand } from "./band-cut.ts";
import { cutOut, putBack } from "./box.ts";
import { Budget } from "./budget.ts";
import { checkSplitRequest } from "./check.ts";
import { cleanUp } from "./clean-up.ts";
import { connectTeams, MOST_COST, RIDGE_EXPONENT } from "./connect.ts";
import type { SplitRequest, VoxelSplit, Xyz } from "./contract.ts";
import { drive, type Work } from "./drive.ts";
import { splitGeodesic } from "./geodesic-split.ts";
import { cellOf, type Level, pool, poolingFactors } from "./levels.ts";
import { readObject, type SplitObjectBlock } from "./object.ts";
import { fixTeams, refine } from "./refine.ts";
import { depths, ridgeCosts } from "./ridge.ts";
import { inUnits } from "./unit.ts";

/** The surface is first sought at a level of at most this many cells. */
const COARSE_CELLS = 2 ** 19;
const DEFAULT_BAND = 0.6;

/**
 * Splits an object between two or more groups of seeds. The same seeds in any order give the same sides, and so does the
 * same object with its axes named otherwise, but for ties between equally good paths. Every side is one 26-component.
 *
 * Memory beside the request: at most 24 bytes per voxel of the box, or 32 MiB if that is more; work that would take more is
 * refused. Other events run between slices; no slice is longer than a pass or two over the voxels of the box.
 *
 * @throws VoxelSplitError with any code but `BAD_IDS` and `UNKNOWN_PLACE`; the signal's reason when aborted.
 *
 * @example
 * const { sides } = await splitVoxels({
 *   mask, size: [200, 180, 100], offset: [13, 707, 101], voxelSize: [8, 8, 40],
 *   seeds: [[[40, 760, 150]], [[180, 800, 160], [150, 790, 155]]],
 * });
 */
export async function splitVoxels(request: SplitRequest): Promise<VoxelSplit> {
  checkSplitRequest(request);
  return drive(splitWork(request), request);
}

function* splitWork(request: SplitRequest): Work<VoxelSplit> {
  const { size, weights } = request;
  const [, voxelSize] = inUnits(request.voxelSize);
  const budget = new Budget(size[0] * size[1] * size[2]);
  const object = yield* readObject(request, budget);
  const { box, mask, groups } = object;
  const evidence = weights && request.method !== "geodesic" ? { evidence: cutOut(weights, size, box) } : {};
  if (evidence.evidence) budget.take(mask.length);
  const finest: Level = { factor: [1, 1, 1], size: box.size, voxelSize, mask, ...evidence };

  const factors = poolingFactors(box.size, voxelSize, COARSE_CELLS);
  let coarse = levelOf(finest, factors.at(-1)!, budget);
  yield { phase: "read", done: 0.1 };
  const teams = yield* joinTeams(finest, coarse, groups, budget);
  // Every team needs a cell of its own to be told from the others.
  while (factors.length > 1 && !teams.every((_, group) => hasOwnCell(teams, group, box.size, coarse))) {
    dropLevel(coarse, finest, budget);
    factors.pop();
    coarse = levelOf(finest, factors.at(-1)!, budget);
  }
  const levels: Xyz[] = [coarse.factor];
  let sides: Uint8Array;
  if (request.method === "geodesic") {
    sides = yield* splitGeodesic(finest, coarse, teams, budget, [0.3, 0.9]);
  } else {
    sides = yield* splitCoarse(coarse, teams, box.size, request.band ?? DEFAULT_BAND, budget);
    for (let at = factors.length - 2; at >= 0; at--) {
      const span = [0.9 - (0.2 * (at + 1)) / factors.length, 0.9 - (0.2 * at) / factors.length] as const;
      yield { phase: "refine", done: span[0] };
      const fine = levelOf(finest, factors[at]!, budget);
      const finer: Uint8Array = yield* refine(coarse, sides, fine, teams, box.size, budget, span);
      budget.give(sides.length);
      dropLevel(coarse, finest, budget);
      sides = finer;
      coarse = fine;
      levels.push(fine.factor);
    }
  }
  yield { phase: "clean-up", done: 0.9 };
  yield* cleanUp(sides, box.size, voxelSize, teams, budget, 0.9);
  yield { phase: "clean-up", done: 0.97 };
  return result(request, object, sides, levels, budget);
}

/** A level of the object, held by the budget. */
function levelOf(finest: Level, factor: Xyz, budget: Budget): Level {
  if (factor.every((f) => f === 1)) return finest;
  const cells = finest.size.reduce((product, length, axis) => product * Math.ceil(length / factor[axis]!), 1);
  budget.take(cells * 6);
  const level = pool(finest, factor);
  budget.give(cells * 4);
  return level;
}

function dropLevel(level: Level, finest: Level, budget: Budget): void {
  if (level !== finest) budget.give(level.mask.length * 2);
}

/** Teams of one seed need no path, and no depths to find it. */
function* joinTeams(
  finest: Level,
  coarse: Level,
  groups: readonly (readonly number[])[],
  budget: Budget,
): Work<Uint32Array[]> {
  if (groups.every((seeds) => new Set(seeds).size === 1)) return groups.map((seeds) => Uint32Array.of(seeds[0]!));
  const depth = yield* depths(coarse, budget, "connect", [0.1, 0.15]);
  budget.take(coarse.mask.length * 4);
  const costs = ridgeCosts(depth, RIDGE_EXPONENT, MOST_COST);
  const arrival = yield* arrive(coarse, cellsOf(groups, finest.size, coarse), budget, "connect", [0.15, 0.2], costs);
  const terrain = { finest, coarse, depth, costs, arrival };
  const teams = yield* connectTeams(terrain, groups, budget, [0.2, 0.3]);
  budget.give(coarse.mask.length * (8 + ARRIVAL_BYTES));
  return teams;
}

/** The cells of a level that hold voxels of each group, each cell once. */
function cellsOf(groups: readonly ArrayLike<number>[], finest: Xyz, level: Level): Uint32Array[] {
  return groups.map((voxels) => Uint32Array.from(new Set(Array.from(voxels, (voxel) => cellOf(voxel, finest, level)))));
}

function hasOwnCell(teams: readonly Uint32Array[], group: number, finest: Xyz, level: Level): boolean {
  const taken = new Set<number>();
  teams.forEach((team, other) => {
    if (other !== group) for (const voxel of team) taken.add(cellOf(voxel, finest, level));
  });
  return teams[group]!.some((voxel) => !taken.has(cellOf(voxel, finest, level)));
}

/** The cut at the level where the surface is first sought. */
function* splitCoarse(
  level: Level,
  teams: readonly Uint32Array[],
  finest: Xyz,
  band: number,
  budget: Budget,
): Work<Uint8Array> {
  const seeds = cellsOf(teams, finest, level);
  const arrival: Arrival = yield* arrive(level, seeds, budget, "distances", [0.3, 0.42]);
  const depth = yield* depths(level, budget, "distances", [0.42, 0.45]);
  budget.take(level.mask.length);
  const free = freeBand(arrival, depth, level.mask, band);
  const sides = arrival.side;
  fixTeams(sides, free, level, teams, finest);
  // Distances and depths are no longer held: only the sides.
  budget.give(level.mask.length * (ARRIVAL_BYTES - 1 + 4));
  yield* cutBand(level, sides, free, teams.length, "isolated", budget, "cut", [0.45, 0.7]);
  budget.give(level.mask.length);
  return sides;
}

function result(
  request: SplitRequest,
  { box, pieces, leftovers, seeds }: SplitObjectBlock,
  sides: Uint8Array,
  levels: readonly Xyz[],
  budget: Budget,
): VoxelSplit {
  const rest = request.seeds.length + 1;
  if (pieces) for (let voxel = 0; voxel < pieces.length; voxel++) if (pieces[voxel] !== 0) sides[voxel] = rest;
  const voxels = new Array<number>(rest).fill(0);
  for (let voxel = 0; voxel < sides.length; voxel++) if (sides[voxel] !== 0) voxels[sides[voxel]! - 1]!++;
  const whole = request.size[0] * request.size[1] * request.size[2];
  budget.take(whole);
  const block = new Uint8Array(whole);
  putBack(block, request.size, box, sides);
  return { sides: block, rest, seeds, leftovers, voxels, levels, peakBytes: budget.peak };
}
