/**
 * A transaction: changes kept beside one version until they are committed together.
 * @module
 */
import {
  type AnyReadOptions,
  type Capabilities,
  type ConditionalReadOptions,
  compareKeys,
  type Generation,
  isEmptyRange,
  type Key,
  type KeyRange,
  keyBytes,
  type ListEntry,
  type ListOptions,
  listRange,
  type ReadOptions,
  type ReadResult,
  type WriteOptions,
  type WriteResult,
} from "@pcg/kvstore";
import type {
  CommitOptions,
  CommitReceipt,
  Expectation,
  LevelEntry,
  Mutation,
  OcdbtTransaction,
  ZarrReadable,
} from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { bytesToPath, pathToBytes } from "../format/index.ts";
import type { IndirectReference, VersionEntry } from "../format/types.ts";
import type { DatabaseParts, DataFileWriter, NodeReader } from "../parts.ts";
import { findKey } from "../view/find.ts";
import { generationOf, generationOfBytes, valueAt } from "../view/generation.ts";
import { fullKey, leafRuns } from "../view/leaf-runs.ts";
import { listLevelBySeeking } from "../view/list-level.ts";
import { readValueOf } from "../view/read-entry.ts";
import { zarrKey, zarrReadable } from "../view/zarr-store.ts";
import { type Change, ChangeSet } from "./changes.ts";
import { checkKey } from "./requests.ts";
import { EMPTY_TREE } from "./tree-writer.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

export interface TransactionContext {
  readonly parts: Pick<DatabaseParts, "store" | "committer" | "config" | "newDataFileWriter">;
  readonly url: string;
  /** Where it begins; `undefined`: before the first version. */
  readonly base: VersionEntry | undefined;
  /** Reads what `base` leads to. */
  readonly nodes: NodeReader;
  /** Values kept in memory; beyond, those that will not lie in leaves are uploaded. */
  readonly maxStagedBytes: number;
}

export function beginTransaction(context: TransactionContext): OcdbtTransaction {
  return new Transaction(context);
}

/** A value that is to be written, and moves to a data file when memory runs short. */
class StagedValue implements Change {
  readonly key: Uint8Array;
  value: Uint8Array | IndirectReference | null;
  readonly #token: string | undefined;

  /** @param token the generation of a value whose place is not known yet. */
  constructor(key: Uint8Array, value: Uint8Array | null, token: string | undefined) {
    this.key = key;
    this.value = value;
    this.#token = token;
  }

  get generation(): Generation | null {
    if (this.value === null) return null;
    return this.#token ?? generationOfBytes(this.value as Uint8Array);
  }
}

class Transaction implements OcdbtTransaction {
  readonly capabilities: Capabilities = { writable: true, conditionalWrites: true, list: true };
  readonly url: string;
  readonly #context: TransactionContext;
  readonly #changes = new ChangeSet();
  /** What was read of the base, by key: its value then. */
  readonly #read = new Map<
    string,
    { readonly key: Uint8Array; readonly value: Uint8Array | IndirectReference | null }
  >();
  readonly #listed: KeyRange[] = [];
  #writer: DataFileWriter | undefined;
  #stagedBytes = 0;
  #tokens = 0;
  #state: "open" | "committing" | "committed" | "aborted" = "open";

  constructor(context: TransactionContext) {
    this.#context = context;
    this.url = context.url;
  }

  async version(): Promise<VersionEntry | undefined> {
    this.#check();
    return this.#context.base;
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    this.#check(options.signal);
    const bytes = keyBytes(key);
    const { nodes } = this.#context;
    const change = this.#changes.get(bytes);
    if (change === null) return undefined;
    if (change === undefined) {
      const value = await this.#readBase(bytes, options);
      return value === null ? undefined : await readValueOf(value, nodes, options);
    }
    const { value } = change;
    if (value === null) return undefined;
    const { generation } = change as StagedValue;
    if (options.ifNotGeneration === generation) return "unchanged";
    const { ifNotGeneration: _, ...rest } = options;
    const result = (await readValueOf(value, nodes, rest)) as ReadResult;
    return { value: result.value, generation: generation!, size: result.size };
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    this.#check(options.signal);
    const bytes = new Uint8Array(keyBytes(key));
    checkKey(bytes);
    if (value !== null && !(value instanceof Uint8Array))
      throw new TypeError(`value is a Uint8Array or null, not ${typeof value}`);
    const { ifGeneration, signal } = options;
    if (ifGeneration !== undefined) {
      const generation = await this.#generation(bytes, signal === undefined ? {} : { signal });
      if (generation !== ifGeneration) return { written: false, generation };
    }
    this.#check(signal);
    const isLarge = value !== null && value.length > this.#context.parts.config.maxInlineValueBytes;
    const token = isLarge ? `staged:${this.#tokens++}` : undefined;
    const change = new StagedValue(bytes, value === null ? null : new Uint8Array(value), token);
    this.#changes.set(change);
    this.#stagedBytes += value?.length ?? 0;
    if (this.#stagedBytes > this.#context.maxStagedBytes) await this.#upload(signal);
    return value === null ? { written: true, generation: null } : written(change);
  }

  async deleteRange(range: KeyRange, options: Cancel = {}): Promise<void> {
    this.#check(options.signal);
    const start = new Uint8Array(range.start);
    this.#changes.deleteRange(range.end === undefined ? { start } : { start, end: new Uint8Array(range.end) });
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry, void, undefined> {
    this.#check(options.signal);
    const range = listRange(options);
    if (isEmptyRange(range)) return;
    // Until the end is reached, only what was yielded has been relied on.
    let relied: KeyRange = { start: range.start, end: range.start };
    try {
      for await (const entry of this.#merged(range, options)) {
        const { length } = entry.key;
        const after = new Uint8Array(length + 1);
        after.set(entry.key);
        relied = { start: range.start, end: after };
        yield entry;
        this.#check(options.signal);
      }
      relied = range;
    } finally {
      if (!isEmptyRange(relied)) this.#listed.push(relied);
    }
  }

  async *listLevel(
    prefix: Key = "",
    options: Cancel & { readonly delimiter?: Key } = {},
  ): AsyncGenerator<LevelEntry, void, undefined> {
    const { delimiter = "/", ...rest } = options;
    const list = (range: KeyRange): AsyncIterable<ListEntry> => this.list({ range, ...rest });
    yield* listLevelBySeeking(list, keyBytes(prefix), keyBytes(delimiter));
  }

  asZarrStore(
    options: { readonly prefix?: Key } = {},
  ): ZarrReadable & { set(key: string, value: Uint8Array): Promise<void> } {
    const { prefix = "" } = options;
    return {
      ...zarrReadable(this, prefix),
      set: async (key, value) => {
        await this.write(zarrKey(key, prefix), value);
      },
    };
  }

  async commit(options: Omit<CommitOptions, "atomic"> = {}): Promise<CommitReceipt> {
    this.#check(options.signal);
    const { parts, base } = this.#context;
    this.#state = "committing";
    const head = base && { generation: base.generation, commitTime: base.commitTime };
    if (this.#changes.isEmpty) {
      this.#state = "committed";
      return { head, applied: [], generations: [] };
    }
    const expects = [...this.#expectations(), ...(options.expects ?? [])];
    try {
      const receipt = await parts.committer.commit(this.#mutations(), { ...options, atomic: true, expects });
      this.#state = "committed";
      return receipt;
    } catch (error) {
      this.#state = "aborted";
      // Anything else may have been committed after all.
      if (isOcdbtError(error, "conflict", "unsafe", "too-large", "config-mismatch")) await this.#removeUploads();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#state === "committing")
      throw new OcdbtError("conflict", `a transaction of ${this.url} is being committed`);
    if (this.#state !== "open") return;
    this.#state = "aborted";
    await this.#removeUploads();
  }

  async close(): Promise<void> {
    await this.abort();
  }

  #check(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#state === "open") return;
    throw new OcdbtError("closed", `the transaction of ${this.url} was ${this.#state}; begin another`);
  }

  async #readBase(key: Uint8Array, options: Cancel): Promise<Uint8Array | IndirectReference | null> {
    const name = bytesToPath(key);
    const before = this.#read.get(name);
    if (before !== undefined) return before.value;
    const { base, nodes } = this.#context;
    const found = base && (await findKey(base.root, key, nodes, options));
    const value = found === undefined ? null : valueAt(found.leaf, found.index);
    this.#read.set(name, { key: new Uint8Array(key), value });
    return value;
  }

  async #generation(key: Uint8Array, options: Cancel): Promise<Generation | null> {
    const change = this.#changes.get(key);
    if (change === null) return null;
    if (change !== undefined) return (change as StagedValue).generation;
    const value = await this.#readBase(key, options);
    return value === null ? null : generationOf(value);
  }

  /** The base with the changes as they are now. */
  async *#merged(range: KeyRange, options: Cancel): AsyncGenerator<ListEntry, void, undefined> {
    const { base, nodes } = this.#context;
    const changes = this.#changes.fork();
    const points = changes
      .net()
      .points.filter(
        ({ key }) => compareKeys(key, range.start) >= 0 && (range.end === undefined || compareKeys(key, range.end) < 0),
      );
    let next = 0;
    const upTo = function* (limit: Uint8Array | undefined): Generator<ListEntry> {
      for (; next < points.length; next++) {
        const { key, value } = points[next]!;
        if (limit !== undefined && compareKeys(key, limit) >= 0) return;
        if (value !== null) yield { key: key.slice(), size: value.length };
      }
    };
    for await (const { leaf, prefix, start, end } of leafRuns(base?.root ?? EMPTY_TREE, range, nodes, options)) {
      for (let i = start; i < end; i++) {
        const key = fullKey(leaf.keys, i, prefix);
        yield* upTo(key);
        if (changes.get(key) === undefined) yield { key, size: leaf.valueLengths[i]! };
      }
    }
    yield* upTo(undefined);
  }

  *#expectations(): Generator<Expectation> {
    const since = this.#context.base?.generation ?? 0n;
    for (const { key, value } of this.#read.values()) {
      yield { key, generation: value === null ? null : generationOf(value) };
    }
    for (const range of this.#listed) yield { ...range, since };
  }

  #mutations(): Mutation[] {
    const { points, ranges } = this.#changes.net();
    return [
      ...ranges.map((range): Mutation => ({ op: "deleteRange", ...range })),
      ...points.map(({ key, value }): Mutation => (value === null ? { op: "delete", key } : { op: "put", key, value })),
    ];
  }

  /** Makes room: values too large for leaves go to data files now. */
  async #upload(signal: AbortSignal | undefined): Promise<void> {
    const { parts } = this.#context;
    this.#writer ??= parts.newDataFileWriter();
    this.#stagedBytes = 0;
    const placed: [StagedValue, IndirectReference][] = [];
    for (const change of this.#changes.net().points) {
      const { value } = change;
      if (!(value instanceof Uint8Array)) continue;
      if (value.length > parts.config.maxInlineValueBytes) {
        placed.push([change as StagedValue, this.#writer.append(value, "value")]);
      } else this.#stagedBytes += value.length;
    }
    await this.#writer.flush(signal === undefined ? {} : { signal });
    for (const [change, reference] of placed) change.value = reference;
  }

  async #removeUploads(): Promise<void> {
    const { store } = this.#context.parts;
    await Promise.all((this.#writer?.begun ?? []).map((file) => store.write(pathToBytes(file), null)));
  }
}

function written(change: StagedValue): WriteResult {
  return {
    written: true,
    get generation() {
      return change.generation;
    },
  };
}
