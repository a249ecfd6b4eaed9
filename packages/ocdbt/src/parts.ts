/**
 * What a database is made of: where history, upkeep and the coordinator do their work.
 * @module
 */
import type { KeyHold, KvStore, StagedValue } from "@pcg/kvstore";
import type { CommitEvent, Committer } from "./contract.ts";
import type {
  BtreeNode,
  BtreeNodeReference,
  Config,
  IndirectReference,
  Manifest,
  NodePlace,
  VersionEntry,
  VersionNode,
  VersionNodeReference,
} from "./format/types.ts";

/** A manifest as it was found. */
export interface StoredManifest {
  readonly manifest: Manifest;
  /** What `replace` compares with: a generation of the base store; of a numbered manifest with its number in front. */
  readonly token: string;
  /** When it was known to be the newest, `performance.now()` ms. */
  readonly asOf: number;
  /** Of the answer of `replace`: it was written although the store's answer was lost or said otherwise. */
  readonly recovered?: true;
}

/** A manifest that is durable, and nobody sees yet. */
export interface StagedManifest {
  readonly bytes: Uint8Array;
  readonly value: StagedValue;
}

/** The manifest of one database, single or numbered, in its base store. */
export interface ManifestStore {
  /** The newest manifest known, if it is at most `maxStalenessMs` old; does not ask the store. */
  cached(maxStalenessMs: number): StoredManifest | undefined;
  /** The newest manifest, or one at most `maxStalenessMs` old (0: ask now). `undefined`: there is no database. */
  read(options?: {
    readonly maxStalenessMs?: number;
    readonly signal?: AbortSignal;
  }): Promise<StoredManifest | undefined>;
  /**
   * Makes `next` the manifest if `previous` still is (`undefined`: if there is none), durably. A lost acknowledgement is
   * resolved by looking: the answer is never a guess.
   * @returns the manifest as stored, or `undefined` when another one came first.
   */
  replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    options?: {
      readonly signal?: AbortSignal;
      readonly hold?: KeyHold | undefined;
      /** What `stage` gave for `next`. */
      readonly staged?: StagedManifest | undefined;
    },
  ): Promise<StoredManifest | undefined>;
  /**
   * Makes a manifest durable while what it refers to is made so; nobody sees it before `replace`. `undefined` where nothing is gained.
   * Its value is to be discarded in the end.
   */
  stage(next: Manifest, options?: { readonly signal?: AbortSignal }): Promise<StagedManifest | undefined>;
  /**
   * Keeps other writers of the manifest waiting, see `KvStore.hold`; `undefined` where the store cannot. Which key that is may depend on the
   * manifest that will come `next`: without it there is no hold of numbered ones.
   */
  hold(options?: { readonly next?: Manifest; readonly signal?: AbortSignal }): Promise<KeyHold | undefined>;
}

/** Reads what references name: cached by bytes, in-flight requests shared, bounded in number. */
export interface NodeReader {
  /** The node if it is in memory, so that warm reads need not wait. */
  cachedBtreeNode(place: NodePlace): BtreeNode | undefined;
  /** Puts a node that was just made into memory, as if it had been read. */
  keep(place: NodePlace, node: BtreeNode): void;
  btreeNode(place: NodePlace, options?: { readonly signal?: AbortSignal }): Promise<BtreeNode>;
  /** Begins to read a node that will be asked for. Until then it takes no more memory than it does in the store. */
  ahead(place: NodePlace): (options?: { readonly signal?: AbortSignal }) => Promise<BtreeNode>;
  versionNode(reference: VersionNodeReference, options?: { readonly signal?: AbortSignal }): Promise<VersionNode>;
  value(
    reference: IndirectReference,
    options?: {
      readonly range?: { readonly offset: number; readonly length: number };
      readonly signal?: AbortSignal;
    },
  ): Promise<Uint8Array>;
}

/** One `d/…` file in the making; nothing refers to it before `flush`. */
export interface DataFileWriter {
  /** Names where the bytes will lie. */
  append(bytes: Uint8Array, kind: "value" | "btree" | "version-tree"): IndirectReference;
  /** Resolves when everything appended is durable. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Full keys of the files named so far (a character a byte). */
  readonly files: readonly string[];
  /** Those of them whose writing has begun, for the removal of orphans. */
  readonly begun: readonly string[];
  /** Bytes appended and not yet durable; they are held in memory. */
  readonly pendingBytes: number;
}

/** Files of a change that are none of its writer's. */
export interface WrittenApart {
  readonly files: readonly string[];
  /** They may be about to be swept: from now on others are to be written in their place. */
  forget(): void;
}

/** What a version is made from, for commits that do not come from mutations: restore, expire, compact. */
export interface ManifestUpdate {
  /** Must be pure: it is called again on a newer manifest after a conflict. `undefined`: nothing to do. */
  readonly next: (current: Manifest, writer: DataFileWriter) => Promise<Manifest | undefined>;
  /** What `next` writes by other means and refers to, also when it is called again. */
  readonly apart?: WrittenApart | undefined;
  readonly message?: string;
  readonly author?: string;
  readonly signal?: AbortSignal;
}

export interface DatabaseParts {
  /** The store that holds the manifest and the data files. */
  readonly store: KvStore;
  readonly manifests: ManifestStore;
  readonly nodes: NodeReader;
  readonly committer: Committer;
  readonly config: Config;
  /** The tag's generation. @throws `OcdbtError` `version-not-found` */
  resolveTag(name: string, options?: { readonly signal?: AbortSignal }): Promise<bigint>;
  newDataFileWriter(): DataFileWriter;
  /** The commit loop (back-off, removal of its own orphans, recognition of its own success) around any change. */
  updateManifest(update: ManifestUpdate): Promise<StoredManifest | undefined>;
  /** `manifest` with one more version of this root; version nodes that fill up go through `writer`. */
  appendVersion(
    manifest: Manifest,
    root: BtreeNodeReference,
    writer: DataFileWriter,
  ): Promise<{ readonly manifest: Manifest; readonly version: VersionEntry }>;
  onCommit(listener: (event: CommitEvent) => void): () => void;
}
