/**
 * The index of a zarr shard: for each chunk inside, where its bytes are, or that there are none.
 * @module
 */
import { crc32c } from "@pcg/codecs/crc32c";
import { VolumeError } from "../errors.ts";
import type { ShardCodec } from "./chunk-codec.ts";

/** Bytes of one index entry: offset and length, 64 bits each. */
const entryLength = 16;
/** Offset and length of a chunk that is not there are both 2^64−1. */
const absent = 0xffff_ffff;

/** Length in bytes of the index of a shard. */
export function shardIndexLength(codec: ShardCodec): number {
  return codec.entries * entryLength + (codec.indexChecksum ? 4 : 0);
}

/** A verified index. */
export class ShardIndex {
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #name: string;
  readonly #shardLength: number;
  /** Bytes it occupies in memory. */
  readonly byteLength: number;

  /**
   * @param bytes the index, exactly
   * @param shardLength of the whole shard; no chunk may reach beyond it
   * @param name of the shard, for messages
   */
  constructor(codec: ShardCodec, bytes: Uint8Array, shardLength: number, name: string) {
    const expected = shardIndexLength(codec);
    if (bytes.length !== expected) {
      throw new VolumeError(
        "BAD_CHUNK",
        `Shard ${name} has ${shardLength} bytes, too few for its index of ${expected}: it is truncated`,
        { key: name },
      );
    }
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = !codec.indexBigEndian;
    this.#name = name;
    this.#shardLength = shardLength;
    this.byteLength = bytes.byteLength;
    if (codec.indexChecksum) {
      const stored = this.#view.getUint32(expected - 4, true);
      const actual = crc32c(bytes.subarray(0, expected - 4));
      if (stored !== actual) {
        throw new VolumeError(
          "BAD_CHUNK",
          `The index of shard ${name} has CRC-32C ${actual}, but ${stored} is stored with it: the shard is damaged`,
          { key: name },
        );
      }
    }
  }

  /** Whether all entries are the same. */
  equals(other: ShardIndex): boolean {
    if (this.byteLength !== other.byteLength) return false;
    for (let i = 0; i < this.byteLength; i++) if (this.#view.getUint8(i) !== other.#view.getUint8(i)) return false;
    return true;
  }

  /** Where the bytes of an entry are, or `undefined` when the chunk is not stored. */
  entry(number: number): { readonly offset: number; readonly length: number } | undefined {
    const at = number * entryLength;
    const words = [0, 4, 8, 12].map((byte) => this.#view.getUint32(at + byte, this.#littleEndian));
    if (words.every((word) => word === absent)) return undefined;
    const offset = Number(this.#view.getBigUint64(at, this.#littleEndian));
    const length = Number(this.#view.getBigUint64(at + 8, this.#littleEndian));
    // Also right for numbers beyond 2^53: they are rounded, but stay far beyond any length.
    if (offset + length > this.#shardLength) {
      throw new VolumeError(
        "BAD_CHUNK",
        `Entry ${number} of the index of shard ${this.#name} is ${length} bytes at ${offset}, beyond the shard's ${this.#shardLength}`,
        { key: this.#name },
      );
    }
    return { offset, length };
  }
}

/** The bytes of an index. @param entries offset and length per chunk, `undefined` where there is none */
export function encodeShardIndex(
  codec: ShardCodec,
  entries: readonly ({ readonly offset: number; readonly length: number } | undefined)[],
): Uint8Array {
  const bytes = new Uint8Array(shardIndexLength(codec));
  const view = new DataView(bytes.buffer);
  entries.forEach((entry, number) => {
    const none = 0xffff_ffff_ffff_ffffn;
    view.setBigUint64(number * entryLength, entry ? BigInt(entry.offset) : none, !codec.indexBigEndian);
    view.setBigUint64(number * entryLength + 8, entry ? BigInt(entry.length) : none, !codec.indexBigEndian);
  });
  if (codec.indexChecksum) view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, -4)), true);
  return bytes;
}
