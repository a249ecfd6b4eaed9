/**
 * Pure codecs on bytes: no I/O, no global state, browsers and Node alike.
 * @module
 */
export { crc32c } from "./crc32c.ts";
export { CodecError, type CodecErrorCode, isCodecError } from "./error.ts";
export { type GunzipOptions, type GzipOptions, gunzip, gzip, isGzip } from "./gzip.ts";
export { compressedMorton, mortonBits, mortonPosition } from "./morton.ts";
export { murmur3x86_128Low64, murmur3x86_128Low64Bulk, murmur3x86_128Low64Lanes } from "./murmur.ts";
export { ByteReader, type ByteReaderOptions } from "./reader.ts";
export {
  encodeVarint,
  MAX_VARINT_BYTES,
  readVarintU32,
  readVarintU64,
  varintLength,
  writeVarint,
} from "./varint.ts";
export { type ZstdCompressOptions, type ZstdDecompressOptions, zstdCompress, zstdDecompress } from "./zstd.ts";
