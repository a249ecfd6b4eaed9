/**
 * The codecs that turn bytes into bytes: compressors and checksums, by their names in zarr v2 and v3.
 * @module
 */
import { crc32c } from "@pcg/codecs/crc32c";
import { gunzip, gzip } from "@pcg/codecs/gzip";
import { zstdCompress, zstdDecompress } from "@pcg/codecs/zstd";
import { decodeBlosc, encodeBlosc } from "./blosc.ts";
import { asObject, asOneOf, at, bad, type JsonObject, unsupported } from "./checks.ts";
import { decodeLz4, encodeLz4 } from "./lz4.ts";
import { decodeZlib, encodeZlib } from "./zlib.ts";

/** A reversible step on the bytes of a chunk. */
export interface BytesCodec {
  readonly name: string;
  /** Most bytes that `encode` may make of `length` bytes; a longer stored chunk is corrupt or hostile. */
  encodedLimit(length: number): number;
  encode(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array;
  /** Throws when the result would exceed `maxBytes`, or the bytes are no such stream. */
  decode(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> | Uint8Array;
}

/** Incompressible input grows by less than this in every compressor below. */
const compressorLimit = (length: number): number => length + Math.ceil(length / 64) + 1024;

/** A codec of zarr v3: `{name, configuration}`. Names with `numcodecs.` in front are zarr v2's, as zarr-python writes them. */
export function bytesCodecOfV3(name: string, configuration: JsonObject, key: string): BytesCodec {
  if (name.startsWith("numcodecs.")) return bytesCodecOfV2({ ...configuration, id: name.slice(10) }, key);
  switch (name) {
    case "gzip":
      return gzipCodec(level(configuration, 6, 0, 9, key));
    case "zstd":
      return zstdCodec(level(configuration, 3, -131072, 22, key));
    case "blosc": {
      const shuffles = ["noshuffle", "shuffle", "bitshuffle"] as const;
      const shuffle = configuration.shuffle ?? "noshuffle";
      return bloscCodec(configuration, shuffles.indexOf(asOneOf(shuffle, shuffles, at(key, "blosc shuffle"))), key);
    }
    case "crc32c":
      return crc32cCodec("end");
    default:
      throw unsupported(
        `Codec "${name}"`,
        key,
        "gzip, zstd, blosc, crc32c, numcodecs.{zlib,gzip,zstd,blosc,lz4,crc32c}",
      );
  }
}

/** A compressor or filter of zarr v2: `{id, …}`. */
export function bytesCodecOfV2(config: unknown, key: string): BytesCodec {
  const fields = asObject(config, at(key, "compressor"));
  switch (fields.id) {
    case "gzip":
      return gzipCodec(level(fields, 1, 0, 9, key));
    case "zlib":
      return zlibCodec(level(fields, 1, 0, 9, key));
    case "zstd":
      return zstdCodec(level(fields, 0, -131072, 22, key));
    case "blosc": {
      const shuffle = fields.shuffle ?? 1;
      if (shuffle !== -1 && shuffle !== 0 && shuffle !== 1 && shuffle !== 2) {
        throw bad(shuffle, at(key, "blosc shuffle"), "-1, 0, 1 or 2");
      }
      return bloscCodec(fields, shuffle, key);
    }
    case "lz4":
      return {
        name: "lz4",
        encodedLimit: compressorLimit,
        encode: encodeLz4,
        decode: decodeLz4,
      };
    case "crc32c":
      return crc32cCodec(asOneOf(fields.location ?? "start", ["start", "end"], at(key, "crc32c location")));
    default:
      throw unsupported(`Codec ${JSON.stringify(fields.id)}`, key, "gzip, zlib, zstd, blosc, lz4, crc32c");
  }
}

function gzipCodec(compression: number): BytesCodec {
  return {
    name: "gzip",
    encodedLimit: compressorLimit,
    encode: (bytes) => gzip(bytes, { level: compression }),
    decode: (bytes, maxBytes) => gunzip(bytes, { maxBytes }),
  };
}

function zlibCodec(compression: number): BytesCodec {
  return {
    name: "zlib",
    encodedLimit: compressorLimit,
    encode: (bytes) => encodeZlib(bytes, compression),
    decode: decodeZlib,
  };
}

function zstdCodec(compression: number): BytesCodec {
  return {
    name: "zstd",
    encodedLimit: compressorLimit,
    // Level 0 means zstd's standard level, and those below are faster variants of 1, which numcodecs' build lacks.
    encode: (bytes) => zstdCompress(bytes, { level: compression === 0 ? 3 : Math.max(1, compression) }),
    decode: (bytes, maxBytes) => zstdDecompress(bytes, { maxBytes }),
  };
}

function bloscCodec(fields: JsonObject, shuffle: number, key: string): BytesCodec {
  const compressors = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"] as const;
  const options = {
    cname: asOneOf(fields.cname ?? "lz4", compressors, at(key, "blosc cname")),
    clevel: wholeNumber(fields.clevel ?? 5, 0, 9, "blosc clevel", key),
    blocksize: wholeNumber(fields.blocksize ?? 0, 0, 2 ** 31 - 1, "blosc blocksize", key),
    shuffle,
  };
  return {
    name: "blosc",
    encodedLimit: compressorLimit,
    encode: (bytes) => encodeBlosc(bytes, options),
    decode: decodeBlosc,
  };
}

function crc32cCodec(location: "start" | "end"): BytesCodec {
  return {
    name: "crc32c",
    encodedLimit: (length) => length + 4,
    encode: (bytes) => {
      const out = new Uint8Array(bytes.length + 4);
      out.set(bytes, location === "start" ? 4 : 0);
      new DataView(out.buffer).setUint32(location === "start" ? 0 : bytes.length, crc32c(bytes), true);
      return out;
    },
    decode: (bytes) => {
      if (bytes.length < 4) throw new Error(`crc32c: ${bytes.length} bytes are too few to hold the checksum`);
      const content = location === "start" ? bytes.subarray(4) : bytes.subarray(0, -4);
      const offset = location === "start" ? 0 : content.length;
      const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
      const actual = crc32c(content);
      if (stored !== actual) {
        throw new Error(
          `crc32c: stored checksum ${hex(stored)} differs from ${hex(actual)}, that of the ${content.length} bytes`,
        );
      }
      return content;
    },
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function level(fields: JsonObject, standard: number, least: number, most: number, key: string): number {
  return wholeNumber(fields.level ?? standard, least, most, "level", key);
}

function wholeNumber(value: unknown, least: number, most: number, member: string, key: string): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw bad(value, at(key, member), `a whole number from ${least} to ${most}`);
}
