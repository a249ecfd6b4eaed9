import { compareBytes } from "./bytewise.ts";
import type { Bytes, KeyRange } from "./contract.ts";

/** The same keys as disjoint ranges in key order; empty ranges are left out. */
export function mergeRanges(ranges: readonly KeyRange[]): KeyRange[] {
  const sorted = ranges
    .filter(({ start, end }) => end === undefined || compareBytes(start, end) < 0)
    .sort((a, b) => compareBytes(a.start, b.start));
  const merged: KeyRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || (last.end !== undefined && compareBytes(last.end, range.start) < 0)) {
      merged.push(range);
    } else if (last.end !== undefined && (range.end === undefined || compareBytes(last.end, range.end) < 0)) {
      merged[merged.length - 1] =
        range.end === undefined ? { start: last.start } : { start: last.start, end: range.end };
    }
  }
  return merged;
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Bytes): KeyRange {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return { start: prefix };
  const end = prefix.slice(0, length);
  end[length - 1]!++;
  return { start: prefix, end };
}
