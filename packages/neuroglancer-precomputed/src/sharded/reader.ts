/**
 * Reading a sharded store: shard index, minishard index, then the value, each cached or shared where that is safe.
 *
 * Every read carries the file's generation. When a value comes from another version of the shard than its index, the
 * index is dropped and read again, so a shard that is rewritten meanwhile gives the old value or the new, never a mix.
 * @module
 */
import type { Generation, KvStore } from "@pcg/kvstore";
import { corrupt, namingKey, PrecomputedError } from "../errors.ts";
import { signalOf } from "../stored-files.ts";
import { IndexCache } from "./index-cache.ts";
import {
  type ByteSpan,
  decodeMinishardIndex,
  decodeShardIndex,
  findId,
  MAX_MINISHARD_INDEX_BYTES,
  type MinishardIndex,
  unpack,
} from "./layout.ts";
import { type FilePart, RangeReads } from "./range-reads.ts";
import { SharedWork } from "./shared-work.ts";
import { locate, type ShardingSpec, shardIndexLength, shardName } from "./spec.ts";

const DEFAULT_INDEX_CACHE_BYTES = 32 * 2 ** 20;
/** Minishards whose entries of the shard index are read together: 64 KiB, the whole index of most volumes. */
const PAGE_ENTRIES = 4096;
/** How often a shard may change under one read before we give up. */
const MAX_ATTEMPTS = 5;

export interface ShardedReaderOptions {
  /** Bytes of indices to keep. Default 32 MiB. */
  readonly indexCacheBytes?: number | undefined;
}

/** How the files of one shard are laid out. */
interface ShardFiles {
  readonly indexKey: string;
  readonly dataKey: string;
  /** Where offsets in `dataKey` count from. */
  readonly base: number;
}

interface IndexPage {
  readonly files: ShardFiles;
  readonly generation: Generation;
  readonly spans: readonly (ByteSpan | undefined)[];
}

interface StoredIndex {
  readonly files: ShardFiles;
  /** Of the file with the data. */
  readonly generation: Generation;
  readonly index: MinishardIndex;
}

/** Thrown and caught in here: parts of a shard came from different versions. */
class ShardChanged extends Error {}

/**
 * Reads values by 64-bit id. Concurrent reads of ids that lie close together in a shard become one range read.
 *
 * What is cached is the indices alone. Before a cached index is believed that a value is absent, its file is asked for its
 * generation, so that what other processes add to a shard is seen.
 */
export class ShardedReader {
  private readonly store: KvStore;
  private readonly folder: string;
  private readonly spec: ShardingSpec;
  private readonly ranges: RangeReads;
  private readonly pages: IndexCache<IndexPage>;
  private readonly indices: IndexCache<StoredIndex>;
  private readonly loading = new Map<string, SharedWork<StoredIndex | undefined>>();

  /** @param folder prefix of the shard files' keys: "" or ending in "/" */
  constructor(store: KvStore, folder: string, spec: ShardingSpec, options: ShardedReaderOptions = {}) {
    this.store = store;
    this.folder = folder;
    this.spec = spec;
    this.ranges = new RangeReads(store);
    const bytes = options.indexCacheBytes ?? DEFAULT_INDEX_CACHE_BYTES;
    this.pages = new IndexCache(bytes / 4);
    this.indices = new IndexCache(bytes - bytes / 4);
  }

  /** Key of the file a shard is written to. */
  shardKey(shard: bigint): string {
    return `${this.folder}${shardName(this.spec, shard)}.shard`;
  }

  /**
   * The value of `id` with its data encoding undone, or `undefined` when absent.
   *
   * @param maxBytes most bytes the value may have; more is CORRUPT and not read
   */
  async read(
    id: bigint,
    maxBytes: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array | undefined> {
    const { shard, minishard } = locate(this.spec, id);
    return this.retrying(shard, async () => {
      const found = await this.find(id, shard, minishard, options.signal);
      if (found === undefined) return undefined;
      const { stored, row } = found;
      const { dataKey } = stored.files;
      const size = stored.index.sizes[row]!;
      const start = stored.index.starts[row]!;
      // Gzip can make data that does not compress a little longer.
      if (size > maxBytes + maxBytes / 1000 + 100)
        throw corrupt(`value ${id} of ${size} bytes, at most ${maxBytes} make sense`, { key: dataKey });
      if (size === 0) return unpack(this.spec.data_encoding, new Uint8Array(0), maxBytes, `value ${id}`);
      const part = await this.ranges.read(dataKey, start, start + size, options.signal);
      if (part === undefined || part.generation !== stored.generation) throw new ShardChanged();
      checkLength(part, size, `value ${id} at byte ${start}`);
      return unpack(this.spec.data_encoding, part.bytes, maxBytes, `value ${id}`);
    });
  }

  async has(id: bigint, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const { shard, minishard } = locate(this.spec, id);
    return this.retrying(shard, async () => (await this.find(id, shard, minishard, options.signal)) !== undefined);
  }

  /** All ids present. Needs a store that lists. */
  async *list(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<bigint> {
    const decoder = new TextDecoder();
    for await (const { key } of this.store.list({ prefix: this.folder, ...signalOf(options.signal) })) {
      const match = /^([0-9a-f]+)\.(shard|index)$/.exec(
        decoder.decode(key.subarray(new TextEncoder().encode(this.folder).length)),
      );
      if (match === null) continue;
      const shard = BigInt(`0x${match[1]}`);
      for (let minishard = 0; minishard < 2 ** this.spec.minishard_bits; minishard++) {
        const stored = await this.retrying(shard, () => this.minishardIndex(shard, minishard, options.signal));
        if (stored !== undefined) yield* stored.index.ids;
      }
    }
  }

  /** Drops what is cached of a shard. */
  forget(shard: bigint): void {
    this.pages.deletePrefix(`${shard}/`);
    this.indices.deletePrefix(`${shard}/`);
  }

  private async retrying<T>(shard: bigint, attempt: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof ShardChanged)) throw namingKey(error, this.shardKey(shard));
        this.forget(shard);
        if (attempts === MAX_ATTEMPTS) {
          const key = this.shardKey(shard);
          throw new PrecomputedError(
            "CONFLICT",
            `${key}: changed during each of ${attempts} reads; try again when its writer is done`,
            { key },
          );
        }
      }
    }
  }

  private async find(
    id: bigint,
    shard: bigint,
    minishard: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly stored: StoredIndex; readonly row: number } | undefined> {
    const cached = this.pages.get(pageKey(shard, minishard));
    const stored = await this.minishardIndex(shard, minishard, signal);
    const row = stored === undefined ? -1 : findId(stored.index, id);
    if (stored !== undefined && row >= 0) return { stored, row };
    if (cached !== undefined) {
      const now = await this.ranges.read(cached.files.indexKey, 0, 1, signal);
      if (now?.generation !== cached.generation) throw new ShardChanged();
    }
    return undefined;
  }

  private async minishardIndex(
    shard: bigint,
    minishard: number,
    signal: AbortSignal | undefined,
  ): Promise<StoredIndex | undefined> {
    const key = `${shard}/${minishard}`;
    const cached = this.indices.get(key);
    if (cached !== undefined) return cached;
    let work = this.loading.get(key);
    if (work === undefined || work.abandoned) {
      const mine: SharedWork<StoredIndex | undefined> = new SharedWork(async (sharedSignal) => {
        try {
          return await this.loadMinishardIndex(key, shard, minishard, sharedSignal);
        } finally {
          if (this.loading.get(key) === mine) this.loading.delete(key);
        }
      });
      work = mine;
      this.loading.set(key, work);
    }
    return work.wait(signal);
  }

  private async loadMinishardIndex(
    key: string,
    shard: bigint,
    minishard: number,
    signal: AbortSignal,
  ): Promise<StoredIndex | undefined> {
    const page = await this.indexPage(shard, minishard, signal);
    const span = page?.spans[minishard % PAGE_ENTRIES];
    if (page === undefined || span === undefined) return undefined;
    const { files } = page;
    const size = span.end - span.start;
    if (size > MAX_MINISHARD_INDEX_BYTES) {
      throw corrupt(
        `index of minishard ${minishard} has ${size} bytes, at most ${MAX_MINISHARD_INDEX_BYTES} make sense`,
      );
    }
    const part = await this.ranges.read(files.dataKey, span.start, span.end, signal);
    if (part === undefined || (files.dataKey === files.indexKey && part.generation !== page.generation))
      throw new ShardChanged();
    checkLength(part, size, `index of minishard ${minishard} at byte ${span.start}`);
    const stored = {
      files,
      generation: part.generation,
      index: decodeMinishardIndex(this.spec, part.bytes, files.base),
    };
    this.indices.set(key, stored, 24 * stored.index.ids.length);
    return stored;
  }

  /** Part of the shard index, or `undefined` when there is no such shard. Absent shards are not remembered. */
  private async indexPage(shard: bigint, minishard: number, signal: AbortSignal): Promise<IndexPage | undefined> {
    const key = pageKey(shard, minishard);
    const cached = this.pages.get(key);
    if (cached !== undefined) return cached;
    const name = this.folder + shardName(this.spec, shard);
    const start = Math.floor(minishard / PAGE_ENTRIES) * PAGE_ENTRIES * 16;
    const end = Math.min(start + PAGE_ENTRIES * 16, shardIndexLength(this.spec));
    const layouts: readonly ShardFiles[] = [
      { indexKey: `${name}.shard`, dataKey: `${name}.shard`, base: shardIndexLength(this.spec) },
      // Before 2020 the index had a file of its own.
      { indexKey: `${name}.index`, dataKey: `${name}.data`, base: 0 },
    ];
    for (const files of layouts) {
      const part = await this.ranges.read(files.indexKey, start, end, signal);
      if (part === undefined) continue;
      checkLength(part, end - start, "shard index");
      const loaded = { files, generation: part.generation, spans: decodeShardIndex(part.bytes, files.base) };
      this.pages.set(key, loaded, 64 * loaded.spans.length);
      return loaded;
    }
    return undefined;
  }
}

/** Cache key of the part of a shard's index that holds a minishard's entry. */
function pageKey(shard: bigint, minishard: number): string {
  return `${shard}/${Math.floor(minishard / PAGE_ENTRIES)}`;
}

function checkLength(part: FilePart, wanted: number, what: string): void {
  if (part.bytes.length !== wanted) throw corrupt(`${what}: the file ends ${wanted - part.bytes.length} bytes early`);
}
