/**
 * A store that remembers what it read.
 * @module
 */
import { checkByteRange, resolveByteRange } from "./byte-range.ts";
import type {
  AnyReadOptions,
  ByteRange,
  Key,
  KeyRange,
  KvStore,
  ReadResult,
  WriteOptions,
  WriteResult,
} from "./contract.ts";
import { compareKeys, inRange, keyBytes, keyName } from "./keys.ts";
import { passOptional } from "./pass-optional.ts";
import { SharedFlights } from "./shared-flights.ts";

export interface CacheOptions {
  /** Bytes of values kept, with 256 more per entry for what surrounds them. */
  readonly maxBytes: number;
  /**
   * How old, in ms, an answer may be before it is asked for again (revalidated by generation, when that is possible). For ever
   * unless told, which suits data that does not change.
   */
  readonly maxAgeMs?: number;
}

const entryOverhead = 256;

/** One cached read: a whole value, a range of one, or that the key is absent. */
interface Entry {
  readonly key: Uint8Array;
  readonly keyName: string;
  readonly result: ReadResult | undefined;
  readonly cost: number;
  readonly checkedAt: number;
}

/**
 * `store` with the least recently used reads kept in memory: whole values, ranges (each for reads of exactly that range; a
 * whole value serves every range), and absences. Reads of the same thing at the same time share one request, which is aborted
 * only when all who wait for it are.
 *
 * Staleness: an answer can be as old as `maxAgeMs`. Writes and deletions through this store are seen by every read that starts
 * after them; those by others are not until then. Lists are never cached. Values are copied out.
 */
export function withCache(store: KvStore, options: CacheOptions): KvStore {
  const cache = new Cache(store, options);
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: ((key: Key, read?: AnyReadOptions) => cache.read(keyBytes(key), read)) as KvStore["read"],
    write: (key, value, write) => cache.write(keyBytes(key), value, write),
    list: (list) => store.list(list),
    deleteRange: (range, deletion) => cache.deleteRange(range, deletion),
    ...passOptional(store),
    close: async () => {
      cache.clear();
      await store.close();
    },
  };
}

class Cache {
  readonly #store: KvStore;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Names of the entries of each key. */
  readonly #ofKey = new Map<string, Set<string>>();
  readonly #flights = new SharedFlights<ReadResult | undefined>();
  #bytes = 0;

  constructor(store: KvStore, { maxBytes, maxAgeMs = Number.POSITIVE_INFINITY }: CacheOptions) {
    if (!(maxBytes >= 0)) throw new RangeError(`maxBytes must be at least 0, not ${maxBytes}`);
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
  }

  async read(key: Uint8Array, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    const { range, signal, ifNotGeneration } = options;
    signal?.throwIfAborted();
    if (range !== undefined) checkByteRange(range);
    const result = this.#fresh(key, range) ?? (await this.#fetch(key, range, signal));
    if (result === "absent" || result === undefined) return undefined;
    if (result.generation === ifNotGeneration) return "unchanged";
    return { ...result, value: new Uint8Array(result.value) };
  }

  async write(key: Uint8Array, value: Uint8Array | null, options?: WriteOptions): Promise<WriteResult> {
    // Before and after: whatever was read until the end of a change may be older than it.
    const own = new Uint8Array(key);
    this.#forgetKey(own);
    try {
      return await this.#store.write(key, value, options);
    } finally {
      this.#forgetKey(own);
    }
  }

  async deleteRange(range: KeyRange, options?: { readonly signal?: AbortSignal }): Promise<void> {
    this.#forgetRange(range);
    try {
      await this.#store.deleteRange(range, options);
    } finally {
      this.#forgetRange(range);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#ofKey.clear();
    this.#bytes = 0;
  }

  /** What can be answered from memory. */
  #fresh(key: Uint8Array, range: ByteRange | undefined): ReadResult | "absent" | undefined {
    const whole = this.#touch(partName(key, undefined));
    const entry = this.#isFresh(whole) ? whole : range === undefined ? undefined : this.#touch(partName(key, range));
    if (entry === undefined || !this.#isFresh(entry)) return undefined;
    if (entry.result === undefined) return "absent";
    if (entry !== whole || range === undefined) return entry.result;
    const { start, end } = resolveByteRange(range, entry.result.size);
    return { ...entry.result, value: entry.result.value.subarray(start, end) };
  }

  async #fetch(key: Uint8Array, range: ByteRange | undefined, signal?: AbortSignal): Promise<ReadResult | undefined> {
    const name = partName(key, range);
    const own = new Uint8Array(key);
    return await this.#flights.join(name, own, signal, async (flight) => {
      const options = { signal: flight.signal, ...(range === undefined ? {} : { range }) };
      const old = this.#entries.get(name);
      const askedAt = performance.now();
      const result =
        old?.result === undefined
          ? await this.#store.read(own, options)
          : await this.#store.read(own, { ...options, ifNotGeneration: old.result.generation });
      const found = result === "unchanged" ? old!.result : result;
      if (!flight.isStale) this.#keep(name, own, found, askedAt);
      return found;
    });
  }

  #forgetKey(key: Uint8Array): void {
    for (const name of this.#ofKey.get(keyName(key)) ?? []) this.#drop(name, this.#entries.get(name)!);
    this.#flights.abandon((flown) => compareKeys(flown, key) === 0);
  }

  #forgetRange(range: KeyRange): void {
    for (const [name, entry] of this.#entries) if (inRange(entry.key, range)) this.#drop(name, entry);
    this.#flights.abandon((flown) => inRange(flown, range));
  }

  #keep(name: string, key: Uint8Array, result: ReadResult | undefined, checkedAt: number): void {
    const old = this.#entries.get(name);
    if (old !== undefined) this.#drop(name, old);
    const cost = (result?.value.length ?? 0) + key.length + entryOverhead;
    if (cost > this.#maxBytes) return;
    const named = keyName(key);
    this.#entries.set(name, { key, keyName: named, result, cost, checkedAt });
    const siblings = this.#ofKey.get(named);
    if (siblings === undefined) this.#ofKey.set(named, new Set([name]));
    else siblings.add(name);
    this.#bytes += cost;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest, entry);
    }
  }

  #drop(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#bytes -= entry.cost;
    const siblings = this.#ofKey.get(entry.keyName)!;
    siblings.delete(name);
    if (siblings.size === 0) this.#ofKey.delete(entry.keyName);
  }

  #touch(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  #isFresh(entry: Entry | undefined): boolean {
    return entry !== undefined && performance.now() - entry.checkedAt <= this.#maxAgeMs;
  }
}

/** Names a read: its key, then the range, whose characters after the last bar say how long it is. */
function partName(key: Uint8Array, range: ByteRange | undefined): string {
  const name = keyName(key);
  if (range === undefined) return `${name}|`;
  if ("suffixLength" in range) return `${name}|-${range.suffixLength}`;
  return `${name}|${range.offset}+${range.length ?? ""}`;
}
