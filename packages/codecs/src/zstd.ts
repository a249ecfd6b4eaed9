/**
 * Zstandard by numcodecs' WebAssembly build, which is loaded at first use (0.8 MB) and works in Node and browsers.
 * @module
 */
import { CodecError, checkMaxBytes, tooLarge } from "./error.ts";
import { zstdBound } from "./zstd-frames.ts";

/** Options of {@link zstdCompress}. */
export interface ZstdCompressOptions {
  /** 1 (fastest) to 22 (smallest). Default 3, zstd's own. */
  readonly level?: number;
}

/** Options of {@link zstdDecompress}. */
export interface ZstdDecompressOptions {
  /** Most bytes the result may have. */
  readonly maxBytes: number;
}

/**
 * Frames that do not state their size are only bounded by their blocks, 128 KiB each however small the result. Such streams
 * are tried when that bound passes the limit by no more than this.
 */
const UNSTATED_SLACK_BYTES = 64n << 20n;

type Zstd = typeof import("numcodecs/zstd")["default"];
let loading: Promise<Zstd> | undefined;

function load(): Promise<Zstd> {
  loading ??= import("numcodecs/zstd").then((module) => module.default);
  return loading;
}

/** Compresses to one frame that states its size. */
export async function zstdCompress(bytes: Uint8Array, options: ZstdCompressOptions = {}): Promise<Uint8Array> {
  const level = options.level ?? 3;
  if (!Number.isInteger(level) || level < 1 || level > 22) {
    throw new RangeError(`zstd level must be a whole number from 1 to 22, got ${level}`);
  }
  const zstd = await load();
  return await zstd.fromConfig({ id: "zstd", level }).encode(bytes);
}

/**
 * Decompresses one or more frames to their joined content; skippable frames are skipped. CodecError: TOO_LARGE beyond
 * `maxBytes`, found from the frame headers before any memory is taken; TRUNCATED or CORRUPT when the stream is damaged.
 */
export async function zstdDecompress(bytes: Uint8Array, options: ZstdDecompressOptions): Promise<Uint8Array> {
  const { maxBytes } = options;
  checkMaxBytes(maxBytes);
  const bound = zstdBound(bytes);
  if (bound.bytes > BigInt(maxBytes) + (bound.exact ? 0n : UNSTATED_SLACK_BYTES)) {
    throw tooLarge("zstd stream", maxBytes, bound.exact ? bound.bytes : undefined);
  }
  const zstd = await load();
  let result: Uint8Array;
  try {
    result = await zstd.fromConfig({ id: "zstd" }).decode(bytes);
  } catch (cause) {
    throw new CodecError(
      "CORRUPT",
      `zstd: damaged stream of ${bytes.length} bytes`,
      { length: bytes.length },
      { cause },
    );
  }
  if (result.length > maxBytes) throw tooLarge("zstd stream", maxBytes, result.length);
  return result;
}
