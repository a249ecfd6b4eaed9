/**
 * The key-value contract every driver fulfils and every format package builds on.
 *
 * Keys are byte strings ordered bytewise; a `string` key stands for its UTF-8 bytes. A value is one immutable byte
 * string with a generation that changes whenever the value does. An absent key is `undefined`; a failed condition is a
 * value; everything else that goes wrong is thrown.
 * @module
 */

import type { KvStoreSpecObject } from "./spec.ts";

/** A key: bytes, or a string standing for its UTF-8 bytes. */
export type Key = Uint8Array | string;

/** Opaque token naming one version of one key's value. */
export type Generation = string;

/**
 * Part of a value: from an offset (to the end without `length`), or its last bytes. A range that reaches past the end is
 * clamped: fewer bytes come back, none when it lies wholly beyond, and `size` tells; it is no error.
 */
export type ByteRange = { readonly offset: number; readonly length?: number } | { readonly suffixLength: number };

/** Half-open range of keys; no `end` means to the last key. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end?: Uint8Array;
}

export interface ReadOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
}

/** Options of a read that answers `"unchanged"` when the key still has `ifNotGeneration`. */
export interface ConditionalReadOptions extends ReadOptions {
  readonly ifNotGeneration: Generation;
}

/** Options of either form of `read`, for implementations. */
export interface AnyReadOptions extends ReadOptions {
  readonly ifNotGeneration?: Generation;
}

export interface WriteOptions {
  /** Write only if the key still has this generation; `null`: only if it is absent. */
  readonly ifGeneration?: Generation | null;
  /**
   * With `ifGeneration: null`: the caller alone writes this key, and once, since its name is random (128 bits). Stores may then
   * leave out what keeps the writers of a key apart; and should the machine fail before the write has resolved, the key may hold
   * anything.
   */
  readonly unique?: boolean;
  /** A hold on this key: the write is not kept waiting by it, and ends it when it is applied. One that has ended is of no effect. */
  readonly hold?: KeyHold;
  /** What `stage` gave for this key and value, so that less is left to do. The write uses it up, also when its condition fails. */
  readonly staged?: StagedValue;
  readonly signal?: AbortSignal;
}

/** What {@link KvStore.hold} gives. */
export interface KeyHold {
  /** Ends the hold, unless it has ended. */
  release(): void;
}

/** What {@link KvStore.stage} gives. */
export interface StagedValue {
  /** Removes it, unless a write has used it up. */
  discard(): void;
}

export interface ListOptions {
  readonly prefix?: Key;
  readonly range?: KeyRange;
  readonly signal?: AbortSignal;
}

/** A value (or the part asked for) and the generation it was read at. */
export interface ReadResult {
  readonly value: Uint8Array;
  readonly generation: Generation;
  /** Length of the whole value, also when only a range was read. */
  readonly size: number;
}

/** `generation` after a successful write (`null`: deleted), or the one found when the condition failed (`null`: absent). */
export interface WriteResult {
  readonly written: boolean;
  readonly generation: Generation | null;
}

export interface ListEntry {
  readonly key: Uint8Array;
  readonly size?: number;
}

/** What a driver can do; each flag is a positive promise, so that a wrapper that forgets one is slower, never wrong. */
export interface Capabilities {
  /** `write`, `deleteRange` work at all. */
  readonly writable?: true;
  /** `ifGeneration` is checked and applied in one atomic step, across processes. */
  readonly conditionalWrites?: true;
  readonly list?: true;
  /** Reads that are asked for at once become few requests, so that callers need not hold any back. */
  readonly batchesReads?: true;
}

/** A store of byte strings. Every call takes a `signal`; implementations reject with the signal's reason. */
export interface KvStore {
  readonly capabilities: Capabilities;
  /** Human-readable address, e.g. `file:///data/`; used in error messages. */
  readonly url: string;
  /** The JSON that opens the same keys, here and in TensorStore, where there is such a form; see `storeSpec`. */
  readonly spec?: KvStoreSpecObject | undefined;
  /** @returns the value, or `undefined` when absent. */
  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  /** @returns the value, `undefined` when absent, or `"unchanged"` when the key still has `ifNotGeneration`. */
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  /** Writes, or deletes with `null`; durable when the promise resolves. */
  write(key: Key, value: Uint8Array | null, options?: WriteOptions): Promise<WriteResult>;
  /** Keys in bytewise order. */
  list(options?: ListOptions): AsyncIterable<ListEntry>;
  deleteRange(range: KeyRange, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Keeps every other write of a key waiting, those of other processes included, until the hold is released, the write that was given
   * it is applied, the store is closed, or this process ends: for whoever keeps losing races for a key, and for milliseconds. It saves work and decides
   * nothing; conditions are checked as ever. Stores that cannot have no such method, or give `undefined`.
   */
  hold?(key: Key, options?: { readonly signal?: AbortSignal }): Promise<KeyHold | undefined>;
  /**
   * Makes a value durable ahead of the write that will be given it, unseen by anybody until then: while something else is made
   * durable that must be first. Stores that gain nothing by it have no such method, or give `undefined`.
   */
  stage?(key: Key, value: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<StagedValue | undefined>;
  close(): Promise<void>;
}
