/**
 * How far each coarse cell is from a team that grows.
 * @module
 */
import { GrowingDistances, geodesicBytes } from "@pcg/kernels";
import type { Arrival } from "./arrival.ts";
import type { Budget } from "./budget.ts";
import { during, type Work } from "./drive.ts";
import { cellOf, type Level } from "./levels.ts";

/** Passing a voxel at the seed of another group costs this power of e more. */
const STRANGENESS = 6;

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
 * Distances of coarse cells from one team. A path that joins the team brings only some cells nearer, and only these are visited
 * again: hundreds of seeds cost a few searches of the block and not one each.
 */
export class TeamReach {
  private readonly terrain: Terrain;
  private readonly group: number;
  private readonly seeds: readonly number[];
  private readonly owner: ReadonlyMap<number, number>;
  private readonly budget: Budget;
  private field: GrowingDistances | undefined;

  /** `owner` names the group of each voxel that a team has, and says so as long as this is used. */
  constructor(
    terrain: Terrain,
    group: number,
    seeds: readonly number[],
    owner: ReadonlyMap<number, number>,
    budget: Budget,
  ) {
    this.terrain = terrain;
    this.group = group;
    this.seeds = seeds;
    this.owner = owner;
    this.budget = budget;
  }

  /** Takes in that `joined` were added to the team, whose voxels are `tree` now. */
  *grow(tree: Iterable<number>, joined: Iterable<number>, span: readonly [number, number]): Work<void> {
    const { finest, coarse } = this.terrain;
    const fresh = this.field === undefined ? tree : joined;
    this.field ??= this.open();
    const cells = new Set<number>();
    for (const voxel of fresh) cells.add(cellOf(voxel, finest.size, coarse));
    yield* during("connect", span, this.field.add(Uint32Array.from(cells)));
  }

  /** How far the team is from a coarse cell, at costs. */
  at(cell: number): number {
    return this.field!.at(cell);
  }

  /** The coarse cells from `cell` to the team. */
  path(cell: number): Uint32Array {
    return this.field!.path(cell);
  }

  /** Gives the memory back; the next {@link grow} begins anew. */
  rest(): void {
    if (this.field === undefined) return;
    this.field.release();
    this.field = undefined;
    this.budget.give(geodesicBytes(this.terrain.coarse.size, true));
  }

  /** Cells of other teams are barred, but for those that hold voxels of this one too. */
  private open(): GrowingDistances {
    const { finest, coarse, costs, arrival } = this.terrain;
    const passing = coarse.mask.length * 5;
    this.budget.take(passing + geodesicBytes(coarse.size, true));
    const open = coarse.mask.slice();
    for (const [voxel, other] of this.owner) {
      if (other !== this.group) open[cellOf(voxel, finest.size, coarse)] = 0;
    }
    for (const voxel of this.seeds) open[cellOf(voxel, finest.size, coarse)] = 1;
    const field = new GrowingDistances(open, coarse.size, {
      voxelSize: coarse.voxelSize,
      costs: costsAmongOthers(costs, arrival, this.group),
    });
    this.budget.give(passing);
    return field;
  }
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
