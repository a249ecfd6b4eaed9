/**
 * Counting contacts with a map. For tests.
 * @module
 */
import { checkLength, type Size } from "../volume.ts";

function sorted(areas: Map<bigint, number>): { pairs: Uint32Array; areas: Uint32Array } {
  const keys = BigUint64Array.from(areas.keys()).sort();
  const pairs = new Uint32Array(keys.length * 2);
  keys.forEach((key, i) => {
    pairs[2 * i] = Number(key >> 32n);
    pairs[2 * i + 1] = Number(key & 0xffffffffn);
  });
  return { pairs, areas: Uint32Array.from(keys, (key) => areas.get(key)!) };
}

function add(areas: Map<bigint, number>, first: number, second: number): void {
  const key = (BigInt(first) << 32n) | BigInt(second);
  areas.set(key, (areas.get(key) ?? 0) + 1);
}

/** See `countContacts` of `@pcg/kernels/contacts`. */
export function countContactsOracle(components: Uint32Array, size: Size): { pairs: Uint32Array; areas: Uint32Array } {
  checkLength("components", components.length, size);
  const [sx, sy, sz] = size;
  const areas = new Map<bigint, number>();
  const face = (a: number, b: number): void => {
    if (a !== 0 && b !== 0 && a !== b) add(areas, Math.min(a, b), Math.max(a, b));
  };
  for (let z = 0, i = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, i++) {
        if (x + 1 < sx) face(components[i]!, components[i + 1]!);
        if (y + 1 < sy) face(components[i]!, components[i + sx]!);
        if (z + 1 < sz) face(components[i]!, components[i + sx * sy]!);
      }
    }
  }
  return sorted(areas);
}

/** See `countFaceContacts` of `@pcg/kernels/contacts`. */
export function countFaceContactsOracle(
  lower: Uint32Array,
  upper: Uint32Array,
): { pairs: Uint32Array; areas: Uint32Array } {
  const areas = new Map<bigint, number>();
  lower.forEach((a, i) => {
    const b = upper[i]!;
    if (a !== 0 && b !== 0) add(areas, a, b);
  });
  return sorted(areas);
}
