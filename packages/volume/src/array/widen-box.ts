/**
 * Copies boxes of narrow unsigned voxels into 32-bit ones, one loop per width.
 * @module
 */
import type { Xyzc } from "../box.ts";
import type { CopyVoxels } from "./copy-box.ts";

/** The source is of 8 bits, read as unsigned; the target a `Uint32Array`. */
export const widen8: CopyVoxels = (target, to, source, from, extent) => {
  const voxels = new Uint8Array(source.buffer, source.byteOffset, source.length);
  widenFrom8(target as Uint32Array, to.start, to.strides, voxels, from.start, from.strides, extent);
};

/** The source is of 16 bits, read as unsigned; the target a `Uint32Array`. */
export const widen16: CopyVoxels = (target, to, source, from, extent) => {
  const voxels = new Uint16Array(source.buffer, source.byteOffset, source.length);
  widenFrom16(target as Uint32Array, to.start, to.strides, voxels, from.start, from.strides, extent);
};

function widenFrom8(to: Uint32Array, t0: number, ts: Xyzc, from: Uint8Array, f0: number, fs: Xyzc, extent: Xyzc): void {
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

function widenFrom16(
  to: Uint32Array,
  t0: number,
  ts: Xyzc,
  from: Uint16Array,
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
