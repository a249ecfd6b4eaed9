/**
 * The bytes of a shard file: the shard index (start and end of each minishard's index), then chunk data and minishard
 * indices. All offsets count from the end of the shard index. Pure functions; the data itself is opaque here.
 * @module
 */
import { gunzip, gzip } from "@pcg/codecs/gzip";
import { corrupt } from "../errors.ts";
import { type ShardingSpec, shardIndexLength } from "./spec.ts";

/** Where something lies in a shard file: bytes from its start, with `end` excluded. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** The chunks of one minishard, ascending by id; row i of each array belongs together. */
export interface MinishardIndex {
  readonly ids: BigUint64Array;
  /** Offset of each chunk from the start of the file. */
  readonly starts: Float64Array;
  readonly sizes: Float64Array;
}

/** Largest minishard index we unpack: 2.8 million chunks. */
export const MAX_MINISHARD_INDEX_BYTES: number = 64 * 2 ** 20;

const MAX_OFFSET = 2n ** 53n;

/**
 * The spans of the minishard indices, from (part of) a shard index; `undefined` for an empty minishard.
 *
 * @param base bytes of the shard index in the file, 0 for the legacy layout with a data file of its own
 */
export function decodeShardIndex(bytes: Uint8Array, base: number): (ByteSpan | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: Math.floor(bytes.length / 16) }, (_, i) => {
    const start = view.getBigUint64(16 * i, true);
    const end = view.getBigUint64(16 * i + 8, true);
    if (start === end) return undefined;
    if (end < start || end >= MAX_OFFSET - BigInt(base)) {
      throw corrupt(`shard index: entry ${i} of ${bytes.length / 16} spans ${start} to ${end}`);
    }
    return { start: base + Number(start), end: base + Number(end) };
  });
}

export function encodeShardIndex(spec: ShardingSpec, spans: readonly (ByteSpan | undefined)[]): Uint8Array {
  const base = shardIndexLength(spec);
  const bytes = new Uint8Array(base);
  const view = new DataView(bytes.buffer);
  spans.forEach((span, i) => {
    if (span === undefined) return;
    view.setBigUint64(16 * i, BigInt(span.start - base), true);
    view.setBigUint64(16 * i + 8, BigInt(span.end - base), true);
  });
  return bytes;
}

/** Unpacks and checks a minishard index: ids ascending, chunks inside the exact numbers. See {@link decodeShardIndex} for `base`. */
export function decodeMinishardIndex(spec: ShardingSpec, stored: Uint8Array, base: number): MinishardIndex {
  const bytes = unpack(spec.minishard_index_encoding, stored, MAX_MINISHARD_INDEX_BYTES, "minishard index");
  if (bytes.length % 24 !== 0) throw corrupt(`minishard index of ${bytes.length} bytes is no multiple of 24`);
  const count = bytes.length / 24;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const index = { ids: new BigUint64Array(count), starts: new Float64Array(count), sizes: new Float64Array(count) };
  let id = 0n;
  let end = BigInt(base);
  for (let i = 0; i < count; i++) {
    const step = view.getBigUint64(8 * i, true);
    if (i > 0 && step === 0n) throw corrupt(`minishard index: entry ${i} of ${count} repeats the id ${id}`);
    id += step;
    const start = end + view.getBigUint64(8 * (count + i), true);
    const size = view.getBigUint64(8 * (2 * count + i), true);
    end = start + size;
    if (id >= 1n << 64n || end >= MAX_OFFSET) {
      throw corrupt(`minishard index: entry ${i} of ${count} has id ${id} and ends at byte ${end}`);
    }
    index.ids[i] = id;
    index.starts[i] = Number(start);
    index.sizes[i] = Number(size);
  }
  return index;
}

/** Packs the index of chunks that lie where `index` says; ids must ascend. */
export function encodeMinishardIndex(spec: ShardingSpec, index: MinishardIndex): Uint8Array {
  const count = index.ids.length;
  const bytes = new Uint8Array(24 * count);
  const view = new DataView(bytes.buffer);
  let id = 0n;
  let end = shardIndexLength(spec);
  for (let i = 0; i < count; i++) {
    view.setBigUint64(8 * i, index.ids[i]! - id, true);
    view.setBigUint64(8 * (count + i), BigInt(index.starts[i]! - end), true);
    view.setBigUint64(8 * (2 * count + i), BigInt(index.sizes[i]!), true);
    id = index.ids[i]!;
    end = index.starts[i]! + index.sizes[i]!;
  }
  return pack(spec.minishard_index_encoding, bytes);
}

/** Row of `id`, or -1. */
export function findId(index: MinishardIndex, id: bigint): number {
  let low = 0;
  let high = index.ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (index.ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return index.ids[low] === id ? low : -1;
}

export function pack(encoding: "raw" | "gzip" | undefined, bytes: Uint8Array): Uint8Array {
  return encoding === "gzip" ? gzip(bytes) : bytes;
}

export function unpack(
  encoding: "raw" | "gzip" | undefined,
  bytes: Uint8Array,
  maxBytes: number,
  what: string,
): Uint8Array {
  if (encoding !== "gzip") {
    if (bytes.length > maxBytes) throw corrupt(`${what} of ${bytes.length} bytes, at most ${maxBytes} make sense`);
    return bytes;
  }
  try {
    return gunzip(bytes, { maxBytes });
  } catch (cause) {
    throw corrupt(`${what}: ${(cause as Error).message}`, {}, cause);
  }
}
