/**
 * Integer voxels of any type as unsigned labels.
 * @module
 */

import { boxSize } from "./box.ts";
import type { Box, LabelArray, VoxelArray } from "./contract.ts";
import { VolumeError } from "./errors.ts";

/**
 * Labels of a box: up to 32 bits as `Uint32Array`, 64 bits as `BigUint64Array`; unsigned arrays of these widths are
 * passed through, signed ones are viewed, not copied.
 * @param box where the voxels lie, for the message about a negative label
 */
export function toLabels(data: VoxelArray, box: Box, what: string): LabelArray {
  if (data instanceof Uint32Array || data instanceof BigUint64Array) return data;
  if (data instanceof Uint8Array || data instanceof Uint16Array) return new Uint32Array(data);
  if (data instanceof Float32Array || data instanceof Float64Array) {
    throw new VolumeError(
      "WRONG_DATA_TYPE",
      `${what} holds ${data instanceof Float32Array ? "float32" : "float64"} voxels, which are no labels; use \`read\``,
    );
  }
  const negative = firstNegative(data);
  if (negative >= 0) {
    const [x, y] = boxSize(box);
    const position = [
      box.begin[0] + (negative % x),
      box.begin[1] + (Math.floor(negative / x) % y),
      box.begin[2] + Math.floor(negative / (x * y)),
    ];
    throw new VolumeError(
      "NEGATIVE_LABEL",
      `${what} has the negative label ${data[negative]} at voxel ${position.join(", ")} (x, y, z); labels must be 0 or more`,
    );
  }
  if (data instanceof BigInt64Array) return new BigUint64Array(data.buffer, data.byteOffset, data.length);
  if (data instanceof Int32Array) return new Uint32Array(data.buffer, data.byteOffset, data.length);
  return new Uint32Array(data);
}

/** Index of the first voxel below zero, or -1. */
function firstNegative(data: Int8Array | Int16Array | Int32Array | BigInt64Array): number {
  if (data instanceof Int8Array) return firstNegative8(data);
  if (data instanceof Int16Array) return firstNegative16(data);
  if (data instanceof Int32Array) return firstNegative32(data);
  return firstNegative64(data);
}

function firstNegative8(data: Int8Array): number {
  for (let i = 0; i < data.length; i++) if (data[i]! < 0) return i;
  return -1;
}

function firstNegative16(data: Int16Array): number {
  for (let i = 0; i < data.length; i++) if (data[i]! < 0) return i;
  return -1;
}

function firstNegative32(data: Int32Array): number {
  for (let i = 0; i < data.length; i++) if (data[i]! < 0) return i;
  return -1;
}

/** Looks at the high words alone (arrays are little-endian, as on every machine that runs Node or a browser). */
function firstNegative64(data: BigInt64Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  for (let i = 1; i < words.length; i += 2) if (words[i]! < 0) return i >> 1;
  return -1;
}
