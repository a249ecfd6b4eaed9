/**
 * gzip, with an output limit that holds before memory is taken, and with every member's checksum verified. Node runs its
 * own zlib; everywhere else fflate does the work. Both read concatenated members and refuse bytes that are no member.
 * @module
 */
import { deflateGzip, inflateGzip } from "#gzip-engine";
import { CodecError, checkMaxBytes } from "./error.ts";

/** Options of {@link gzip}. */
export interface GzipOptions {
  /** 0 (store) to 9 (smallest). Default 6, zlib's own balance. */
  readonly level?: number;
}

/** Options of {@link gunzip}. */
export interface GunzipOptions {
  /** Most bytes the result may have. */
  readonly maxBytes: number;
}

/** Compresses to one gzip member without a time stamp, so that equal input gives equal output on one platform. */
export function gzip(bytes: Uint8Array, options: GzipOptions = {}): Uint8Array {
  const level = options.level ?? 6;
  if (!Number.isInteger(level) || level < 0 || level > 9) {
    throw new RangeError(`gzip level must be a whole number from 0 to 9, got ${level}`);
  }
  return deflateGzip(bytes, level);
}

/**
 * Decompresses one or more gzip members to their joined content. CodecError: TOO_LARGE beyond `maxBytes` (at most a few MiB
 * past it are ever held), TRUNCATED when the stream stops early, CORRUPT when it is damaged or followed by other bytes.
 */
export function gunzip(bytes: Uint8Array, options: GunzipOptions): Uint8Array {
  checkMaxBytes(options.maxBytes);
  if (!isGzip(bytes)) {
    throw new CodecError("CORRUPT", `gzip: ${bytes.length} bytes that do not begin with a gzip header`, {
      length: bytes.length,
    });
  }
  return inflateGzip(bytes, options.maxBytes);
}

/** Whether the bytes begin with gzip's magic number and its only method, deflate. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}
