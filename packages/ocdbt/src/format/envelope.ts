/**
 * The envelope of a manifest, version-tree node or B+tree node: magic, total length, version, compression, body, CRC-32C.
 * @module
 */
import { crc32c, isCodecError, zstdCompress, zstdDecompress } from "@pcg/codecs";
import { OcdbtError } from "../errors.ts";
import { BodyReader } from "./body-reader.ts";
import { BodyWriter } from "./body-writer.ts";
import type { Compression } from "./types.ts";
import { zstdFrameLength } from "./zstd-frame.ts";

/** First four bytes of each kind of structure, big-endian. */
export const MAGIC = {
  manifest: 0x0cdb_3a2a,
  versionNode: 0x0cdb_1234,
  btreeNode: 0x0cdb_20de,
} as const;

export type EnvelopeKind = keyof typeof MAGIC;

const KIND_NAMES: Readonly<Record<EnvelopeKind, string>> = {
  manifest: "manifest",
  versionNode: "version-tree node",
  btreeNode: "B+tree node",
};

/** Magic, length, and the checksum at the end. */
const LEAST_BYTES = 16;

/** Up to here a body is compressed with care where the writer may choose. */
const SMALL_BODY_BYTES = 64 * 1024;

/** What decoding needs beside the bytes. */
export interface DecodeOptions {
  /** Printable name of where the bytes came from, for messages. */
  readonly file?: string;
  /** Most bytes a decompressed body, and the keys of a node, may take. Default 256 MiB. */
  readonly maxBytes?: number;
}

export const DEFAULT_MAX_BYTES: number = 256 * 2 ** 20;

/** Name of a structure in messages. */
export function describe(kind: EnvelopeKind, options: DecodeOptions): string {
  return options.file === undefined ? KIND_NAMES[kind] : `${KIND_NAMES[kind]} ${options.file}`;
}

/** Which structure `bytes` begin; `undefined` when none. */
export function envelopeKind(bytes: Uint8Array): EnvelopeKind | undefined {
  if (bytes.length < 4) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, false);
  return (Object.keys(MAGIC) as EnvelopeKind[]).find((kind) => MAGIC[kind] === magic);
}

/**
 * Bytes that the header says the envelope has, for one that is followed by others or by the tail of a longer one;
 * `undefined` when it begins no structure or is cut short.
 */
export function envelopeLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < LEAST_BYTES || envelopeKind(bytes) === undefined) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(4, true);
  return length >= BigInt(LEAST_BYTES) && length <= BigInt(bytes.length) ? Number(length) : undefined;
}

/** Checks the envelope and gives its body, decompressed. @throws `OcdbtError` `corrupt`, `too-large`, `unsupported` */
export async function openEnvelope(
  bytes: Uint8Array,
  kind: EnvelopeKind,
  options: DecodeOptions = {},
): Promise<Uint8Array> {
  const reader = new BodyReader(bytes, describe(kind, options));
  if (bytes.length < LEAST_BYTES)
    throw reader.corrupt(`has ${bytes.length} bytes, an envelope at least ${LEAST_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, false);
  if (magic !== MAGIC[kind]) {
    throw reader.corrupt(`begins with ${hex(magic)}, expected ${hex(MAGIC[kind])}; it is something else`, { magic });
  }
  const length = view.getBigUint64(4, true);
  if (length !== BigInt(bytes.length)) {
    throw reader.corrupt(
      `its header says ${length} bytes, there are ${bytes.length}; fsck tells whether repair can cut a stale tail`,
      { length, size: bytes.length },
    );
  }
  const end = bytes.length - 4;
  const stored = view.getUint32(end, true);
  const actual = crc32c(bytes.subarray(0, end));
  if (stored !== actual)
    throw reader.corrupt(`CRC-32C is ${hex(actual)}, stored is ${hex(stored)}`, { stored, actual });

  const header = new BodyReader(bytes.subarray(0, end), reader.what);
  header.offset = 12;
  const version = header.u32("format version");
  const compression = header.u32("compression");
  if (version !== 0) throw unsupported(reader.what, `format version ${version}, only 0 is known`);
  const body = header.take(header.remaining, "body");
  if (compression === 0) return body;
  if (compression !== 1) throw unsupported(reader.what, `compression ${compression}, known are 0 (none) and 1 (zstd)`);
  return await inflate(body, reader, options.maxBytes ?? DEFAULT_MAX_BYTES);
}

/** Puts `body` in its envelope. Compresses only if that makes it smaller; readers take either. */
export async function sealEnvelope(
  kind: EnvelopeKind,
  body: Uint8Array,
  compression: Compression,
): Promise<Uint8Array> {
  let stored = body;
  let id = 0;
  if (compression !== null) {
    const packed = await zstdCompress(body, { level: zstdLevel(compression.level, body.length) });
    if (packed.length < body.length) {
      stored = packed;
      id = 1;
    }
  }
  const length = 14 + stored.length + 4;
  const writer = new BodyWriter(length);
  writer.u32BigEndian(MAGIC[kind]);
  writer.u64Fixed(BigInt(length));
  writer.u8(0);
  writer.u8(id);
  writer.bytes(stored);
  writer.u32Fixed(crc32c(writer.finish()));
  return writer.finish();
}

/**
 * 0 leaves the choice to the writer; what is below 1 only means "faster still". Level 12 is the first to find the strides in the
 * columns of offsets: a quarter fewer bytes for an edit of a node of 64 KiB, for 0.3 ms; a node of 8 MiB would take a second.
 */
function zstdLevel(level: number, bodyBytes: number): number {
  if (level === 0) return bodyBytes <= SMALL_BODY_BYTES ? 12 : 3;
  return Math.min(22, Math.max(1, level));
}

async function inflate(body: Uint8Array, reader: BodyReader, maxBytes: number): Promise<Uint8Array> {
  const frame = zstdFrameLength(body);
  if (frame === undefined) throw reader.corrupt("its zstd frame is damaged or cut short");
  if (frame !== body.length) {
    throw reader.corrupt(`${body.length - frame} bytes follow its zstd frame, expected one frame alone`);
  }
  try {
    return await zstdDecompress(body, { maxBytes });
  } catch (cause) {
    if (isCodecError(cause, "TOO_LARGE")) {
      throw new OcdbtError(
        "too-large",
        `${reader.what} decompresses to more than ${maxBytes} bytes; raise maxBytes if its source is trusted`,
        { fields: { file: reader.what, maxBytes }, cause },
      );
    }
    throw new OcdbtError("corrupt", `${reader.what}: its zstd frame is damaged`, {
      fields: { file: reader.what },
      cause,
    });
  }
}

function unsupported(what: string, message: string): OcdbtError {
  return new OcdbtError("unsupported", `${what} has ${message}; a newer program wrote it, or it is damaged`, {
    fields: { file: what },
  });
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
