/**
 * Byte ranges against the size of a value.
 * @module
 */
import type { ByteRange } from "./contract.ts";

/** Throws `RangeError` unless the range consists of non-negative safe integers. */
export function checkByteRange(range: ByteRange): void {
  if ("suffixLength" in range) checkCount("suffixLength", range.suffixLength);
  else {
    checkCount("offset", range.offset);
    if (range.length !== undefined) checkCount("length", range.length);
  }
}

/** The half-open part `[start, end)` of a value of `size` bytes that a range covers: clamped, so possibly short or empty. */
export function resolveByteRange(range: ByteRange | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  checkByteRange(range);
  if ("suffixLength" in range) return { start: Math.max(0, size - range.suffixLength), end: size };
  const start = Math.min(range.offset, size);
  return { start, end: range.length === undefined ? size : Math.min(size, start + range.length) };
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`byte range ${name} must be an integer from 0 to 2^53-1, not ${value}`);
  }
}
