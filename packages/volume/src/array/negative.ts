/**
 * Looks for values below zero in a box of voxels, one loop per width.
 * @module
 */
import type { Xyzc } from "../box.ts";
import type { VoxelArray } from "../contract.ts";
import type { Layout } from "./layout.ts";

/** The first voxel below zero, counted in the box with x fastest, or -1; unsigned arrays and floats have none. */
export function firstNegative(data: VoxelArray, { start, strides }: Layout, extent: Xyzc): number {
  if (data instanceof Int8Array) return negative8(data, start, strides, extent);
  if (data instanceof Int16Array) return negative16(data, start, strides, extent);
  if (data instanceof Int32Array) return negative32(data, start, strides, extent);
  if (!(data instanceof BigInt64Array)) return -1;
  // The high words alone tell (arrays are little-endian, as on every machine that runs Node or a browser).
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  const [a, b, c, d] = strides;
  return negative32(words, 2 * start + 1, [2 * a, 2 * b, 2 * c, 2 * d], extent);
}

function negative8(data: Int8Array, f0: number, fs: Xyzc, extent: Xyzc): number {
  const [n0, n1, n2, n3] = extent;
  const [fa, fb, fc, fd] = fs;
  for (let l = 0, at = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let f = f0 + l * fd + k * fc + j * fb;
        for (let i = 0; i < n0; i++, f += fa, at++) if (data[f]! < 0) return at;
      }
    }
  }
  return -1;
}

function negative16(data: Int16Array, f0: number, fs: Xyzc, extent: Xyzc): number {
  const [n0, n1, n2, n3] = extent;
  const [fa, fb, fc, fd] = fs;
  for (let l = 0, at = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let f = f0 + l * fd + k * fc + j * fb;
        for (let i = 0; i < n0; i++, f += fa, at++) if (data[f]! < 0) return at;
      }
    }
  }
  return -1;
}

function negative32(data: Int32Array, f0: number, fs: Xyzc, extent: Xyzc): number {
  const [n0, n1, n2, n3] = extent;
  const [fa, fb, fc, fd] = fs;
  for (let l = 0, at = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let f = f0 + l * fd + k * fc + j * fb;
        for (let i = 0; i < n0; i++, f += fa, at++) if (data[f]! < 0) return at;
      }
    }
  }
  return -1;
}
