/**
 * LEB128 variable-length unsigned integers: seven bits per byte, lowest first, the high bit set on all bytes but the last.
 * Readers take at most the bytes the type needs, so a run of 0x80 bytes cannot keep them busy.
 * @module
 */
import { CodecError } from "./error.ts";
import type { ByteReader } from "./reader.ts";

/** Longest encoding of a u64. */
export const MAX_VARINT_BYTES = 10;

/** Reads a u64, exact to 64 bits. TRUNCATED at the end of the input, CORRUPT when it does not fit 64 bits. */
export function readVarintU64(reader: ByteReader): bigint {
  const start = reader.offset;
  // Two 28/35-bit halves in numbers: bigint arithmetic only once at the end.
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = reader.u8();
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt(low);
  }
  let high = 0;
  let scale = 1;
  for (let i = 0; i < 6; i++) {
    const byte = reader.u8();
    high += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    if (high >= 2 ** 36) break;
    return (BigInt(high) << 28n) | BigInt(low);
  }
  throw overflow(reader, start, 64);
}

/** Reads a u32. TRUNCATED at the end of the input, CORRUPT when it does not fit 32 bits. */
export function readVarintU32(reader: ByteReader): number {
  const start = reader.offset;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 5; i++) {
    const byte = reader.u8();
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    if (value >= 2 ** 32) break;
    return value;
  }
  throw overflow(reader, start, 32);
}

/** Bytes that `value` takes. */
export function varintLength(value: bigint | number): number {
  let length = 1;
  if (typeof value === "number") {
    for (let rest = checkedNumber(value); rest >= 128; rest = Math.floor(rest / 128)) length++;
  } else {
    for (let rest = checkedBigint(value); rest >= 128n; rest >>= 7n) length++;
  }
  return length;
}

/**
 * Writes `value` (a bigint below 2^64, or a whole number up to 2^53−1) at `offset` and returns the offset after it. Throws
 * RangeError, with nothing written, when it does not fit the target.
 */
export function writeVarint(target: Uint8Array, offset: number, value: bigint | number): number {
  const length = varintLength(value);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > target.length) {
    throw new RangeError(
      `varint of ${length} bytes at offset ${offset} does not fit the target's ${target.length} bytes`,
    );
  }
  const last = offset + length - 1;
  if (typeof value === "number") {
    let rest = value;
    for (let i = offset; i < last; i++) {
      target[i] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    target[last] = rest;
  } else {
    let rest = value;
    for (let i = offset; i < last; i++) {
      target[i] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    target[last] = Number(rest);
  }
  return last + 1;
}

/** The encoding of `value` alone. */
export function encodeVarint(value: bigint | number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

function checkedNumber(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`varint value must be a whole number in [0, 2^53), got ${value}; pass a bigint for more`);
}

function checkedBigint(value: bigint): bigint {
  if (value >= 0n && value < 1n << 64n) return value;
  throw new RangeError(`varint value must be in [0, 2^64), got ${value}`);
}

function overflow(reader: ByteReader, offset: number, bits: number): CodecError {
  return new CodecError("CORRUPT", `${reader.what}: the varint at offset ${offset} does not fit ${bits} bits`, {
    offset,
    bits,
  });
}
