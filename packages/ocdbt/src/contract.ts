/**
 * What a database is to the rest of this package and to its callers. Everything else is a function over these: `diff(db, …)`,
 * `restore(db, …)`, `expire(db, …)`.
 * @module
 */
import type { Generation, Key, KeyRange, KvStore, ListEntry } from "@pcg/kvstore";
import type { RequestId } from "./coordinator/request-id.ts";
import type { Config, IndirectReference, VersionEntry } from "./format/types.ts";
import type { DatabaseParts } from "./parts.ts";

/**
 * One version of a database: a generation, the newest version committed at or before a time (ns since the epoch; a text is
 * `YYYY-MM-DDThh:mm:ss[.fffffffff]Z`), a tag, or the n-th before the newest.
 */
export type VersionSpec =
  | { readonly generation: bigint }
  | { readonly time: bigint | string }
  | { readonly tag: string }
  | { readonly ancestor: number };

/** A token that names the state that was read or written; pin by generation, never by a clock. */
export interface Head {
  readonly generation: bigint;
  /** ns since the epoch. */
  readonly commitTime: bigint;
}

/** One change of a commit. Keys are at most 65,535 bytes; where `K` is `Key`, a string stands for its UTF-8 bytes. */
export type Mutation<K extends Key = Uint8Array> =
  | {
      readonly op: "put";
      readonly key: K;
      /** Bytes, or a value that already lies in a data file of this database. */
      readonly value: Uint8Array | IndirectReference;
      /** Only if the key still has this generation; `null`: only if absent. */
      readonly ifGeneration?: Generation | null;
    }
  | { readonly op: "delete"; readonly key: K; readonly ifGeneration?: Generation | null }
  /** All keys from `start` on, to before `end` if there is one. */
  | { readonly op: "deleteRange"; readonly start: K; readonly end?: K };

/** What must still be so for a commit to happen: a key's generation (`null`: absent), or every entry of a range. */
export type Expectation =
  | { readonly key: Uint8Array; readonly generation: Generation | null }
  | ({
      /** Unchanged since this version; 0: since before the first. */
      readonly since: bigint;
    } & KeyRange);

export interface CommitOptions {
  /** All mutations in one version or none, conditions included. Otherwise each condition decides about its own mutation. */
  readonly atomic: boolean;
  /** Unless all of these hold, nothing is written and the commit rejects with `conflict`. */
  readonly expects?: readonly Expectation[];
  /** Kept beside the database, see `log`; TensorStore does not see them. */
  readonly message?: string;
  readonly author?: string;
  /** Names the commit, so that it is done once however often it is asked for, by whichever process. */
  readonly request?: {
    readonly id: RequestId;
    /** The newest generation there was when it was first asked for. */
    readonly since: bigint;
    /** Whether it may have been done: the versions after `since` are looked at first. */
    readonly sentBefore: boolean;
  };
  /** Called after the manifest is read and before it is replaced; nothing is written when it rejects. */
  readonly mayCommit?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** What became of a commit. */
export interface CommitReceipt {
  /** The version that holds the mutations; `undefined` when no condition held, and so nothing was written. */
  readonly head: Head | undefined;
  /** Per mutation in their order: whether its condition held. All `true` for unconditional ones. */
  readonly applied: readonly boolean[];
  /** Per mutation: the key's generation now (`null`: absent); of a range `null`. */
  readonly generations: readonly (Generation | null)[];
}

/** Turns mutations into a version. Direct: by replacing the manifest. Coordinated: by asking the one committer. */
export interface Committer {
  commit(mutations: readonly Mutation[], options: CommitOptions): Promise<CommitReceipt>;
  close(): Promise<void>;
}

/** What an attempt to commit did; for logs, metrics and tests. */
export interface CommitEvent {
  readonly kind: "committed" | "conflict" | "recovered";
  readonly generation: bigint;
  readonly attempt: number;
  /** Files this commit wrote and then removed, because the final manifest does not refer to them. */
  readonly orphansRemoved: number;
  /** ns this machine's clock is behind the newest commit; 0 unless it is. */
  readonly clockBehind: bigint;
}

/** What is directly below a prefix: a key, or all that begins with a longer prefix ending in the delimiter. */
export type LevelEntry =
  | ({ readonly kind: "key" } & ListEntry)
  | { readonly kind: "prefix"; readonly prefix: Uint8Array };

/** A read-only view: the newest version, re-read when stale, or one pinned version. Also a store of its own. */
export interface OcdbtView extends KvStore {
  /** The version this view reads now. `undefined`: the database has no version yet. */
  version(options?: { readonly signal?: AbortSignal }): Promise<VersionEntry | undefined>;
  /**
   * Keys and folders directly below `prefix`, in order; what lies inside folders is skipped, mostly unread.
   * @param options `delimiter`: one byte or more that ends a folder's name; a slash unless told.
   */
  listLevel(
    prefix?: Key,
    options?: { readonly delimiter?: Key; readonly signal?: AbortSignal },
  ): AsyncIterable<LevelEntry>;
  /** For zarrita, read only: keys with or without a leading slash, in the folder `prefix` (with or without a slash at its end). */
  asZarrStore(options?: { readonly prefix?: Key }): ZarrReadable;
}

/** The store contract of zarrita, reading. */
export interface ZarrReadable {
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array | undefined>;
  getRange(
    key: string,
    range: { readonly offset: number; readonly length: number } | { readonly suffixLength: number },
    options?: { readonly signal?: AbortSignal },
  ): Promise<Uint8Array | undefined>;
}

/**
 * Changes that become one version together, or not at all. Reads, lists and range deletes see the changes before
 * (read-your-writes) over the version the transaction began at; a commit fails with `conflict` when a key that was read, or
 * a range that was listed, has changed since.
 */
export interface OcdbtTransaction extends Omit<OcdbtView, "asZarrStore"> {
  /** As of a view, and with `set`: what is set is written when the transaction commits. */
  asZarrStore(options?: {
    readonly prefix?: Key;
  }): ZarrReadable & { set(key: string, value: Uint8Array): Promise<void> };
  commit(options?: Omit<CommitOptions, "atomic">): Promise<CommitReceipt>;
  /** Forgets the changes. Values already uploaded become garbage that is removed. */
  abort(): Promise<void>;
}

/** A database: reads of the newest version, writes that each are a commit (together with whatever else waits). */
export interface OcdbtDatabase extends OcdbtView {
  /** Its machinery, for functions that do what no key-value store does. */
  readonly parts: DatabaseParts;
  readonly uuid: string;
  readonly config: Config;
  head(options?: { readonly signal?: AbortSignal }): Promise<Head | undefined>;
  /** @throws `OcdbtError` `version-not-found` */
  at(version: VersionSpec, options?: { readonly signal?: AbortSignal }): Promise<OcdbtView>;
  transaction(options?: { readonly signal?: AbortSignal }): Promise<OcdbtTransaction>;
  /** Several mutations as they come from a file or another process; `atomic` unless told. */
  apply(mutations: readonly Mutation<Key>[], options?: Partial<CommitOptions>): Promise<CommitReceipt>;
}
