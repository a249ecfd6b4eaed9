/**
 * Carries a split from one level to a finer one.
 * @module
 */
import type { Size } from "@pcg/kernels";
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
  budget.take(fine.mask.length * 2);
  const finer = spread(sides, coarse, fine);
  const free = spread(near, coarse, fine);
  fixTeams(finer, free, fine, teams, finest);
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
    free[cell] = side === 0 ? 1 : 0;
    if (side !== 0) sides[cell] = side;
  }
}

/** 1 for cells within two cells (26 neighbours) of another side: those that touch it, and those next to them. */
function nearSurface(sides: Uint8Array, size: Size): Uint8Array {
  const [sx, sy, sz] = size;
  const touching = new Uint8Array(sides.length);
  const near = new Uint8Array(sides.length);
  for (const pass of [0, 1]) {
    for (let z = 0, cell = 0; z < sz; z++) {
      for (let y = 0; y < sy; y++) {
        for (let x = 0; x < sx; x++, cell++) {
          const side = sides[cell]!;
          if (side === 0) continue;
          for (let k = Math.max(0, z - 1); k <= Math.min(sz - 1, z + 1); k++) {
            for (let j = Math.max(0, y - 1); j <= Math.min(sy - 1, y + 1); j++) {
              for (let i = Math.max(0, x - 1); i <= Math.min(sx - 1, x + 1); i++) {
                const other = i + sx * (j + sy * k);
                if (pass === 1) near[cell]! |= touching[other]!;
                else if (sides[other] !== 0 && sides[other] !== side) touching[cell] = 1;
              }
            }
          }
        }
      }
    }
  }
  return near;
}
