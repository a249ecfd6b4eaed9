/**
 * Carries a split from one level to a finer one.
 * @module
 */
import { DIRECTIONS, type Size } from "@pcg/kernels";
import { cutBand } from "./band-cut.ts";
import type { Budget } from "./budget.ts";
import type { Work } from "./drive.ts";
import { cellOf, type Level, spread } from "./levels.ts";

/**
 * The sides at the finer level: those of the coarse cells, and within two coarse cells of the surface a new smallest surface.
 * Voxels of `teams` (numbers at the finest level) stay with their side.
 */
export function* refine(
  coarse: Level,
  sides: Uint8Array,
  fine: Level,
  teams: readonly Uint32Array[],
  finest: Size,
  budget: Budget,
  span: readonly [number, number],
): Work<Uint8Array> {
  const near = nearSurface(sides, coarse.size);
  yield { phase: "refine", done: span[0] };
  budget.take(fine.mask.length * 2);
  const finer = spread(sides, coarse, fine);
  const free = spread(near, coarse, fine);
  fixTeams(finer, free, fine, teams, finest);
  yield { phase: "refine", done: span[0] };
  yield* cutBand(fine, finer, free, teams.length, "given", budget, "refine", span);
  budget.give(fine.mask.length);
  return finer;
}

/** Gives the cells of each team to its side and takes them out of the band; cells of two teams stay free. */
export function fixTeams(
  sides: Uint8Array,
  free: Uint8Array,
  level: Level,
  teams: readonly Uint32Array[],
  finest: Size,
): void {
  const owner = new Map<number, number>();
  for (const [group, voxels] of teams.entries()) {
    for (const voxel of voxels) {
      const cell = cellOf(voxel, finest, level);
      owner.set(cell, (owner.get(cell) ?? group + 1) === group + 1 ? group + 1 : 0);
    }
  }
  for (const [cell, side] of owner) {
    free[cell] = side === 0 ? 255 : 0;
    if (side !== 0) sides[cell] = side;
  }
}

/** Of equal surfaces the one in the cells that touch the coarse surface counts. */
const [AT_SURFACE, NEAR_SURFACE] = [250, 255];

/** Cells within two cells (26 neighbours) of another side: those that touch it, and those next to them. */
function nearSurface(sides: Uint8Array, [sx, sy, sz]: Size): Uint8Array {
  const near = new Uint8Array(sides.length);
  const touching: number[] = [];
  const offsets = Int32Array.from(DIRECTIONS, ([x, y, z]) => x + sx * (y + sy * z));
  const inBlock = (x: number, y: number, z: number, k: number): boolean => {
    const [dx, dy, dz] = DIRECTIONS[k]!;
    return x + dx >= 0 && x + dx < sx && y + dy >= 0 && y + dy < sy && z + dz < sz;
  };
  const touch = (cell: number): void => {
    if (near[cell] === 0) touching.push(cell);
    near[cell] = AT_SURFACE;
  };
  for (let z = 0, cell = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, cell++) {
        const side = sides[cell]!;
        if (side === 0) continue;
        // Later neighbours suffice: both ends of a pair touch.
        const border = x === 0 || x === sx - 1 || y === 0 || y === sy - 1 || z === sz - 1;
        for (let k = 0; k < 13; k++) {
          if (border && !inBlock(x, y, z, k)) continue;
          const other = cell + offsets[k]!;
          if (sides[other] === 0 || sides[other] === side) continue;
          touch(cell);
          touch(other);
        }
      }
    }
  }
  for (const cell of touching) {
    const x = cell % sx;
    const y = Math.floor(cell / sx) % sy;
    const z = Math.floor(cell / (sx * sy));
    for (let k = Math.max(0, z - 1); k <= Math.min(sz - 1, z + 1); k++) {
      for (let j = Math.max(0, y - 1); j <= Math.min(sy - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(sx - 1, x + 1); i++) {
          const other = i + sx * (j + sy * k);
          if (near[other] === 0) near[other] = NEAR_SURFACE;
        }
      }
    }
  }
  return near;
}
