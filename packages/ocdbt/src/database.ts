/**
 * A database over its base store: reads go to the newest version, writes through the committer.
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
  type ReadOptions,
  type ReadResult,
  type WriteOptions,
  type WriteResult,
} from "@pcg/kvstore";
import { checkValue, takeMutations } from "./commit/mutations.ts";
import { beginTransaction } from "./commit/transaction.ts";
import type {
  CommitOptions,
  CommitReceipt,
  Head,
  LevelEntry,
  Mutation,
  OcdbtDatabase,
  OcdbtTransaction,
  OcdbtView,
  VersionSpec,
  ZarrReadable,
} from "./contract.ts";
import { OcdbtError } from "./errors.ts";
import type { Config, VersionEntry } from "./format/types.ts";
import { isSameVersion } from "./io/own-version.ts";
import { withOwnSignal } from "./own-signal.ts";
import type { DatabaseParts, StoredManifest } from "./parts.ts";
import { fromManifest, isFileGone, nodesOf, whyLost } from "./view/lost-version.ts";
import { resolveVersion } from "./view/resolve-version.ts";
import { checkVersionSpec, printVersion } from "./view/version-spec.ts";
import { type VersionSource, View } from "./view/view.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

export interface DatabaseContext {
  readonly parts: DatabaseParts;
  readonly url: string;
  readonly spec: KvStore["spec"];
  /** How old the manifest of a read may be. */
  readonly maxStalenessMs: number;
  readonly maxStagedBytes: number;
  /** Throws `OcdbtError` `config-mismatch`. */
  readonly checkConfig: (stored: Config) => void;
}

export function createDatabase(context: DatabaseContext): OcdbtDatabase {
  return new Database(context);
}

class Database implements OcdbtDatabase {
  readonly capabilities: Capabilities;
  readonly url: string;
  readonly spec: KvStore["spec"];
  readonly parts: DatabaseParts;
  readonly #context: DatabaseContext;
  readonly #view: OcdbtView;
  #closed = false;

  constructor(context: DatabaseContext) {
    const { parts, url, spec } = context;
    this.#context = context;
    this.parts = parts;
    this.url = url;
    this.spec = spec;
    const { writable, conditionalWrites } = parts.store.capabilities;
    this.capabilities = writable && conditionalWrites ? { writable, conditionalWrites, list: true } : { list: true };
    this.#view = new View(this.#newest(), parts.nodes, spec);
  }

  get uuid(): string {
    return this.parts.config.uuid;
  }

  get config(): Config {
    return this.parts.config;
  }

  async version(options: Cancel = {}): Promise<VersionEntry | undefined> {
    return await this.#view.version(options);
  }

  async head(options: Cancel = {}): Promise<Head | undefined> {
    this.#check(options.signal);
    const newest = await this.#newestVersion(0, options);
    return newest && { generation: newest.generation, commitTime: newest.commitTime };
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    return this.#view.read(key, options as ConditionalReadOptions);
  }

  list(options: ListOptions = {}): AsyncIterable<ListEntry> {
    return this.#view.list(options);
  }

  listLevel(prefix?: Key, options?: Cancel & { readonly delimiter?: Key }): AsyncIterable<LevelEntry> {
    return this.#view.listLevel(prefix, options);
  }

  asZarrStore(options: { readonly prefix?: Key } = {}): ZarrReadable {
    return this.#view.asZarrStore(options);
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    const bytes = keyBytes(key);
    const { ifGeneration, signal } = options;
    const condition = ifGeneration === undefined ? {} : { ifGeneration };
    if (value !== null) checkValue(value, "value");
    const mutation: Mutation =
      value === null ? { op: "delete", key: bytes, ...condition } : { op: "put", key: bytes, value, ...condition };
    const receipt = await this.#commit([mutation], { atomic: false, ...(signal === undefined ? {} : { signal }) });
    return {
      written: receipt.applied[0]!,
      // A digest, which is only made when somebody looks.
      get generation() {
        return receipt.generations[0]!;
      },
    };
  }

  async deleteRange(range: KeyRange, options: Cancel = {}): Promise<void> {
    await this.#commit([{ op: "deleteRange", ...range }], { ...options, atomic: true });
  }

  async apply(mutations: readonly Mutation<Key>[], options: Partial<CommitOptions> = {}): Promise<CommitReceipt> {
    return await this.#commit(takeMutations(mutations), { ...options, atomic: options.atomic ?? true });
  }

  async at(spec: VersionSpec, options: Cancel = {}): Promise<OcdbtView> {
    this.#check(options.signal);
    checkVersionSpec(spec);
    const version = await this.#resolve(spec, options);
    const text = `@v${version.generation}/`;
    const source: VersionSource = {
      url: `${this.url}${text}`,
      cached: () => version,
      version: async () => version,
      check: () => this.#check(),
      // The database stays open for others.
      close: async () => {},
    };
    const pinned = this.spec && { ...this.spec, version: Number(version.generation) };
    return new View(source, nodesOf(version, this.parts), pinned);
  }

  async transaction(options: Cancel = {}): Promise<OcdbtTransaction> {
    this.#check(options.signal);
    const base = await this.#newestVersion(0, options);
    const { parts, url, maxStagedBytes } = this.#context;
    const nodes = base === undefined ? parts.nodes : nodesOf(base, parts);
    return beginTransaction({ parts, url, base, nodes, maxStagedBytes });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.parts.committer.close();
    await this.parts.store.close();
  }

  async #commit(mutations: readonly Mutation[], options: CommitOptions): Promise<CommitReceipt> {
    this.#check(options.signal);
    if (!this.capabilities.writable) {
      throw new OcdbtError(
        "read-only",
        `${this.parts.store.url} takes no conditional writes, which every commit needs; open the database where it does`,
        { fields: { url: this.url } },
      );
    }
    return await this.parts.committer.commit(mutations, options);
  }

  async #resolve(spec: VersionSpec, options: Cancel): Promise<VersionEntry> {
    const { manifests, nodes } = this.parts;
    const known = "tag" in spec ? { generation: await this.parts.resolveTag(spec.tag, options) } : spec;
    // A generation that is known already needs no request.
    const newest = manifests.cached(Number.POSITIVE_INFINITY)?.manifest.versions.at(-1)?.generation ?? 0n;
    const settled = "generation" in known && known.generation <= newest;
    const maxStalenessMs = settled ? Number.POSITIVE_INFINITY : 0;
    return await fromManifest(manifests, { maxStalenessMs, ...options }, async (stored) => {
      if (stored !== undefined) {
        this.#context.checkConfig(stored.manifest.config);
        return await resolveVersion(stored.manifest, known, nodes, options);
      }
      const text = printVersion(spec);
      throw new OcdbtError("version-not-found", `there is no version ${text}; ${this.url} has none yet`, {
        fields: { version: text },
      });
    });
  }

  #newest(): VersionSource {
    const { maxStalenessMs } = this.#context;
    const { manifests } = this.parts;
    return {
      url: this.url,
      cached: () => {
        const cached = manifests.cached(maxStalenessMs);
        return cached === undefined ? "ask" : cached.manifest.versions.at(-1);
      },
      version: (options) => this.#newestVersion(maxStalenessMs, options),
      instead: async (version, error, isBegun, options) => {
        if (!isFileGone(error)) throw error;
        const newest = await this.#newestVersion(0, options);
        if (isBegun || newest === undefined || isSameVersion(newest, version)) {
          throw await whyLost(version, error, this.parts, options);
        }
        return newest;
      },
      check: () => this.#check(),
      close: () => this.close(),
    };
  }

  async #newestVersion(maxStalenessMs: number, options: Cancel): Promise<VersionEntry | undefined> {
    return (await this.#manifest(maxStalenessMs, options))?.manifest.versions.at(-1);
  }

  async #manifest(maxStalenessMs: number, options: Cancel): Promise<StoredManifest | undefined> {
    const { manifests } = this.parts;
    const stored = await withOwnSignal(options.signal, (own) => manifests.read({ maxStalenessMs, ...own }));
    if (stored !== undefined) this.#context.checkConfig(stored.manifest.config);
    return stored;
  }

  #check(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new OcdbtError("closed", `${this.url} was closed`, { fields: { url: this.url } });
  }
}
