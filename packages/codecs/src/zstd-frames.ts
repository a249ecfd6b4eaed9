/**
 * Walks the frames of a zstd stream (RFC 8878 §3) without decoding them, to learn how large the output can get.
 * @module
 */
import { CodecError } from "./error.ts";
import { ByteReader } from "./reader.ts";

const FRAME_MAGIC = 0xfd2fb528;
/** Skippable frames have sixteen magic numbers, this one and those after it. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;

/** What a stream says of its output. */
export interface ZstdBound {
  /** No decoder can give more bytes than this. */
  readonly bytes: bigint;
  /** Whether every frame states its size, so that `bytes` is the size and no mere bound. */
  readonly exact: boolean;
}

/** Bounds the output of all frames together. CodecError TRUNCATED or CORRUPT when the frames do not line up. */
export function zstdBound(bytes: Uint8Array): ZstdBound {
  const reader = new ByteReader(bytes, { what: "zstd stream" });
  let total = 0n;
  let exact = true;
  do {
    const offset = reader.offset;
    const magic = reader.u32();
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      reader.skip(reader.u32());
    } else if (magic === FRAME_MAGIC) {
      const frame = frameBound(reader, offset);
      total += frame.bytes;
      exact &&= frame.exact;
    } else {
      throw new CodecError("CORRUPT", `zstd stream: no frame begins at offset ${offset}`, { offset, magic });
    }
  } while (reader.remaining > 0);
  return { bytes: total, exact };
}

function frameBound(reader: ByteReader, offset: number): ZstdBound {
  const descriptor = reader.u8();
  const singleSegment = (descriptor & 0x20) !== 0;
  let blockLimit = MAX_BLOCK_BYTES;
  if (!singleSegment) {
    const window = reader.u8();
    const base = 2 ** (10 + (window >>> 3));
    blockLimit = Math.min(blockLimit, base + (base / 8) * (window & 7));
  }
  reader.skip([0, 1, 2, 4][descriptor & 3]!);
  let stated: bigint | undefined;
  const sizeFlag = descriptor >>> 6;
  if (sizeFlag === 0) stated = singleSegment ? BigInt(reader.u8()) : undefined;
  else if (sizeFlag === 1) stated = BigInt(reader.u16()) + 256n;
  else if (sizeFlag === 2) stated = BigInt(reader.u32());
  else stated = reader.u64();

  let fromBlocks = 0;
  let last = false;
  while (!last) {
    const header = reader.u16() | (reader.u8() << 16);
    last = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3)
      throw new CodecError("CORRUPT", `zstd frame at offset ${offset}: reserved block type 3`, { offset });
    fromBlocks += type === 2 ? blockLimit : size;
    reader.skip(type === 1 ? 1 : size);
  }
  if ((descriptor & 4) !== 0) reader.skip(4);
  if (stated === undefined) return { bytes: BigInt(fromBlocks), exact: false };
  if (stated > BigInt(fromBlocks)) {
    throw new CodecError(
      "CORRUPT",
      `zstd frame at offset ${offset} states ${stated} bytes, its blocks hold at most ${fromBlocks}`,
      {
        offset,
        stated,
        available: fromBlocks,
      },
    );
  }
  return { bytes: stated, exact: true };
}
