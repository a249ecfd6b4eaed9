/**
 * A store to write over one that only is read.
 * @module
 */

import { resolveByteRange } from "../byte-range.ts";
import type {
  AnyReadOptions,
  Capabilities,
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
} from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { forEachParallel } from "../for-each-parallel.ts";
import { hasPrefix, isEmptyRange, keyBytes, listRange, printKey } from "../keys.ts";
import { passOptional } from "../pass-optional.ts";
import { withPrefix } from "../prefix.ts";
import { mergeLists } from "./merge.ts";
import { hintKey, hintPrefix, isTombstone, tombstone } from "./tombstone.ts";

/** How many keys `deleteRange` deletes at a time. */
const parallelDeletions = 16;

/**
 * `upper` over `lower`: what `upper` has not is read from `lower`, every change goes to `upper`. Deleting a key of `lower` puts a
 * tombstone in its place.
 *
 * - Changes are as atomic as single writes of `upper`, and crash-safe; generations tell which store a value came from, so that
 *   `ifGeneration` holds across both, `null` meaning absent in both.
 * - `lower` is taken to be unchanging. A change there between a conditional write's look at it and its write goes unnoticed.
 * - A tombstone is a value of 32 bytes, hidden from reads; no value may be equal to it. `.deleted/` + key marks where one may be:
 *   such keys are hidden from lists and refused (`bad-key`). They stay for good, one per key ever deleted from `lower`.
 * - `deleteRange` deletes key by key: cut short, it leaves the rest as it was.
 *
 * Other programs do not know overlays: `upper` alone shows them tombstones as values. It has no JSON form. Closing closes both.
 */
export function overlay(upper: KvStore, lower: KvStore): KvStore {
  return new Overlay(upper, lower);
}

/** What stands for a key at one moment. */
interface State {
  /** The generation that shows; `null` when the key is absent. */
  readonly shown: Generation | null;
  /** What is at the key in the upper store: a value or a tombstone; `null` for neither. */
  readonly upper: Generation | null;
  readonly isInLower: boolean;
}

const inUpper = "u";
const inLower = "l";

class Overlay implements KvStore {
  readonly capabilities: Capabilities;
  readonly url: string;
  readonly hold?: NonNullable<KvStore["hold"]>;
  readonly stage?: NonNullable<KvStore["stage"]>;
  readonly #upper: KvStore;
  readonly #lower: KvStore;
  /** The keys that say where tombstones may be. */
  readonly #hints: KvStore;

  constructor(upper: KvStore, lower: KvStore) {
    const { list, batchesReads, ...writing } = upper.capabilities;
    this.capabilities = {
      ...writing,
      ...(list && lower.capabilities.list ? { list } : {}),
      ...(batchesReads && lower.capabilities.batchesReads ? { batchesReads } : {}),
    };
    this.url = `overlay(${upper.url}, ${lower.url})`;
    this.#upper = upper;
    this.#lower = lower;
    this.#hints = withPrefix(upper, hintPrefix);
    // Every change is a write of the key in the upper store.
    Object.assign(
      this,
      passOptional(upper, (key) => this.#check(key)),
    );
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    const bytes = this.#check(key);
    const above = await readFrom(this.#upper, inUpper, bytes, options);
    if (above === "unchanged") return above;
    if (above === undefined) return await readFrom(this.#lower, inLower, bytes, options);
    if (above.size !== tombstone.length) return above;
    if (options.range === undefined) return isTombstone(above.value) ? undefined : above;
    // Only the whole value tells; it may be another one by now.
    const { range, ifNotGeneration: _known, ...rest } = options;
    const whole = await this.read(bytes, rest);
    if (whole === undefined) return undefined;
    const { start, end } = resolveByteRange(range, whole.size);
    return { ...whole, value: whole.value.slice(start, end) };
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    const bytes = this.#check(key).slice();
    if (value === null) return await this.#delete(bytes, options);
    if (isTombstone(value)) throw this.#error("unsupported", bytes, "may not hold the bytes that mark a deleted key");
    const { ifGeneration, signal } = options;
    if (ifGeneration === undefined) return shown(await this.#upper.write(bytes, value, options));
    for (;;) {
      const state = await this.#look(bytes, signal);
      if (state.shown !== ifGeneration) return { written: false, generation: state.shown };
      const result = await this.#upper.write(bytes, value, { ...options, ifGeneration: state.upper });
      // Else somebody changed the key meanwhile: whether the condition holds is to be seen anew.
      if (result.written) return shown(result);
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
    options.signal?.throwIfAborted();
    const range = listRange(options);
    if (isEmptyRange(range)) return;
    const within = { ...aside(options.signal), range };
    const lists = [this.#upper, this.#hints, this.#lower].map((store) => store.list(within));
    for await (const { key, entries } of mergeLists(lists)) {
      const [above, hint, below] = entries;
      if (hasPrefix(key, hintPrefix)) continue;
      if (above === undefined) {
        if (below !== undefined) yield below;
      } else if (hint === undefined || (await this.#look(key, options.signal)).shown !== null) yield above;
    }
  }

  async deleteRange(range: KeyRange, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const shownKeys = this.list({ ...options, range });
    await forEachParallel(shownKeys, parallelDeletions, ({ key }) => this.#delete(key.slice(), options));
  }

  async close(): Promise<void> {
    const ends = await Promise.allSettled([this.#upper.close(), this.#lower.close()]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #delete(key: Uint8Array, { ifGeneration, hold, signal }: WriteOptions): Promise<WriteResult> {
    for (;;) {
      const state = await this.#look(key, signal);
      if (ifGeneration !== undefined && state.shown !== ifGeneration)
        return { written: false, generation: state.shown };
      if (state.shown === null) {
        hold?.release();
        return { written: true, generation: null };
      }
      if (state.isInLower) await this.#upper.write(hintKey(key), new Uint8Array(0), aside(signal));
      const result = await this.#upper.write(key, state.isInLower ? tombstone : null, {
        ...aside(signal),
        ...(hold && { hold }),
        ...(ifGeneration === undefined ? {} : { ifGeneration: state.upper }),
      });
      if (result.written) return { written: true, generation: null };
    }
  }

  async #look(key: Uint8Array, signal: AbortSignal | undefined): Promise<State> {
    const above = await this.#upper.read(key, { ...aside(signal), range: { offset: 0, length: tombstone.length } });
    const below = await this.#lower.read(key, { ...aside(signal), range: { offset: 0, length: 0 } });
    const isInLower = below !== undefined;
    if (above === undefined) return { shown: isInLower ? inLower + below.generation : null, upper: null, isInLower };
    const isDeleted = above.size === tombstone.length && isTombstone(above.value);
    return { shown: isDeleted ? null : inUpper + above.generation, upper: above.generation, isInLower };
  }

  #check(key: Key): Uint8Array {
    const bytes = keyBytes(key);
    if (hasPrefix(bytes, hintPrefix)) throw this.#error("bad-key", bytes, "begins as the marks of deleted keys do");
    return bytes;
  }

  #error(code: "bad-key" | "unsupported", key: Uint8Array, reason: string): KvStoreError {
    const text = printKey(key);
    return new KvStoreError(code, `key ${text} of ${this.url} ${reason}`, { url: this.url, key: text });
  }
}

/** A read of one of the two stores, its generations marked as of that store. */
async function readFrom(
  store: KvStore,
  mark: string,
  key: Uint8Array,
  { ifNotGeneration, ...rest }: AnyReadOptions,
): Promise<ReadResult | "unchanged" | undefined> {
  const known = ifNotGeneration?.startsWith(mark) ? { ifNotGeneration: ifNotGeneration.slice(mark.length) } : {};
  const found = await store.read(key, { ...rest, ...known } as AnyReadOptions);
  return typeof found === "object" ? { ...found, generation: mark + found.generation } : found;
}

function shown(result: WriteResult): WriteResult {
  return { ...result, generation: result.generation === null ? null : inUpper + result.generation };
}

function aside(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
