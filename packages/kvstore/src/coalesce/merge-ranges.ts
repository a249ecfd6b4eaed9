/**
 * Which ranges are read together.
 * @module
 */

/** Half-open range of bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Some spans, and the one that covers them. */
export interface MergedSpan<T extends Span> extends Span {
  readonly parts: readonly T[];
}

/**
 * Merges spans with at most `maxGapBytes` between them, as long as the result stays within `maxBytes`; a span larger than that
 * stays alone. O(n log n).
 */
export function mergeSpans<T extends Span>(
  spans: readonly T[],
  maxGapBytes: number,
  maxBytes: number,
): MergedSpan<T>[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
  const merged: { start: number; end: number; parts: T[] }[] = [];
  let last: (typeof merged)[number] | undefined;
  for (const span of sorted) {
    const end = Math.max(last?.end ?? 0, span.end);
    if (last === undefined || span.start - last.end > maxGapBytes || end - last.start > maxBytes) {
      last = { start: span.start, end: span.end, parts: [span] };
      merged.push(last);
    } else {
      last.end = end;
      last.parts.push(span);
    }
  }
  return merged;
}
