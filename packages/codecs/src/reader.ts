/**
 * Reading numbers out of untrusted bytes. Every read is checked against the end and, when it does not fit, says where it
 * was, how much it wanted and how much there was. Views, never copies.
 * @module
 */
import { CodecError } from "./error.ts";

/** Options of {@link ByteReader}. */
export interface ByteReaderOptions {
  /** What the bytes are, for messages: "minishard index of shard 3". Default "input". */
  readonly what?: string;
  /** Byte order of the unsuffixed reads. Default little-endian, as nearly all formats of the field are. */
  readonly bigEndian?: boolean;
}

/**
 * A cursor over bytes.
 *
 * @example
 * const reader = new ByteReader(file, { what: "shard index" });
 * const start = reader.u64(); // CodecError TRUNCATED when fewer than 8 bytes are left
 */
export class ByteReader {
  /** The bytes read from. */
  readonly data: Uint8Array;
  readonly what: string;
  private readonly view: DataView;
  private readonly littleEndian: boolean;
  private position = 0;

  constructor(data: Uint8Array, options: ByteReaderOptions = {}) {
    this.data = data;
    this.what = options.what ?? "input";
    this.littleEndian = options.bigEndian !== true;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  /** Offset of the next read from the start of the bytes. */
  get offset(): number {
    return this.position;
  }

  /** Bytes between the next read and the end. */
  get remaining(): number {
    return this.data.length - this.position;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), this.littleEndian);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), this.littleEndian);
  }

  i32(): number {
    return this.view.getInt32(this.advance(4), this.littleEndian);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), this.littleEndian);
  }

  /**
   * A u64 that is a length, an offset or a count, as a number: at most `max`, which defaults to 2^53−1. Identifiers are
   * read with {@link u64} instead.
   */
  u64Number(max: number = Number.MAX_SAFE_INTEGER): number {
    const offset = this.position;
    const value = this.u64();
    if (value > BigInt(max)) {
      throw new CodecError("CORRUPT", `${this.what}: the u64 at offset ${offset} is ${value}, more than ${max}`, {
        offset,
        value,
        max,
      });
    }
    return Number(value);
  }

  f32(): number {
    return this.view.getFloat32(this.advance(4), this.littleEndian);
  }

  f64(): number {
    return this.view.getFloat64(this.advance(8), this.littleEndian);
  }

  /** The next `length` bytes, as a view that shares memory with the input. */
  bytes(length: number): Uint8Array {
    const start = this.advance(length);
    return this.data.subarray(start, start + length);
  }

  /** Moves over `length` bytes. */
  skip(length: number): void {
    this.advance(length);
  }

  /** Moves to `offset`, which may be the end. */
  seek(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.data.length) {
      throw new CodecError("TRUNCATED", `${this.what}: offset ${offset} lies outside its ${this.data.length} bytes`, {
        offset,
        wanted: 0,
        available: this.data.length,
      });
    }
    this.position = offset;
  }

  /** Throws CORRUPT when bytes are left over. */
  expectEnd(): void {
    if (this.remaining === 0) return;
    throw new CodecError(
      "CORRUPT",
      `${this.what}: ${this.remaining} bytes are left over after offset ${this.position}, expected the end`,
      { offset: this.position, available: this.remaining },
    );
  }

  private advance(length: number): number {
    const start = this.position;
    const available = this.data.length - start;
    if (!Number.isSafeInteger(length) || length < 0 || length > available) {
      throw new CodecError(
        "TRUNCATED",
        `${this.what}: wanted ${length} bytes at offset ${start}, only ${available} are available`,
        { offset: start, wanted: length, available },
      );
    }
    this.position = start + length;
    return start;
  }
}
