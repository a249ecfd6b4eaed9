/**
 * Boxes inside of blocks: finding, cutting out, putting back.
 * @module
 */
import type { Size } from "@pcg/kernels";
import type { Xyz } from "./contract.ts";

/** A box of voxels by its first corner and its size. */
export interface Corner {
  readonly corner: Xyz;
  readonly size: Size;
}

/** The smallest box around all voxels that are not 0; undefined if there are none. */
export function boundsOf(block: Uint8Array, [sx, sy, sz]: Size): Corner | undefined {
  const low = [sx, sy, sz];
  const high = [-1, -1, -1];
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const row = sx * (y + sy * z);
      let first = 0;
      while (first < sx && block[row + first] === 0) first++;
      if (first === sx) continue;
      let last = sx - 1;
      while (block[row + last] === 0) last--;
      if (first < low[0]!) low[0] = first;
      if (last > high[0]!) high[0] = last;
      if (y < low[1]!) low[1] = y;
      if (y > high[1]!) high[1] = y;
      if (z < low[2]!) low[2] = z;
      high[2] = z;
    }
  }
  if (high[0]! < 0) return undefined;
  return {
    corner: [low[0]!, low[1]!, low[2]!],
    size: [high[0]! - low[0]! + 1, high[1]! - low[1]! + 1, high[2]! - low[2]! + 1],
  };
}

/** A box grown by `by` voxels to all sides, as far as the block goes. */
export function grow({ corner, size }: Corner, by: number, block: Size): Corner {
  const low = corner.map((at) => Math.max(0, at - by)) as unknown as Xyz;
  const high = corner.map((at, axis) => Math.min(block[axis]!, at + size[axis]! + by));
  return { corner: low, size: high.map((at, axis) => at - low[axis]!) as unknown as Size };
}

/** The voxels of a box of a block. */
export function cutOut(
  block: Uint8Array,
  [sx, sy]: Size,
  { corner: [x, y, z], size: [wx, wy, wz] }: Corner,
): Uint8Array {
  const out = new Uint8Array(wx * wy * wz);
  for (let k = 0; k < wz; k++) {
    for (let j = 0; j < wy; j++) {
      const from = x + sx * (y + j + sy * (z + k));
      out.set(block.subarray(from, from + wx), wx * (j + wy * k));
    }
  }
  return out;
}

/** Writes the voxels of a box into a block: the reverse of {@link cutOut}. */
export function putBack(
  block: Uint8Array,
  [sx, sy]: Size,
  { corner: [x, y, z], size: [wx, wy, wz] }: Corner,
  voxels: Uint8Array,
): void {
  for (let k = 0; k < wz; k++) {
    for (let j = 0; j < wy; j++) {
      const from = wx * (j + wy * k);
      block.set(voxels.subarray(from, from + wx), x + sx * (y + j + sy * (z + k)));
    }
  }
}

/** The position of voxel number `voxel`. */
export function positionOf(voxel: number, [sx, sy]: Size): Xyz {
  const x = voxel % sx;
  const rows = (voxel - x) / sx;
  return [x, rows % sy, Math.floor(rows / sy)];
}

/** Physical distance; the same whichever way the axes are named. */
export function distanceBetween(a: Xyz, b: Xyz, voxelSize: Xyz): number {
  const squares = a.map((at, axis) => ((at - b[axis]!) * voxelSize[axis]!) ** 2).sort((p, q) => p - q);
  return Math.sqrt(squares[0]! + squares[1]! + squares[2]!);
}
