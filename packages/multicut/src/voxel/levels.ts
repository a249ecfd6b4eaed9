/**
 * The object at coarser resolutions. Pooling keeps a cell as soon as any of its voxels is in the object, so thin necks stay
 * whole; how full a cell is becomes its evidence, so that a neck's cross-section keeps its area.
 * @module
 */
import type { Size, VoxelSize } from "@pcg/kernels";
import type { Xyz } from "./contract.ts";

/** The object at one resolution. */
export interface Level {
  /** Voxels of the finest level per cell, along each axis; powers of two. */
  readonly factor: Xyz;
  readonly size: Size;
  readonly voxelSize: VoxelSize;
  readonly mask: Uint8Array;
  /** Per cell how much of the area counts, of 255. */
  readonly evidence?: Uint8Array;
}

/**
 * Factors of the levels from finest (1, 1, 1) to the first with at most `cells` cells. Each halves the axes whose voxels are
 * short, so that cells become even.
 */
export function poolingFactors(size: Size, voxelSize: VoxelSize, cells: number): Xyz[] {
  const factors: Xyz[] = [[1, 1, 1]];
  for (;;) {
    const last = factors.at(-1)!;
    const pooled = size.map((length, axis) => Math.ceil(length / last[axis]!));
    if (pooled[0]! * pooled[1]! * pooled[2]! <= cells) return factors;
    const sides = voxelSize.map((side, axis) => (pooled[axis]! > 1 ? side * last[axis]! : Number.POSITIVE_INFINITY));
    const shortest = Math.min(...sides);
    factors.push(last.map((factor, axis) => (sides[axis]! < 1.5 * shortest ? factor * 2 : factor)) as unknown as Xyz);
  }
}

/** Cells of a level along each axis. */
export function pooledSize(size: Size, factor: Xyz): Size {
  return size.map((length, axis) => Math.ceil(length / factor[axis]!)) as unknown as Size;
}

/** Pools the finest level. Holds 4 bytes per cell while it counts. */
export function pool(finest: Level, factor: Xyz): Level {
  const [sx, sy, sz] = finest.size;
  const size = pooledSize(finest.size, factor);
  const [px, py] = size;
  const cells = size[0] * size[1] * size[2];
  const [bx, by, bz] = factor.map(Math.log2) as [number, number, number];
  // Sums of evidence where there is any, else of voxels.
  const sums = new Uint32Array(cells);
  const mask = new Uint8Array(cells);
  const { mask: voxels, evidence: weights } = finest;
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const row = sx * (y + sy * z);
      const to = px * ((y >> by) + py * (z >> bz));
      if (weights === undefined) {
        for (let x = 0; x < sx; x++) if (voxels[row + x] !== 0) sums[to + (x >> bx)]!++;
      } else {
        for (let x = 0; x < sx; x++) {
          if (voxels[row + x] === 0) continue;
          mask[to + (x >> bx)] = 1;
          sums[to + (x >> bx)]! += weights[row + x]!;
        }
      }
    }
  }
  const full = factor[0] * factor[1] * factor[2] * (weights === undefined ? 1 : 255);
  const evidence = new Uint8Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    if (weights === undefined && sums[cell] !== 0) mask[cell] = 1;
    evidence[cell] = Math.round((sums[cell]! / full) * 255);
  }
  const voxelSize = finest.voxelSize.map((side, axis) => side * factor[axis]!) as unknown as VoxelSize;
  return { factor, size, voxelSize, mask, evidence };
}

/** The cell of `level` that a voxel of the finest level lies in. */
export function cellOf(voxel: number, [sx, sy]: Size, level: Pick<Level, "factor" | "size">): number {
  const x = voxel % sx;
  const rows = (voxel - x) / sx;
  const y = rows % sy;
  const z = (rows - y) / sy;
  const [fx, fy, fz] = level.factor;
  return Math.floor(x / fx) + level.size[0] * (Math.floor(y / fy) + level.size[1] * Math.floor(z / fz));
}

/** Per voxel of `fine` the value of its cell in `coarse`, and 0 outside of the fine mask. */
export function spread(values: Uint8Array, coarse: Level, fine: Level): Uint8Array {
  const [sx, sy, sz] = fine.size;
  const [bx, by, bz] = coarse.factor.map((factor, axis) => Math.log2(factor / fine.factor[axis]!)) as [
    number,
    number,
    number,
  ];
  const out = new Uint8Array(fine.mask.length);
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const row = sx * (y + sy * z);
      const from = coarse.size[0] * ((y >> by) + coarse.size[1] * (z >> bz));
      for (let x = 0; x < sx; x++) if (fine.mask[row + x] !== 0) out[row + x] = values[from + (x >> bx)]!;
    }
  }
  return out;
}
