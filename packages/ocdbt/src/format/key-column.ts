/**
 * Searching and building columns of sorted keys.
 * @module
 */
import type { KeyColumn } from "./types.ts";

/** Key `index`, sharing memory with the column. */
export function keyAt(keys: KeyColumn, index: number): Uint8Array {
  return keys.bytes.subarray(keys.offsets[index]!, keys.offsets[index + 1]!);
}

/** Bytewise order: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Compares key `index` of the column with `key` from its byte `skip` on. */
export function compareKeyAt(keys: KeyColumn, index: number, key: Uint8Array, skip = 0): number {
  const { bytes } = keys;
  const start = keys.offsets[index]!;
  const length = keys.offsets[index + 1]! - start;
  const keyLength = key.length - skip;
  const end = Math.min(length, keyLength);
  for (let i = 0; i < end; i++) {
    const difference = bytes[start + i]! - key[skip + i]!;
    if (difference !== 0) return difference;
  }
  return length - keyLength;
}

/** Index of the first key ≥ `key` (from its byte `skip` on), `keys.length` when there is none. */
export function lowerBound(keys: KeyColumn, key: Uint8Array, skip = 0): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeyAt(keys, middle, key, skip) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the last key ≤ `key` (from its byte `skip` on), −1 when there is none: the child that owns the key. */
export function lastAtMost(keys: KeyColumn, key: Uint8Array, skip = 0): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeyAt(keys, middle, key, skip) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Bytes that keys `a` and `b` of the column begin with alike. */
export function commonPrefix(keys: KeyColumn, a: number, b: number): number {
  const { bytes, offsets } = keys;
  const startA = offsets[a]!;
  const startB = offsets[b]!;
  const end = Math.min(offsets[a + 1]! - startA, offsets[b + 1]! - startB);
  let i = 0;
  while (i < end && bytes[startA + i] === bytes[startB + i]) i++;
  return i;
}
