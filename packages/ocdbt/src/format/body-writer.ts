/**
 * Writing the body of a stored structure into a buffer that grows: canonical LEB128 numbers, fixed-width numbers, bytes.
 * @module
 */

export class BodyWriter {
  private buffer: Uint8Array;
  private position = 0;

  constructor(capacity = 1024) {
    this.buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.position;
  }

  /** The bytes written so far, sharing memory with the writer. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.position);
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  u32BigEndian(value: number): void {
    this.view(4).setUint32(0, value, false);
  }

  u32Fixed(value: number): void {
    this.view(4).setUint32(0, value, true);
  }

  i32(value: number): void {
    this.view(4).setInt32(0, value, true);
  }

  u64Fixed(value: bigint): void {
    this.view(8).setBigUint64(0, value, true);
  }

  /** A whole number below 2^53. */
  varint(value: number): void {
    this.reserve(8);
    const { buffer } = this;
    let rest = value;
    while (rest >= 128) {
      buffer[this.position++] = (rest % 128) | 0x80;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    buffer[this.position++] = rest;
  }

  /** A u64. */
  varint64(value: bigint): void {
    if (value <= 0x1f_ffff_ffff_ffffn) {
      this.varint(Number(value));
      return;
    }
    this.reserve(10);
    let rest = value;
    while (rest >= 128n) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  /** `column[start … end)`, u64 as doubles or bigints. */
  u64Column(column: Float64Array | BigUint64Array, start: number, end: number): void {
    if (column instanceof Float64Array) for (let i = start; i < end; i++) this.varint(column[i]!);
    else for (let i = start; i < end; i++) this.varint64(column[i]!);
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.buffer.set(source, this.position);
    this.position += source.length;
  }

  /** `source[start … end)`, without the cost of a view for short pieces. */
  slice(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    if (length > 64) {
      this.buffer.set(source.subarray(start, end), this.position);
    } else {
      const { buffer, position } = this;
      for (let i = 0; i < length; i++) buffer[position + i] = source[start + i]!;
    }
    this.position += length;
  }

  /** A byte string, see `byte-path.ts`, from character `start` on. */
  path(path: string, start = 0): void {
    this.reserve(path.length - start);
    for (let i = start; i < path.length; i++) this.buffer[this.position++] = path.charCodeAt(i);
  }

  /** Overwrites what `u64Fixed` wrote at `offset`. */
  patchU64(offset: number, value: bigint): void {
    new DataView(this.buffer.buffer).setBigUint64(offset, value, true);
  }

  private view(length: number): DataView {
    this.reserve(length);
    const view = new DataView(this.buffer.buffer, this.position, length);
    this.position += length;
    return view;
  }

  private reserve(length: number): void {
    const needed = this.position + length;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer);
    this.buffer = grown;
  }
}
