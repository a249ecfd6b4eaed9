/**
 * Bytes and varints of edge blocks. Those of `@pcg/codecs` make a bigint of every number; these run for every edge of a
 * graph and make none.
 * @module
 */
import { corrupt } from "./values.ts";

/** Writes bytes into a buffer that doubles when full. Numbers of 64 bits are given as their two 32-bit halves. */
export class ByteWriter {
  private bytes: Uint8Array = new Uint8Array(1024);
  private view: DataView = new DataView(this.bytes.buffer);
  private length = 0;

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  float32(value: number): void {
    this.reserve(4);
    this.view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  uint64(low: number, high: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, low, true);
    this.view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  varint(low: number, high: number): void {
    this.reserve(10);
    while (high !== 0 || low > 0x7f) {
      this.bytes[this.length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.bytes[this.length++] = low;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(this.bytes.length * 2);
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what {@link ByteWriter} wrote; every read past the end is a GraphError. */
export class ByteReader {
  /** The halves of the number read last by `uint64` or `varint`. */
  low = 0;
  high = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  uint8(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  float32(): number {
    this.need(4);
    this.at += 4;
    return this.view.getFloat32(this.at - 4, true);
  }

  uint64(): void {
    this.need(8);
    this.low = this.view.getUint32(this.at, true);
    this.high = this.view.getUint32(this.at + 4, true);
    this.at += 8;
  }

  /** Reads a number of up to 64 bits into `low` and `high`. */
  varint(): void {
    this.low = 0;
    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.uint8();
      const bits = byte & 0x7f;
      if (shift < 28) this.low |= bits << shift;
      else if (shift === 28) {
        this.low |= bits << 28;
        this.high |= bits >>> 4;
      } else if (shift < 63) this.high |= bits << (shift - 32);
      else if (bits > 1) throw corrupt("a number has more than 64 bits");
      else this.high |= bits << 31;
      if (byte < 0x80) {
        this.low >>>= 0;
        this.high >>>= 0;
        return;
      }
    }
    throw corrupt("a number has more than 10 bytes");
  }

  /** Reads a number that must be at most `limit` (below 2^53). */
  number(limit: number, what: string): number {
    this.varint();
    const value = this.high * 2 ** 32 + this.low;
    if (value > limit) throw corrupt(`${what} is ${value}, more than ${limit}`);
    return value;
  }

  private need(count: number): void {
    if (this.remaining < count) throw corrupt(`${this.bytes.length} bytes end in the middle of a value`);
  }
}
