/**
 * The shape all kernels share: a dense block of voxels, x fastest.
 * @module
 */

/** Voxels along x, y and z. */
export type Size = readonly [x: number, y: number, z: number];

/** Labels of a block: voxel (x, y, z) is element x + sx·(y + sy·z). */
export type LabelArray = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

/** Connected are voxels that share a face (6), or a face, an edge or a corner (26). */
export type Connectivity = 6 | 26;

/** Voxels of a block; RangeError unless all three are whole numbers ≥ 0 and the count stays below 2^32. */
export function voxelCount(size: Size): number {
  const [sx, sy, sz] = size;
  for (const length of [sx, sy, sz]) {
    if (!Number.isInteger(length) || length < 0) {
      throw new RangeError(`size must be three whole numbers ≥ 0, got ${size.join("×")}`);
    }
  }
  const count = sx * sy * sz;
  if (count >= 2 ** 32) {
    throw new RangeError(`a block holds fewer than 2^32 voxels, got ${size.join("×")} = ${count}; split it`);
  }
  return count;
}

/** Checks that `length` elements are exactly the block's voxels (times `channels`). */
export function checkLength(what: string, length: number, size: Size, channels = 1): void {
  const wanted = voxelCount(size) * channels;
  if (length === wanted) return;
  const shape = channels === 1 ? size.join("×") : `${size.join("×")}×${channels}`;
  throw new RangeError(`${what} has ${length} elements, a block of ${shape} voxels has ${wanted}`);
}
