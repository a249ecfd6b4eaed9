/**
 * The `Range` header.
 * @module
 */

/** Bytes asked for, before the size is known. `last` is inclusive. */
export type RequestedRange =
  | { readonly first: number; readonly last: number | undefined }
  | { readonly suffix: number };

/** One range of bytes. `undefined`: none, or what may be passed over: other units, several ranges, malformed. */
export function parseRange(header: string | null): RequestedRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (match === null) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "") return last === "" ? undefined : { suffix: Number(last) };
  if (last === "") return { first: Number(first), last: undefined };
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) };
}

/** The half-open part of `size` bytes; `undefined`: not satisfiable. */
export function resolveRange(range: RequestedRange, size: number): { start: number; end: number } | undefined {
  const start = "suffix" in range ? Math.max(0, size - range.suffix) : range.first;
  const end = "suffix" in range ? size : Math.min(size, (range.last ?? size - 1) + 1);
  return start < end ? { start, end } : undefined;
}
