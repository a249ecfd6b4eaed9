/**
 * The row-store contract: sorted rows of timestamped cells, after BigTable's data model, with atomic multi-row
 * transactions on every engine.
 *
 * A cell is addressed by (row key, family, qualifier, timestamp) and holds a byte string; cells of one column are
 * ordered newest first. Row keys and qualifiers are byte strings ordered bytewise. Timestamps are microseconds since
 * the epoch as `bigint`, from 0 to 2^63 - 1. Ids and counters are `bigint`, never JS numbers.
 *
 * Bytes passed in must not change until the call's promise settles; rows read belong to the reader, but cells of one
 * read may share the bytes of their qualifiers, and a row read by key may hold the very key it was asked for. Bad
 * arguments, and everything else a store finds wrong by itself, are a `RowStoreError`; a refused call writes nothing.
 * @module
 */

export type Bytes = Uint8Array;

/** A column: a family (1 to 16 of A-Z a-z 0-9 _ . -) and a qualifier (any bytes, also none). */
export interface Column {
  readonly family: string;
  readonly qualifier: Bytes;
}

export interface Cell extends Column {
  readonly timestamp: bigint;
  readonly value: Bytes;
}

/** A row with at least one cell; cells in order of family, qualifier, then newest first. */
export interface Row {
  readonly key: Bytes;
  readonly cells: readonly Cell[];
}

/** Half-open range of row keys; no `end` means to the last row, `end` at or before `start` is an empty range. */
export interface KeyRange {
  readonly start: Bytes;
  readonly end?: Bytes;
}

/**
 * Rows to read: by key (answered in the order given, once per mention, absent rows left out) or by range (in key order,
 * each row once however the ranges overlap).
 */
export type Selection = { readonly keys: readonly Bytes[] } | { readonly ranges: readonly KeyRange[] };

/** Columns to read: exact, or all of a family when there is no qualifier. */
export interface ColumnFilter {
  readonly family: string;
  readonly qualifier?: Bytes;
}

/** A row without any cell that these options ask for is left out. */
export interface ReadOptions {
  /** Default: all; an empty list asks for none. */
  readonly columns?: readonly ColumnFilter[];
  /** Cells with `from <= timestamp` … */
  readonly from?: bigint;
  /** … `< to`. */
  readonly to?: bigint;
  /** At most this many newest cells per column (after the time window is applied). */
  readonly versions?: number;
  /** At most this many rows. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/**
 * One operation on a row; operations of a mutation apply in order. Setting a cell that exists replaces its value.
 * Without `timestamp`, `set` uses the store's `now()`, the same for the whole call. `deleteColumn` takes the cells in
 * [from, to), by default all.
 */
export type Op =
  | { readonly op: "set"; readonly column: Column; readonly value: Bytes; readonly timestamp?: bigint }
  | { readonly op: "deleteColumn"; readonly column: Column; readonly from?: bigint; readonly to?: bigint }
  | { readonly op: "deleteRow" };

export interface RowMutation {
  readonly key: Bytes;
  readonly ops: readonly Op[];
}

/**
 * A condition on one row. `cell` holds when at least one cell of the column lies in [tsFrom, tsTo) and satisfies the
 * value tests (`valueGte` compares bytewise). `absent` holds when no such cell exists. `any` of nothing does not hold,
 * `all` of nothing does.
 */
export type Predicate =
  | {
      readonly kind: "cell" | "absent";
      readonly column: Column;
      readonly tsFrom?: bigint;
      readonly tsTo?: bigint;
      readonly valueEq?: Bytes;
      readonly valueGte?: Bytes;
    }
  | { readonly kind: "any" | "all"; readonly of: readonly Predicate[] };

/** A predicate that must hold on a row for a transaction to commit. */
export interface Guard {
  readonly key: Bytes;
  readonly when: Predicate;
}

/** Outcome of a transaction: committed, or the index of the first guard that did not hold (then nothing was written). */
export type TransactResult = { readonly committed: true } | { readonly committed: false; readonly failedGuard: number };

/**
 * What `gc` keeps, by family: the newest `maxVersions` cells of a column and those not older than `maxAgeUs`; with both
 * given a cell goes only when both let it go. Families without a limit are left alone.
 */
export type GcRules = Readonly<Record<string, { readonly maxVersions?: number; readonly maxAgeUs?: bigint }>>;

export interface RowStoreCapabilities {
  /** Multi-row transactions are native: readers never meet an unsettled write. */
  readonly multiRowTxn: boolean;
  /** `now()` is the server's clock, shared by all clients. */
  readonly serverClock: boolean;
  /** Longest row key, and longest row key and qualifier together. */
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
}

export interface RowStore {
  readonly caps: RowStoreCapabilities;
  /** The store's clock, in microseconds. */
  now(): Promise<bigint>;
  /**
   * Streams rows. Every row is of one moment, no earlier than the first call of `next`. A read by keys as a whole is of
   * one moment as long as its values are at most 64 MiB together; rows of a range read may be of different moments, later
   * ones further on. No engine transaction stays open while the consumer thinks, however long.
   */
  read(selection: Selection, options?: ReadOptions): AsyncIterable<Row>;
  /**
   * Each row atomically (mentions of the same row may be separate steps, in order), all of them durable when the promise
   * resolves. When it rejects, rows of a long list may have been written and others not.
   */
  mutate(rows: readonly RowMutation[]): Promise<void>;
  /** Applies `then` or `otherwise` to one row, atomically with the test. @returns whether the predicate held. */
  checkAndMutate(key: Bytes, when: Predicate, then: readonly Op[], otherwise?: readonly Op[]): Promise<boolean>;
  /**
   * Adds to the 64-bit signed big-endian counter in the newest cell (absent: 0); the sum becomes the newest cell, at
   * `now()` or the old cell's time, whichever is later. @returns the new value.
   */
  increment(key: Bytes, column: Column, by: bigint): Promise<bigint>;
  /** All rows or none, only if every guard holds; durable and visible to every process when the promise resolves. */
  transact(guards: readonly Guard[], rows: readonly RowMutation[]): Promise<TransactResult>;
  /** Drops what the rules do not keep, a few rows at a time: neither atomic nor in the way of other calls. */
  gc(rules: GcRules): Promise<void>;
  /** Waits for the writes under way; afterwards every call fails with `CLOSED`. */
  close(): Promise<void>;
}
