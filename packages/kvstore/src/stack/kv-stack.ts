/**
 * Several stores as one: each holds a range of the keys.
 * @module
 */
import { checkByteRange } from "../byte-range.ts";
import type {
  AnyReadOptions,
  Capabilities,
  ConditionalReadOptions,
  Key,
  KeyHold,
  KeyRange,
  KvStore,
  ListEntry,
  ListOptions,
  ReadOptions,
  ReadResult,
  StagedValue,
  WriteOptions,
  WriteResult,
} from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { intersectRanges, isEmptyRange, joinKeys, keyBytes, listRange, printKey } from "../keys.ts";
import type { KvStoreSpecObject } from "../spec.ts";
import { findMapped, flattenLayers, type MappedRange, mapSelector, type StackLayer, strippedRange } from "./layer.ts";
import { stackSpec } from "./spec.ts";

/**
 * A store whose keys are mapped to those of other stores, range by range, as TensorStore's `kvstack` driver does.
 *
 * Where layers overlap, the later one has the key, whether it is there or not: a miss in it does **not** fall through to an
 * earlier layer (for that, see {@link overlay}). A key of no layer reads as absent and rejects with `bad-key` when it is written or
 * deleted. Lists visit the layers in key order. `deleteRange` is one per part. The stack promises what every layer does, has a
 * {@link KvStore.spec} if they have, and closes them.
 *
 * @example
 * // A fork: its manifest and its data lie elsewhere, all else is the base's.
 * kvStack([{ store: base }, { store: fork, exact: "manifest.ocdbt", stripPrefix: 0 }, { store: fork, prefix: "7_d/",
 * stripPrefix: 0 }])
 *
 * @throws `TypeError`, `RangeError` for a layer that chooses its keys in two ways, or none that could be.
 */
export function kvStack(layers: readonly StackLayer[]): KvStore {
  return new KvStack(layers);
}

class KvStack implements KvStore {
  readonly capabilities: Capabilities;
  readonly url: string;
  readonly spec: KvStoreSpecObject | undefined;
  /** Only where a layer has it: callers need not wait otherwise once they have seen that there are holds. */
  readonly hold?: NonNullable<KvStore["hold"]>;
  readonly stage?: NonNullable<KvStore["stage"]>;
  readonly #stores: ReadonlySet<KvStore>;
  readonly #parts: readonly MappedRange[];

  constructor(layers: readonly StackLayer[]) {
    this.#parts = flattenLayers(layers.map((layer) => ({ ...mapSelector(layer), store: layer.store })));
    this.#stores = new Set(layers.map(({ store }) => store));
    this.capabilities = sharedCapabilities([...this.#stores]);
    this.url = `kvstack(${layers.map(({ store }) => store.url).join(", ")})`;
    this.spec = stackSpec(layers);
    const stores = [...this.#stores];
    if (stores.some(({ hold }) => hold !== undefined)) this.hold = (key, options) => this.#hold(key, options);
    if (stores.some(({ stage }) => stage !== undefined)) {
      this.stage = (key, value, options) => this.#stage(key, value, options);
    }
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    options.signal?.throwIfAborted();
    const bytes = keyBytes(key);
    const part = findMapped(this.#parts, bytes);
    if (part !== undefined) return await part.store.read(bytes.subarray(part.strip), options as AnyReadOptions);
    if (options.range !== undefined) checkByteRange(options.range);
    return undefined;
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    options.signal?.throwIfAborted();
    const bytes = keyBytes(key);
    const part = findMapped(this.#parts, bytes);
    if (part !== undefined) return await part.store.write(bytes.subarray(part.strip), value, options);
    const action = value === null ? "deleted" : "written";
    throw new KvStoreError("bad-key", `key ${printKey(bytes)} is in no layer of ${this.url} and cannot be ${action}`, {
      url: this.url,
      key: printKey(bytes),
    });
  }

  async #hold(key: Key, options?: { readonly signal?: AbortSignal }): Promise<KeyHold | undefined> {
    const bytes = keyBytes(key);
    const part = findMapped(this.#parts, bytes);
    return await part?.store.hold?.(bytes.subarray(part.strip), options);
  }

  async #stage(
    key: Key,
    value: Uint8Array,
    options?: { readonly signal?: AbortSignal },
  ): Promise<StagedValue | undefined> {
    const bytes = keyBytes(key);
    const part = findMapped(this.#parts, bytes);
    return await part?.store.stage?.(bytes.subarray(part.strip), value, options);
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
    options.signal?.throwIfAborted();
    const { prefix: _prefix, ...rest } = options;
    for (const { store, range, strip } of this.#within(listRange(options))) {
      const prefix = range.start.slice(0, strip);
      for await (const entry of store.list({ ...rest, range: strippedRange(range, strip) })) {
        yield { ...entry, key: joinKeys(prefix, entry.key) };
      }
    }
  }

  async deleteRange(range: KeyRange, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    for (const part of this.#within(range)) {
      await part.store.deleteRange(strippedRange(part.range, part.strip), options);
    }
  }

  async close(): Promise<void> {
    const ends = await Promise.allSettled([...this.#stores].map((store) => store.close()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  #within(range: KeyRange): MappedRange[] {
    if (isEmptyRange(range)) return [];
    return this.#parts
      .map((part) => ({ ...part, range: intersectRanges(part.range, range) }))
      .filter((part) => !isEmptyRange(part.range));
  }
}

function sharedCapabilities(stores: readonly KvStore[]): Capabilities {
  const all = (flag: keyof Capabilities): boolean => stores.every((store) => store.capabilities[flag] === true);
  return {
    ...(all("writable") ? { writable: true } : {}),
    ...(all("conditionalWrites") ? { conditionalWrites: true } : {}),
    ...(all("list") ? { list: true } : {}),
    ...(all("batchesReads") ? { batchesReads: true } : {}),
  };
}
