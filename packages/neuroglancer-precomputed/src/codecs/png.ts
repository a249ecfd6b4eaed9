/**
 * Encoding `png`: 8 or 16 bits, 1 to 4 channels, neither palette nor interlacing. Own code rather than a library because a
 * reader of other people's chunks must bound the inflated size before it is in memory.
 * @module
 */
import { Unzlib, zlibSync } from "fflate";
import type { Xyz } from "../chunk-grid.ts";
import { corrupt, PrecomputedError } from "../errors.ts";
import { deinterleave, interleave, type PixelArray, pictureSize } from "./image.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** PNG's colour type for 1, 2, 3 and 4 channels. */
const COLOR_TYPES = [0, 4, 2, 6];
/** Deflate expands at most about 1032 times, so one piece gives at most 4 MiB beyond the limit. */
const PIECE = 4096;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colorType: number;
}

/** @param level zlib level 0 to 9; 6 is zlib's own balance. */
export function encodePng(data: PixelArray, size: Xyz, channels: number, level = 6): Uint8Array {
  const { width, height } = pictureSize(size);
  const sampleBytes = data.BYTES_PER_ELEMENT;
  const pixels = interleave(data, channels);
  const rowBytes = width * channels * sampleBytes;
  const rows = new Uint8Array(height * (1 + rowBytes));
  for (let y = 0, at = 0, out = 0; y < height; y++) {
    rows[out++] = 0; // filter: none
    for (let x = 0; x < width * channels; x++) {
      const value = pixels[at++]!;
      if (sampleBytes === 2) rows[out++] = value >> 8;
      rows[out++] = value & 0xff;
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8 * sampleBytes, COLOR_TYPES[channels - 1]!, 0, 0, 0], 8);
  const parts = [
    Uint8Array.from(SIGNATURE),
    pngChunk("IHDR", header),
    pngChunk("IDAT", zlibSync(rows, { level: level as 6 })),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  return concat(parts);
}

export function decodePng(bytes: Uint8Array, size: Xyz, channels: number, sampleBytes: 1 | 2): PixelArray {
  const { header, data } = readChunks(bytes);
  const voxels = size[0] * size[1] * size[2];
  if (header.width * header.height !== voxels) {
    throw corrupt(`png of ${header.width} x ${header.height} pixels for a chunk of ${size.join(" x ")} voxels`);
  }
  if (header.depth !== 8 * sampleBytes || header.colorType !== COLOR_TYPES[channels - 1]) {
    throw corrupt(
      `png of ${header.depth} bits and colour type ${header.colorType}; ${channels} channels of ${8 * sampleBytes} bits have type ${COLOR_TYPES[channels - 1]}`,
    );
  }
  const rowBytes = header.width * channels * sampleBytes;
  const rows = inflate(data, header.height * (1 + rowBytes));
  unfilter(rows, header.height, rowBytes, channels * sampleBytes);
  const pixels = sampleBytes === 2 ? new Uint16Array(voxels * channels) : new Uint8Array(voxels * channels);
  for (let y = 0, at = 0, out = 0; y < header.height; y++) {
    at++;
    for (let x = 0; x < header.width * channels; x++) {
      pixels[out++] = sampleBytes === 2 ? (rows[at++]! << 8) | rows[at++]! : rows[at++]!;
    }
  }
  return deinterleave(pixels, channels);
}

function readChunks(bytes: Uint8Array): { header: Header; data: Uint8Array[] } {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte))
    throw corrupt(`png chunk of ${bytes.length} bytes does not begin with a png signature`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data: Uint8Array[] = [];
  let header: Header | undefined;
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw corrupt(`png ends at byte ${bytes.length} without its IEND`);
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length)
      throw corrupt(`png: a part of ${length} bytes at ${at} passes the end, ${bytes.length}`);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, end);
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end)))
      throw corrupt(`png: checksum of ${type} at ${at} differs`);
    if (type === "IHDR") header = readHeader(body);
    else if (type === "IDAT") data.push(body);
    else if (type === "IEND") break;
    else if (type === "PLTE" && header?.colorType === 3)
      throw new PrecomputedError("UNSUPPORTED", "png with a palette; write grey, grey+alpha, RGB or RGBA");
    at = end + 4;
  }
  if (header === undefined) throw corrupt("png without IHDR");
  return { header, data };
}

function readHeader(body: Uint8Array): Header {
  if (body.length !== 13) throw corrupt(`png: IHDR of ${body.length} bytes, not 13`);
  const view = new DataView(body.buffer, body.byteOffset, 13);
  if (body[10] !== 0 || body[11] !== 0)
    throw corrupt(`png: compression ${body[10]} and filter method ${body[11]}, not 0 and 0`);
  if (body[12] !== 0) throw new PrecomputedError("UNSUPPORTED", "interlaced png; write it without interlacing");
  return { width: view.getUint32(0), height: view.getUint32(4), depth: body[8]!, colorType: body[9]! };
}

/** The zlib stream in `parts`, which must have exactly `length` bytes inflated. */
function inflate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const result = new Uint8Array(length);
  let at = 0;
  const stream = new Unzlib((piece) => {
    if (at + piece.length > length) throw corrupt(`png: inflates past the ${length} bytes of its rows`);
    result.set(piece, at);
    at += piece.length;
  });
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; start += PIECE) stream.push(part.subarray(start, start + PIECE));
    }
    stream.push(new Uint8Array(0), true);
  } catch (cause) {
    if (cause instanceof PrecomputedError) throw cause;
    throw corrupt(`png: ${(cause as Error).message}`, {}, cause);
  }
  if (at !== length) throw corrupt(`png: inflates to ${at} bytes, its rows are ${length}`);
  return result;
}

/** Undoes the row filters in place; `step` is the bytes of one pixel. */
function unfilter(rows: Uint8Array, height: number, rowBytes: number, step: number): void {
  for (let y = 0; y < height; y++) {
    const start = y * (rowBytes + 1) + 1;
    const filter = rows[start - 1]!;
    if (filter > 4) throw corrupt(`png: row ${y} has filter ${filter}, the last is 4`);
    if (filter === 0) continue;
    for (let x = 0; x < rowBytes; x++) {
      const left = x >= step ? rows[start + x - step]! : 0;
      const up = y > 0 ? rows[start + x - rowBytes - 1]! : 0;
      const corner = x >= step && y > 0 ? rows[start + x - step - rowBytes - 1]! : 0;
      const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      rows[start + x] = rows[start + x]! + guess;
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function pngChunk(type: string, body: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + body.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(body, 8);
  view.setUint32(8 + body.length, crc32(chunk.subarray(4, 8 + body.length)));
  return chunk;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
