/**
 * Reading the body of a stored structure: LEB128 numbers one at a time or a column at once. Bytes are untrusted: every
 * length is compared with what is left before memory is taken, and what does not fit is an `OcdbtError` `corrupt` that
 * names the structure, the field and the offset.
 * @module
 */
import { OcdbtError } from "../errors.ts";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

export class BodyReader {
  /** What the bytes are, for messages. */
  readonly what: string;
  readonly bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.what = what;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** The error for the structure at hand; `fields` end up in the error. */
  corrupt(message: string, fields: Readonly<Record<string, string | number | bigint>> = {}): OcdbtError {
    return new OcdbtError("corrupt", `${this.what}: ${message}`, {
      fields: { file: this.what, offset: this.offset, ...fields },
    });
  }

  u8(field: string): number {
    if (this.remaining < 1) throw this.truncated(field, 1);
    return this.bytes[this.offset++]!;
  }

  i32(field: string): number {
    return this.view(field, 4).getInt32(0, true);
  }

  u64Fixed(field: string): bigint {
    return this.view(field, 8).getBigUint64(0, true);
  }

  /** The next `length` bytes, sharing memory with the input. */
  take(length: number, field: string): Uint8Array {
    if (length > this.remaining) throw this.truncated(field, length);
    const start = this.offset;
    this.offset = start + length;
    return this.bytes.subarray(start, start + length);
  }

  u32(field: string): number {
    const value = this.varint(field);
    if (value > 0xffff_ffff) throw this.corrupt(`${field} is ${value}, more than 32 bits`);
    return Number(value);
  }

  /** A u64, exact. */
  u64(field: string): bigint {
    const value = this.varint(field);
    return typeof value === "bigint" ? value : BigInt(value);
  }

  /** A count of entries that take at least `leastBytes` each, so that it can be allocated for. */
  count(field: string, leastBytes: number): number {
    const value = this.varint(field);
    if (value > this.remaining / leastBytes) {
      throw this.corrupt(`${field} is ${value}, but only ${this.remaining} bytes follow`, { count: BigInt(value) });
    }
    return Number(value);
  }

  u16Column(length: number, field: string): Uint16Array {
    const column = new Uint16Array(length);
    const bytes = this.bytes;
    let offset = this.offset;
    for (let i = 0; i < length; i++) {
      const byte = bytes[offset];
      if (byte !== undefined && byte < 0x80) {
        column[i] = byte;
        offset++;
        continue;
      }
      this.offset = offset;
      const value = this.varint(field);
      if (value > 0xffff) throw this.corrupt(`${field} ${i} is ${value}, more than 16 bits`);
      column[i] = Number(value);
      offset = this.offset;
    }
    this.offset = offset;
    return column;
  }

  /** Lengths, offsets and indices; from 2^53 on they are refused, though the format goes to 2^63. */
  sizeColumn(length: number, field: string): Float64Array {
    const column = new Float64Array(length);
    const bytes = this.bytes;
    let offset = this.offset;
    for (let i = 0; i < length; i++) {
      const byte = bytes[offset];
      if (byte !== undefined && byte < 0x80) {
        column[i] = byte;
        offset++;
        continue;
      }
      this.offset = offset;
      const value = this.varint(field);
      if (typeof value === "bigint") throw this.unsafe(field, value);
      column[i] = value;
      offset = this.offset;
    }
    this.offset = offset;
    return column;
  }

  /** u64, exact: doubles unless one of them is beyond 2^53. */
  u64Column(length: number, field: string): Float64Array | BigUint64Array {
    const start = this.offset;
    const column = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const value = this.varint(field);
      if (typeof value === "bigint") {
        this.offset = start;
        return BigUint64Array.from(this.bigints(length, field));
      }
      column[i] = value;
    }
    return column;
  }

  bigints(length: number, field: string): bigint[] {
    const values: bigint[] = [];
    for (let i = 0; i < length; i++) values.push(this.u64(field));
    return values;
  }

  /** The error of a number that is legal in the format but beyond 2^53. */
  unsafe(field: string, value: bigint): OcdbtError {
    if (value >= 1n << 63n) return this.corrupt(`${field} is ${value}, not below 2^63`);
    return new OcdbtError("unsupported", `${this.what}: ${field} is ${value}; files end before 2^53 here`, {
      fields: { file: this.what, value },
    });
  }

  expectEnd(): void {
    if (this.remaining > 0) throw this.corrupt(`${this.remaining} bytes are left over, expected the end`);
  }

  /** A number where it is exact, else a bigint. Over-long encodings are accepted, as TensorStore does. */
  private varint(field: string): number | bigint {
    const { bytes } = this;
    const start = this.offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = bytes[start + i];
      if (byte === undefined) throw this.truncated(field, i + 1);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.offset = start + i + 1;
        return value;
      }
      scale *= 128;
    }
    // 49 bits are in `value`; up to three more bytes follow.
    let high = 0;
    for (let i = 7; i < 10; i++) {
      const byte = bytes[start + i];
      if (byte === undefined) throw this.truncated(field, i + 1);
      high += (byte & 0x7f) * 2 ** (7 * (i - 7));
      if (byte >= 0x80) continue;
      if (high >= 2 ** 15) break;
      this.offset = start + i + 1;
      if (high < 16) return value + high * 2 ** 49;
      return (BigInt(high) << 49n) | BigInt(value);
    }
    throw this.corrupt(`${field} does not fit 64 bits`);
  }

  private view(field: string, length: number): DataView {
    const { buffer, byteOffset } = this.take(length, field);
    return new DataView(buffer, byteOffset, length);
  }

  private truncated(field: string, wanted: number): OcdbtError {
    return this.corrupt(
      `ends within ${field}: ${wanted} bytes wanted at offset ${this.offset}, ${this.remaining} left`,
    );
  }
}

/** `value` as a number, for references. */
export function sizeOf(reader: BodyReader, field: string, value: bigint): number {
  if (value > MAX_SAFE) throw reader.unsafe(field, value);
  return Number(value);
}
