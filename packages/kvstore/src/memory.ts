/**
 * A store in the memory of this process.
 * @module
 */
import { resolveByteRange } from "./byte-range.ts";
import type {
  AnyReadOptions,
  ConditionalReadOptions,
  Generation,
  Key,
  KeyRange,
  KvStore,
  ListEntry,
  ListOptions,
  ReadOptions,
  ReadResult,
  WriteOptions,
  WriteResult,
} from "./contract.ts";
import { KvStoreError } from "./errors.ts";
import { compareKeys, inRange, isEmptyRange, keyBytes, keyName, listRange } from "./keys.ts";

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly generation: Generation;
}

/**
 * An empty store in memory; values are copied on the way in and out. Generations come from one counter per store, so that
 * they never repeat.
 *
 * A list is a snapshot of the keys at its start, and sorts them: O(n log n) time, O(n) memory.
 */
export function memoryKvStore(url = "memory://"): KvStore {
  return new MemoryKvStore(url);
}

class MemoryKvStore implements KvStore {
  readonly capabilities = { writable: true, conditionalWrites: true, list: true } as const;
  readonly url: string;
  #entries = new Map<string, Entry>();
  #generation = 0;
  #closed = false;

  constructor(url: string) {
    this.url = url;
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    this.#check(options.signal);
    const entry = this.#entries.get(keyName(keyBytes(key)));
    const { start, end } = resolveByteRange(options.range, entry?.value.length ?? 0);
    if (entry === undefined) return undefined;
    if (entry.generation === options.ifNotGeneration) return "unchanged";
    return { value: entry.value.slice(start, end), generation: entry.generation, size: entry.value.length };
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    this.#check(options.signal);
    const bytes = keyBytes(key);
    const name = keyName(bytes);
    const found = this.#entries.get(name)?.generation ?? null;
    if (options.ifGeneration !== undefined && options.ifGeneration !== found) {
      return { written: false, generation: found };
    }
    if (value === null) {
      this.#entries.delete(name);
      return { written: true, generation: null };
    }
    const generation = String(++this.#generation);
    this.#entries.set(name, { key: bytes.slice(), value: Uint8Array.from(value), generation });
    return { written: true, generation };
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
    this.#check(options.signal);
    for (const entry of this.#within(listRange(options))) {
      this.#check(options.signal);
      yield { key: entry.key.slice(), size: entry.value.length };
    }
  }

  async deleteRange(range: KeyRange, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#check(options.signal);
    for (const { key } of this.#within(range)) this.#entries.delete(keyName(key));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
  }

  #within(range: KeyRange): Entry[] {
    if (isEmptyRange(range)) return [];
    const entries = [...this.#entries.values()].filter((entry) => inRange(entry.key, range));
    return entries.sort((a, b) => compareKeys(a.key, b.key));
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new KvStoreError("closed", `${this.url} was closed`, { url: this.url });
  }
}
