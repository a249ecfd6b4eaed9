/**
 * Byte ranges as HTTP headers.
 * @module
 */
import { checkByteRange } from "../byte-range.ts";
import type { ByteRange } from "../contract.ts";

/** The `Range` header of a byte range. HTTP cannot ask for nothing, so an empty range asks for one byte, to be dropped. */
export function rangeHeader(range: ByteRange): string {
  checkByteRange(range);
  if ("suffixLength" in range) return `bytes=-${Math.max(1, range.suffixLength)}`;
  if (range.length === undefined) return `bytes=${range.offset}-`;
  return `bytes=${range.offset}-${Math.min(Number.MAX_SAFE_INTEGER, range.offset + Math.max(1, range.length) - 1)}`;
}

/** What a `Content-Range` header says: the part sent, if any, and the size of the whole, if known. */
export interface ContentRange {
  readonly start?: number;
  /** Exclusive. */
  readonly end?: number;
  readonly size?: number;
}

/** @returns `undefined` when the header is missing or contradicts itself. */
export function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^\s*bytes\s+(?:(\d{1,16})-(\d{1,16})|\*)\s*\/\s*(\d{1,16}|\*)\s*$/i.exec(header ?? "");
  if (match === null) return undefined;
  const size = match[3] === "*" ? undefined : Number(match[3]);
  if (size !== undefined && !Number.isSafeInteger(size)) return undefined;
  if (match[1] === undefined) return size === undefined ? undefined : { size };
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  if (!Number.isSafeInteger(end) || start >= end || (size !== undefined && end > size)) return undefined;
  return size === undefined ? { start, end } : { start, end, size };
}
