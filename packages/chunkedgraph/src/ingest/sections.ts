/**
 * The container of scratch values: a header with the byte length of each section, then the sections, each a plain array of
 * little-endian u32 or u64 that begins at a multiple of 8. Decoded sections are views of the value.
 * @module
 */
import { ByteReader, CodecError } from "@pcg/codecs";

const MAGIC = 0x53474350; // "PCGS"
const VERSION = 1;
const MAX_SECTIONS = 64;

export type SectionArray = Uint32Array | BigUint64Array;

/** Bytes of the header of a value with this many sections; the first section begins there. */
export function headerBytes(sections: number): number {
  return align(12 + 4 * sections);
}

export function encodeSections(sections: readonly SectionArray[]): Uint8Array {
  const total = sections.reduce((bytes, section) => bytes + align(section.byteLength), headerBytes(sections.length));
  const value = new Uint8Array(total);
  const view = new DataView(value.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, sections.length, true);
  let offset = headerBytes(sections.length);
  for (let i = 0; i < sections.length; i++) {
    const section = sections[i]!;
    view.setUint32(12 + 4 * i, section.byteLength, true);
    value.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), offset);
    offset += align(section.byteLength);
  }
  return value;
}

/** The bytes of each section; CodecError when the value is cut off, too long or has another number of sections. */
export function decodeSections(value: Uint8Array, count: number, what: string): Uint8Array[] {
  const reader = new ByteReader(value, { what });
  const magic = reader.u32();
  const version = reader.u32();
  const found = reader.u32();
  if (magic !== MAGIC || version !== VERSION || found !== count || count > MAX_SECTIONS) {
    throw new CodecError("CORRUPT", `${what}: not a scratch value of ${count} sections`, { magic, version, found });
  }
  const lengths = Array.from({ length: count }, () => reader.u32());
  reader.seek(headerBytes(count));
  const sections = lengths.map((length) => reader.bytes(align(length)).subarray(0, length));
  reader.expectEnd();
  return sections;
}

export function asUint32(bytes: Uint8Array, what: string): Uint32Array {
  checkMultiple(bytes, 4, what);
  if (bytes.byteOffset % 4 !== 0) return new Uint32Array(bytes.slice().buffer);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

export function asUint64(bytes: Uint8Array, what: string): BigUint64Array {
  checkMultiple(bytes, 8, what);
  if (bytes.byteOffset % 8 !== 0) return new BigUint64Array(bytes.slice().buffer);
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
}

function checkMultiple(bytes: Uint8Array, size: number, what: string): void {
  if (bytes.byteLength % size === 0) return;
  throw new CodecError("CORRUPT", `${what}: ${bytes.byteLength} bytes are no whole number of ${size}-byte elements`, {
    length: bytes.byteLength,
  });
}

function align(length: number): number {
  return Math.ceil(length / 8) * 8;
}
