/**
 * A database at one version as a read-only store.
 * @module
 */
import {
  type AnyReadOptions,
  type Capabilities,
  type ConditionalReadOptions,
  type Key,
  type KeyRange,
  type KvStore,
  keyBytes,
  type ListEntry,
  type ListOptions,
  listRange,
  type ReadOptions,
  type ReadResult,
  type WriteResult,
} from "@pcg/kvstore";
import type { LevelEntry, OcdbtView, ZarrReadable } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import type { VersionEntry } from "../format/types.ts";
import { ownSignal } from "../own-signal.ts";
import type { NodeReader } from "../parts.ts";
import { type LeafRun, leafRuns } from "./leaf-runs.ts";
import { listEntries } from "./list-entries.ts";
import { listLevel } from "./list-level.ts";
import { readEntry } from "./read-entry.ts";
import { zarrReadable } from "./zarr-store.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Where a view finds the version it shows. */
export interface VersionSource {
  readonly url: string;
  /** In memory and fresh enough, so that warm reads need not wait; else `"ask"`. */
  cached(): VersionEntry | undefined | "ask";
  version(options: Cancel): Promise<VersionEntry | undefined>;
  /**
   * What to read in the place of `version`, which failed with `error`. Throws when that is nothing, or when some of `version` has been told
   * already. Without it every failure is thrown.
   */
  instead?(version: VersionEntry, error: unknown, isBegun: boolean, options: Cancel): Promise<VersionEntry | undefined>;
  /** Throws once the view, or the database it belongs to, was closed. */
  check(): void;
  close(): Promise<void>;
}

const SLASH = keyBytes("/");

export class View implements OcdbtView {
  readonly capabilities: Capabilities = { list: true };
  readonly url: string;
  readonly spec: KvStore["spec"];
  readonly #source: VersionSource;
  readonly #nodes: NodeReader;
  /** What those who ask at once share. */
  #asked: Promise<VersionEntry | undefined> | undefined;

  constructor(source: VersionSource, nodes: NodeReader, spec?: KvStore["spec"]) {
    this.url = source.url;
    this.#source = source;
    this.#nodes = nodes;
    this.spec = spec;
  }

  async version(options: Cancel = {}): Promise<VersionEntry | undefined> {
    return await this.#version(options);
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    const bytes = keyBytes(key);
    const cached = this.#cached(options);
    const own = ownSignal(options.signal);
    const reading = options.signal === undefined ? options : { ...options, ...own.options };
    let version: VersionEntry | undefined;
    try {
      version = cached ?? (await this.#version(reading));
      return version && (await readEntry(version.root, bytes, this.#nodes, reading));
    } catch (error) {
      if (version === undefined) throw error;
      const other = await this.#instead(version, error, false, reading);
      return other && (await readEntry(other.root, bytes, this.#nodes, reading));
    } finally {
      own.leave();
    }
  }

  list(options: ListOptions = {}): AsyncIterable<ListEntry> {
    return listEntries(this.#runs(options), options.signal);
  }

  async *listLevel(
    prefix: Key = "",
    options: Cancel & { readonly delimiter?: Key } = {},
  ): AsyncGenerator<LevelEntry, void, undefined> {
    const delimiter = options.delimiter === undefined ? SLASH : keyBytes(options.delimiter);
    const bytes = keyBytes(prefix);
    yield* this.#each(({ root }) => listLevel(root, bytes, delimiter, this.#nodes, options), options);
  }

  asZarrStore(options: { readonly prefix?: Key } = {}): ZarrReadable {
    return zarrReadable(this, options.prefix);
  }

  async write(_key: Key, _value: Uint8Array | null): Promise<WriteResult> {
    throw this.#readOnly();
  }

  async deleteRange(_range: KeyRange): Promise<void> {
    throw this.#readOnly();
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  async *#runs(options: ListOptions): AsyncGenerator<LeafRun, void, undefined> {
    const range = listRange(options);
    yield* this.#each(({ root }) => leafRuns(root, range, this.#nodes, options), options);
  }

  /** All of one version. */
  async *#each<T>(
    itemsOf: (version: VersionEntry) => AsyncIterable<T>,
    options: Cancel,
  ): AsyncGenerator<T, void, undefined> {
    let version = await this.#version(options);
    let isBegun = false;
    for (let tries = 1; version !== undefined; tries++) {
      try {
        for await (const item of itemsOf(version)) {
          isBegun = true;
          yield item;
        }
        return;
      } catch (error) {
        version = await this.#instead(version, error, isBegun || tries > 1, options);
      }
    }
  }

  async #instead(
    version: VersionEntry,
    error: unknown,
    isBegun: boolean,
    options: Cancel,
  ): Promise<VersionEntry | undefined> {
    if (this.#source.instead === undefined) throw error;
    return await this.#source.instead(version, error, isBegun, options);
  }

  #cached(options: Cancel): VersionEntry | undefined {
    options.signal?.throwIfAborted();
    this.#source.check();
    const cached = this.#source.cached();
    return cached === "ask" ? undefined : cached;
  }

  async #version(options: Cancel): Promise<VersionEntry | undefined> {
    options.signal?.throwIfAborted();
    this.#source.check();
    if (options.signal !== undefined) return await this.#source.version(options);
    if (this.#asked === undefined) {
      this.#asked = this.#source.version({});
      queueMicrotask(() => {
        this.#asked = undefined;
      });
    }
    return await this.#asked;
  }

  #readOnly(): OcdbtError {
    return new OcdbtError("read-only", `${this.url} shows one version and cannot be written; write to the database`, {
      fields: { url: this.url },
    });
  }
}
