/**
 * Copies a box of voxels between two strided arrays. Only the width of a voxel matters, so there is one loop per width
 * (a loop that sees several array types runs many times slower).
 * @module
 */
import { countOf, type Xyzc } from "../box.ts";
import type { VoxelArray } from "../contract.ts";
import type { Layout } from "./layout.ts";

/** Copies a box of voxels from one strided array to another, as they are or changed to the other's type. */
export type CopyVoxels = (target: VoxelArray, to: Layout, source: VoxelArray, from: Layout, extent: Xyzc) => void;

/** Rows of fewer bytes are copied by a loop: making the view that `set` needs costs more than it saves (measured). */
const shortRowBytes: Readonly<Record<1 | 2 | 4 | 8, number>> = { 1: 32, 2: 128, 4: 512, 8: 2048 };

/** Copies `extent` voxels; both arrays have the same data type, and both layouts stay inside their arrays. */
export function copyBox(target: VoxelArray, to: Layout, source: VoxelArray, from: Layout, extent: Xyzc): void {
  if (countOf(extent) === 0) return;
  const { to: ts, from: fs, extent: size } = mergeAxes(extent, to, from);
  const width = target.BYTES_PER_ELEMENT;
  if (width === 1) copy8(as8(target), to.start, ts, as8(source), from.start, fs, size);
  else if (width === 2) copy16(as16(target), to.start, ts, as16(source), from.start, fs, size);
  else if (width === 4) copy32(as32(target), to.start, ts, as32(source), from.start, fs, size);
  else if (ts[0] === 1 && fs[0] === 1 && 8 * size[0] >= shortRowBytes[8]) {
    // Rows of 64-bit elements move twice as fast as pairs of 32-bit ones: V8 copies the latter without conversion.
    copy32(pairs(target), 2 * to.start, doubled(ts), pairs(source), 2 * from.start, doubled(fs), [
      2 * size[0],
      size[1],
      size[2],
      size[3],
    ]);
  } else copy64(as64(target), to.start, ts, as64(source), from.start, fs, size);
}

function pairs(data: VoxelArray): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
}

/** Strides of rows without gaps, counted in halves of an element. */
function doubled([, b, c, d]: Xyzc): Xyzc {
  return [1, 2 * b, 2 * c, 2 * d];
}

/** Joins an axis to the one before it wherever both arrays run on without a gap, so that rows become long. */
function mergeAxes(extent: Xyzc, to: Layout, from: Layout): { extent: Xyzc; to: Xyzc; from: Xyzc } {
  const sizes: number[] = [1];
  const toStrides: number[] = [to.strides[0]];
  const fromStrides: number[] = [from.strides[0]];
  for (let axis = 0; axis < 4; axis++) {
    const size = extent[axis]!;
    if (size === 1) continue;
    const last = sizes.length - 1;
    const length = sizes[last]!;
    if (length === 1) {
      sizes[last] = size;
      toStrides[last] = to.strides[axis]!;
      fromStrides[last] = from.strides[axis]!;
    } else if (to.strides[axis] === toStrides[last]! * length && from.strides[axis] === fromStrides[last]! * length) {
      sizes[last] = length * size;
    } else {
      sizes.push(size);
      toStrides.push(to.strides[axis]!);
      fromStrides.push(from.strides[axis]!);
    }
  }
  while (sizes.length < 4) {
    sizes.push(1);
    toStrides.push(0);
    fromStrides.push(0);
  }
  return { extent: four(sizes), to: four(toStrides), from: four(fromStrides) };
}

function four(values: readonly number[]): Xyzc {
  return [values[0]!, values[1]!, values[2]!, values[3]!];
}

function as8(data: VoxelArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

function as16(data: VoxelArray): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

function as32(data: VoxelArray): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

function as64(data: VoxelArray): BigUint64Array {
  return new BigUint64Array(data.buffer, data.byteOffset, data.length);
}

function copy8(to: Uint8Array, t0: number, ts: Xyzc, from: Uint8Array, f0: number, fs: Xyzc, extent: Xyzc): void {
  const [n0, n1, n2, n3] = extent;
  const [ta, tb, tc, td] = ts;
  const [fa, fb, fc, fd] = fs;
  const rows = ta === 1 && fa === 1 && n0 >= shortRowBytes[1];
  for (let l = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let t = t0 + l * td + k * tc + j * tb;
        let f = f0 + l * fd + k * fc + j * fb;
        if (rows) {
          to.set(from.subarray(f, f + n0), t);
        } else {
          for (let i = 0; i < n0; i++, t += ta, f += fa) to[t] = from[f]!;
        }
      }
    }
  }
}

function copy16(to: Uint16Array, t0: number, ts: Xyzc, from: Uint16Array, f0: number, fs: Xyzc, extent: Xyzc): void {
  const [n0, n1, n2, n3] = extent;
  const [ta, tb, tc, td] = ts;
  const [fa, fb, fc, fd] = fs;
  const rows = ta === 1 && fa === 1 && n0 * 2 >= shortRowBytes[2];
  for (let l = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let t = t0 + l * td + k * tc + j * tb;
        let f = f0 + l * fd + k * fc + j * fb;
        if (rows) {
          to.set(from.subarray(f, f + n0), t);
        } else {
          for (let i = 0; i < n0; i++, t += ta, f += fa) to[t] = from[f]!;
        }
      }
    }
  }
}

function copy32(to: Uint32Array, t0: number, ts: Xyzc, from: Uint32Array, f0: number, fs: Xyzc, extent: Xyzc): void {
  const [n0, n1, n2, n3] = extent;
  const [ta, tb, tc, td] = ts;
  const [fa, fb, fc, fd] = fs;
  const rows = ta === 1 && fa === 1 && n0 * 4 >= shortRowBytes[4];
  for (let l = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let t = t0 + l * td + k * tc + j * tb;
        let f = f0 + l * fd + k * fc + j * fb;
        if (rows) {
          to.set(from.subarray(f, f + n0), t);
        } else {
          for (let i = 0; i < n0; i++, t += ta, f += fa) to[t] = from[f]!;
        }
      }
    }
  }
}

function copy64(
  to: BigUint64Array,
  t0: number,
  ts: Xyzc,
  from: BigUint64Array,
  f0: number,
  fs: Xyzc,
  extent: Xyzc,
): void {
  const [n0, n1, n2, n3] = extent;
  const [ta, tb, tc, td] = ts;
  const [fa, fb, fc, fd] = fs;
  for (let l = 0; l < n3; l++) {
    for (let k = 0; k < n2; k++) {
      for (let j = 0; j < n1; j++) {
        let t = t0 + l * td + k * tc + j * tb;
        let f = f0 + l * fd + k * fc + j * fb;
        for (let i = 0; i < n0; i++, t += ta, f += fa) to[t] = from[f]!;
      }
    }
  }
}
