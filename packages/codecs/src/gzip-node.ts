/**
 * gzip by Node's zlib; chosen by the package's import condition "node".
 * @module
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { CodecError, tooLarge } from "./error.ts";

/** Largest piece zlib allocates at a time; a first guess at the size saves joining pieces. */
const MAX_PIECE = 4 << 20;

export function deflateGzip(bytes: Uint8Array, level: number): Uint8Array {
  return plain(gzipSync(bytes, { level }));
}

export function inflateGzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  // The last four bytes state the size modulo 2^32 of the last member: a hint, no more.
  const end = bytes.length;
  const hint =
    end < 18 ? 0 : bytes[end - 4]! | (bytes[end - 3]! << 8) | (bytes[end - 2]! << 16) | (bytes[end - 1]! << 24);
  const chunkSize = Math.max(1 << 16, Math.min(hint >>> 0, MAX_PIECE));
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // With `info`, zlib also tells how much of the input it used; the published types leave that out.
    result = gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes), chunkSize, info: true }) as never;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge("gzip stream", maxBytes);
    if (code === "Z_BUF_ERROR") {
      throw new CodecError("TRUNCATED", `gzip: the stream of ${end} bytes stops early`, { length: end }, { cause });
    }
    throw new CodecError("CORRUPT", `gzip: damaged stream of ${end} bytes`, { length: end }, { cause });
  }
  if (result.buffer.length > maxBytes) throw tooLarge("gzip stream", maxBytes, result.buffer.length);
  const used = result.engine.bytesWritten;
  if (used < end) {
    throw new CodecError("CORRUPT", `gzip: ${end - used} bytes at offset ${used} are no gzip member`, { offset: used });
  }
  return plain(result.buffer);
}

/** A Buffer as a plain Uint8Array, so that callers see one type on all platforms. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
