/**
 * A whole shard file in memory: made from values, or taken apart into them.
 * @module
 */
import { corrupt } from "../errors.ts";
import {
  type ByteSpan,
  decodeMinishardIndex,
  decodeShardIndex,
  encodeMinishardIndex,
  encodeShardIndex,
  pack,
} from "./layout.ts";
import { locate, type ShardingSpec, shardIndexLength, shardName } from "./spec.ts";

/** Largest shard file we build: what fits one typed array everywhere. */
export const MAX_SHARD_BYTES: number = 2 ** 32 - 1;

interface Entry {
  readonly id: bigint;
  readonly minishard: number;
  readonly stored: Uint8Array;
}

/**
 * Collects the values of one shard and emits its file: minishard after minishard, values ascending by id, each
 * minishard's index behind its values, as TensorStore writes it. Equal values give equal bytes in whatever order they came.
 *
 * Holds the encoded values, and while building the file beside them.
 *
 * @example
 * const builder = new ShardBuilder(spec, locate(spec, id).shard);
 * builder.add(id, bytes);
 * await store.write(`${shardName(spec, builder.shard)}.shard`, builder.build());
 */
export class ShardBuilder {
  readonly spec: ShardingSpec;
  readonly shard: bigint;
  private readonly entries = new Map<bigint, Entry>();
  private dataBytes = 0;

  constructor(spec: ShardingSpec, shard: bigint) {
    this.spec = spec;
    this.shard = shard;
  }

  /** Number of values. */
  get size(): number {
    return this.entries.size;
  }

  /** Bytes of the values as they will be stored. */
  get byteLength(): number {
    return this.dataBytes;
  }

  /** Sets the value of `id`, replacing an earlier one; encodes it at once. */
  add(id: bigint, value: Uint8Array): void {
    this.addStored(id, pack(this.spec.data_encoding, value));
  }

  /** Like {@link add} for a value that has its data encoding already. */
  addStored(id: bigint, stored: Uint8Array): void {
    const { shard, minishard } = locate(this.spec, id);
    if (shard !== this.shard) {
      throw new RangeError(
        `id ${id} belongs to shard ${shardName(this.spec, shard)}, not ${shardName(this.spec, this.shard)}`,
      );
    }
    this.delete(id);
    this.entries.set(id, { id, minishard, stored });
    this.dataBytes += stored.length;
  }

  /** Removes a value; an absent one is fine. */
  delete(id: bigint): void {
    this.dataBytes -= this.entries.get(id)?.stored.length ?? 0;
    this.entries.delete(id);
  }

  /** The values as they will be stored, in no particular order. */
  *values(): IterableIterator<{ readonly id: bigint; readonly stored: Uint8Array }> {
    yield* this.entries.values();
  }

  /** The shard file. */
  build(): Uint8Array {
    const spec = this.spec;
    const sorted = [...this.entries.values()].sort((a, b) => a.minishard - b.minishard || (a.id < b.id ? -1 : 1));
    const spans: (ByteSpan | undefined)[] = new Array(2 ** spec.minishard_bits).fill(undefined);
    const indices: Uint8Array[] = [];
    const groups: Entry[][] = [];
    let at = shardIndexLength(spec);
    for (let first = 0; first < sorted.length; ) {
      const { minishard } = sorted[first]!;
      let last = first;
      while (last < sorted.length && sorted[last]!.minishard === minishard) last++;
      const group = sorted.slice(first, last);
      const index = {
        ids: BigUint64Array.from(group, (entry) => entry.id),
        starts: new Float64Array(group.length),
        sizes: Float64Array.from(group, (entry) => entry.stored.length),
      };
      for (let i = 0; i < group.length; i++) {
        index.starts[i] = at;
        at += index.sizes[i]!;
      }
      const encoded = encodeMinishardIndex(spec, index);
      spans[minishard] = { start: at, end: at + encoded.length };
      at += encoded.length;
      groups.push(group);
      indices.push(encoded);
      first = last;
    }
    if (at > MAX_SHARD_BYTES) {
      throw new RangeError(
        `shard ${shardName(spec, this.shard)} would have ${at} bytes, at most ${MAX_SHARD_BYTES} can be written at once: use more shard_bits`,
      );
    }
    const file = new Uint8Array(at);
    file.set(encodeShardIndex(spec, spans));
    let out = shardIndexLength(spec);
    groups.forEach((group, i) => {
      for (const { stored } of group) {
        file.set(stored, out);
        out += stored.length;
      }
      file.set(indices[i]!, out);
      out += indices[i]!.length;
    });
    return file;
  }
}

/**
 * The values in a shard file, in their data encoding, as views of `file`; minishard by minishard, ascending ids. CORRUPT
 * when its parts overlap, so that a small file never gives more bytes than it has.
 */
export function* storedValues(
  spec: ShardingSpec,
  file: Uint8Array,
): IterableIterator<{ readonly id: bigint; readonly stored: Uint8Array }> {
  const base = shardIndexLength(spec);
  if (file.length < base) throw corrupt(`shard of ${file.length} bytes is shorter than its index, ${base}`);
  let used = base;
  const part = (start: number, end: number, what: string): Uint8Array => {
    if (end > file.length) throw corrupt(`${what} ends at byte ${end} of a shard of ${file.length}`);
    used += end - start;
    if (used > file.length) throw corrupt(`${what} overlaps other parts of the shard of ${file.length} bytes`);
    return file.subarray(start, end);
  };
  for (const [minishard, span] of decodeShardIndex(file.subarray(0, base), base).entries()) {
    if (span === undefined) continue;
    const index = decodeMinishardIndex(spec, part(span.start, span.end, `index of minishard ${minishard}`), base);
    for (let i = 0; i < index.ids.length; i++) {
      const id = index.ids[i]!;
      if (locate(spec, id).minishard !== minishard)
        throw corrupt(`value ${id} does not belong into minishard ${minishard}`);
      const start = index.starts[i]!;
      yield { id, stored: part(start, start + index.sizes[i]!, `value ${id}`) };
    }
  }
}
