/**
 * gzip by fflate, where there is no zlib. fflate does not verify checksums and cannot bound its output, so the stream is
 * fed in small pieces and each member's length and CRC-32 are checked here.
 * @module
 */
import { Gunzip, gzipSync } from "fflate";
import { CodecError, tooLarge } from "./error.ts";

/** Deflate expands at most about 1032 times, so one piece gives at most 4 MiB beyond the limit. */
const PIECE = 4096;

/** Header, trailer, and no room for deflate at all. */
const SMALLEST_MEMBER = 18;

export function deflateGzip(bytes: Uint8Array, level: number): Uint8Array {
  return gzipSync(bytes, { level: level as 6, mtime: 0 });
}

export function inflateGzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  let memberBytes = 0;
  let crc = 0;
  const endMember = (end: number): void => {
    if (end < SMALLEST_MEMBER) {
      throw new CodecError("TRUNCATED", `gzip: a member has at least ${SMALLEST_MEMBER} bytes, got ${end}`, {
        length: end,
      });
    }
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end - 8, 8);
    if (trailer.getUint32(0, true) !== crc || trailer.getUint32(4, true) !== memberBytes % 2 ** 32) {
      throw new CodecError("CORRUPT", `gzip: checksum of the member that ends at offset ${end} differs`, {
        offset: end,
      });
    }
    memberBytes = 0;
    crc = 0;
  };
  const stream = new Gunzip((piece) => {
    total += piece.length;
    if (total > maxBytes) throw tooLarge("gzip stream", maxBytes);
    memberBytes += piece.length;
    crc = crc32(piece, crc);
    if (piece.length > 0) pieces.push(piece);
  });
  stream.onmember = endMember;
  try {
    for (let start = 0; start < bytes.length; start += PIECE) {
      stream.push(bytes.subarray(start, start + PIECE), start + PIECE >= bytes.length);
    }
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    const code = (cause as Error).message.includes("EOF") ? "TRUNCATED" : "CORRUPT";
    const message = code === "TRUNCATED" ? "stops early" : "is damaged";
    throw new CodecError(
      code,
      `gzip: the stream of ${bytes.length} bytes ${message}`,
      { length: bytes.length },
      { cause },
    );
  }
  endMember(bytes.length);
  const result = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

let table: Uint32Array | undefined;

/** gzip's own CRC-32 (not Castagnoli's). */
function crc32(bytes: Uint8Array, seed: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = ~seed;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
