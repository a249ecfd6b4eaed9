/**
 * Which ball owns which part of space: the one whose surface is nearest. Kept on a coarse grid; the painter asks the owners
 * around a voxel and decides between them exactly.
 * @module
 */
import type { Balls } from "./neurites.ts";

export interface Territory {
  /** Cells in x, y, z; a cell is `cellNm` large. */
  readonly cells: readonly [number, number, number];
  readonly cellNm: readonly [number, number, number];
  /** Owning ball per cell, x fastest. */
  readonly owner: Int32Array;
}

/** Balls claim cells up to this far beyond their surface; what stays unclaimed goes to the nearest claimed cell. */
const reachNm = 110;

export function claimTerritory(
  balls: Balls,
  extent: readonly [number, number, number],
  cellNm: readonly [number, number, number],
): Territory {
  const cells = extent.map((length, axis) => Math.ceil(length / cellNm[axis]!)) as [number, number, number];
  const [nx, ny, nz] = cells;
  const owner = new Int32Array(nx * ny * nz).fill(-1);
  const nearest = new Float32Array(nx * ny * nz).fill(Number.POSITIVE_INFINITY);
  const [cx, cy, cz] = cellNm;
  for (let ball = 0; ball < balls.radii.length; ball++) {
    const x = balls.centres[3 * ball]!;
    const y = balls.centres[3 * ball + 1]!;
    const z = balls.centres[3 * ball + 2]!;
    const radius = balls.radii[ball]!;
    const reach = radius + reachNm;
    const x0 = Math.max(0, Math.floor((x - reach) / cx));
    const x1 = Math.min(nx - 1, Math.floor((x + reach) / cx));
    const y0 = Math.max(0, Math.floor((y - reach) / cy));
    const y1 = Math.min(ny - 1, Math.floor((y + reach) / cy));
    const z0 = Math.max(0, Math.floor((z - reach) / cz));
    const z1 = Math.min(nz - 1, Math.floor((z + reach) / cz));
    for (let k = z0; k <= z1; k++) {
      const dz = (k + 0.5) * cz - z;
      for (let j = y0; j <= y1; j++) {
        const dy = (j + 0.5) * cy - y;
        const square = dz * dz + dy * dy;
        const row = (k * ny + j) * nx;
        for (let i = x0; i <= x1; i++) {
          const dx = (i + 0.5) * cx - x;
          const gap = Math.sqrt(square + dx * dx) - radius;
          if (gap < nearest[row + i]! && gap < reachNm) {
            nearest[row + i] = gap;
            owner[row + i] = ball;
          }
        }
      }
    }
  }
  fillUnclaimed(owner, nx, ny, nz);
  return { cells, cellNm, owner };
}

/** Breadth-first from the claimed cells, in index order, so that the result does not depend on anything else. */
function fillUnclaimed(owner: Int32Array, nx: number, ny: number, nz: number): void {
  const queue = new Int32Array(owner.length);
  let tail = 0;
  for (let cell = 0; cell < owner.length; cell++) if (owner[cell]! >= 0) queue[tail++] = cell;
  for (let head = 0; head < tail; head++) {
    const cell = queue[head]!;
    const i = cell % nx;
    const j = Math.floor(cell / nx) % ny;
    const k = Math.floor(cell / (nx * ny));
    const visit = (neighbour: number) => {
      if (owner[neighbour]! >= 0) return;
      owner[neighbour] = owner[cell]!;
      queue[tail++] = neighbour;
    };
    if (i > 0) visit(cell - 1);
    if (i < nx - 1) visit(cell + 1);
    if (j > 0) visit(cell - nx);
    if (j < ny - 1) visit(cell + nx);
    if (k > 0) visit(cell - nx * ny);
    if (k < nz - 1) visit(cell + nx * ny);
  }
}
