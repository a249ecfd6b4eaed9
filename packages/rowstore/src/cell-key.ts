/**
 * The order-preserving key of a cell: esc(row) ‖ 00 01 ‖ family ‖ 00 ‖ esc(qualifier) ‖ 00 01 ‖ (2^63 - 1 - timestamp)
 * as 8 bytes big-endian, where esc writes each 00 as 00 FF. Bytewise order of keys is the order of (row, family,
 * qualifier, newest first), because a terminator sorts before everything that could follow in a longer name.
 * @module
 */
import type { Bytes, Column } from "./contract.ts";
import { RowStoreError } from "./errors.ts";
import { MAX_TIMESTAMP, showBytes } from "./limits.ts";

const TERMINATOR = 0x01;
const ESCAPED_ZERO = 0xff;
/** The timestamp at the end of every key. */
export const TIMESTAMP_BYTES = 8;

/** A key under construction, reused from key to key so that seeks allocate nothing. */
export class KeyBuffer {
  /** The key is the first `length` bytes. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  length = 0;
  private view = new DataView(this.bytes.buffer);

  clear(): this {
    this.length = 0;
    return this;
  }

  /** Appends the bytes in [start, end) as they are. */
  put(bytes: Bytes, start = 0, end: number = bytes.length): this {
    this.reserve(end - start);
    const offset = this.length - start;
    for (let i = start; i < end; i++) this.bytes[offset + i] = bytes[i]!;
    this.length = offset + end;
    return this;
  }

  /** Appends a row key or a qualifier. */
  putEscaped(bytes: Bytes): this {
    this.reserve(2 * bytes.length + 2);
    const key = this.bytes;
    let o = this.length;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      key[o++] = byte;
      if (byte === 0) key[o++] = ESCAPED_ZERO;
    }
    key[o++] = 0;
    key[o++] = TERMINATOR;
    this.length = o;
    return this;
  }

  putFamily(family: string): this {
    this.reserve(family.length + 1);
    for (let i = 0; i < family.length; i++) this.bytes[this.length++] = family.charCodeAt(i);
    this.bytes[this.length++] = 0;
    return this;
  }

  putTimestamp(timestamp: bigint): this {
    this.reserve(TIMESTAMP_BYTES);
    this.view.setBigUint64(this.length, MAX_TIMESTAMP - timestamp);
    this.length += TIMESTAMP_BYTES;
    return this;
  }

  /** Makes a prefix, which ends with a terminator, the first key after all keys that begin with it. */
  pass(): this {
    this.bytes[this.length - 1]!++;
    return this;
  }

  toBytes(): Bytes {
    return this.bytes.slice(0, this.length);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.length + extra));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

export interface CellKey {
  readonly row: Bytes;
  readonly family: string;
  readonly qualifier: Bytes;
  readonly timestamp: bigint;
}

const scratch = new KeyBuffer();

export function encodeCellKey({ row, family, qualifier, timestamp }: CellKey): Bytes {
  return scratch.clear().putEscaped(row).putFamily(family).putEscaped(qualifier).putTimestamp(timestamp).toBytes();
}

/** @throws RowStoreError `CORRUPT` unless the bytes are exactly what `encodeCellKey` writes. */
export function decodeCellKey(key: Bytes): CellKey {
  const rowEnd = endOfRow(key, 0, key.length);
  return { row: decodeEscaped(key, 0, rowEnd), ...decodeColumn(key, rowEnd, key.length) };
}

/** The part of the key after the row: `start` is what `endOfRow` gave. */
export function decodeColumn(key: Bytes, start: number, end: number): Omit<CellKey, "row"> {
  const { family, qualifier } = decodeName(key, start, end);
  return { family, qualifier, timestamp: decodeTimestamp(key, end) };
}

/** Family and qualifier of the key, whose row ends at `start`. */
export function decodeName(key: Bytes, start: number, end: number): Column {
  const familyEnd = key.indexOf(0, start);
  const qualifierEnd = familyEnd <= start ? -1 : endOfEscaped(key, familyEnd + 1, end);
  if (qualifierEnd < 0 || qualifierEnd !== end - TIMESTAMP_BYTES) throw corrupt(key, end);
  return {
    family: String.fromCharCode(...key.subarray(start, familyEnd)),
    qualifier: decodeEscaped(key, familyEnd + 1, qualifierEnd),
  };
}

/** The timestamp of the key that ends at `end`. */
export function decodeTimestamp(key: Bytes, end: number): bigint {
  const at = end - TIMESTAMP_BYTES;
  const high = (key[at]! << 24) | (key[at + 1]! << 16) | (key[at + 2]! << 8) | key[at + 3]!;
  const low = ((key[at + 4]! << 24) | (key[at + 5]! << 16) | (key[at + 6]! << 8) | key[at + 7]!) >>> 0;
  if (high < 0) throw corrupt(key, end);
  return MAX_TIMESTAMP - ((BigInt(high) << 32n) | BigInt(low));
}

/** Where the row that begins at `start` ends, its terminator included. */
export function endOfRow(key: Bytes, start: number, end: number): number {
  const rowEnd = endOfEscaped(key, start, end);
  if (rowEnd < 0) throw corrupt(key, end);
  return rowEnd;
}

/** The bytes behind an escaped string in [start, end), its terminator included. */
export function decodeEscaped(key: Bytes, start: number, end: number): Bytes {
  let length = end - start - 1;
  for (let i = start; i < end; i++) if (key[i] === 0) length--;
  const bytes = new Uint8Array(length);
  for (let i = start, o = 0; o < length; i++) {
    bytes[o++] = key[i]!;
    if (key[i] === 0) i++;
  }
  return bytes;
}

function endOfEscaped(key: Bytes, start: number, end: number): number {
  for (let i = start; i + 1 < end; i++) {
    if (key[i] !== 0) continue;
    const mark = key[i + 1];
    if (mark === TERMINATOR) return i + 2;
    if (mark !== ESCAPED_ZERO) return -1;
    i++;
  }
  return -1;
}

function corrupt(key: Bytes, end: number): RowStoreError {
  return new RowStoreError(
    "CORRUPT",
    `the stored key ${showBytes(key.subarray(0, end))} is not that of a cell; the database was damaged or written by other software, restore it from a backup`,
  );
}
