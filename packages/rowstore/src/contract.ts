/**
 * The row-store contract: sorted rows of timestamped cells, after BigTable's data model, with atomic multi-row
 * transactions on every engine.
 *
 * A cell is addressed by (row key, family, qualifier, timestamp) and holds a byte string; cells of one column are
 * ordered newest first. Row keys and qualifiers are byte strings ordered bytewise. Timestamps are microseconds since
 * the epoch as `bigint`. Ids and counters are `bigint`, never JS numbers.
 * @module
 */

export type Bytes = Uint8Array;

/** A column: a family (short ASCII name) and a qualifier (any bytes, also none). */
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

/** Half-open range of row keys; no `end` means to the last row. */
export interface KeyRange {
  readonly start: Bytes;
  readonly end?: Bytes;
}

/** Rows to read: by key (answered in the order given, absent rows left out) or by range (in key order). */
export type Selection = { readonly keys: readonly Bytes[] } | { readonly ranges: readonly KeyRange[] };

/** Columns to read: exact, or all of a family when there is no qualifier. */
export interface ColumnFilter {
  readonly family: string;
  readonly qualifier?: Bytes;
}

export interface ReadOptions {
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

/** One operation on a row; operations of a mutation apply in order. Without `timestamp`, `set` uses the store's `now()`. */
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
 * value tests (`valueGte` compares bytewise). `absent` holds when no such cell exists.
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

/** What `gc` keeps, by family: the newest `maxVersions` cells of a column and those not older than `maxAgeUs`. */
export type GcRules = Readonly<Record<string, { readonly maxVersions?: number; readonly maxAgeUs?: bigint }>>;

export interface RowStoreCapabilities {
  /** Multi-row transactions are native: readers never meet an unsettled write. */
  readonly multiRowTxn: boolean;
  /** `now()` is the server's clock, shared by all clients. */
  readonly serverClock: boolean;
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
}

export interface RowStore {
  readonly caps: RowStoreCapabilities;
  /** The store's clock, in microseconds. */
  now(): Promise<bigint>;
  /** Streams rows; no engine transaction stays open between two rows for longer than a bounded time. */
  read(selection: Selection, options?: ReadOptions): AsyncIterable<Row>;
  /** Each row atomically, all of them durable when the promise resolves. */
  mutate(rows: readonly RowMutation[]): Promise<void>;
  /** Applies `then` or `otherwise` to one row, atomically with the test. @returns whether the predicate held. */
  checkAndMutate(key: Bytes, when: Predicate, then: readonly Op[], otherwise?: readonly Op[]): Promise<boolean>;
  /** Adds to the 64-bit signed big-endian counter in the newest cell (absent: 0). @returns the new value. */
  increment(key: Bytes, column: Column, by: bigint): Promise<bigint>;
  /** All rows or none, only if every guard holds; durable and visible to every process when the promise resolves. */
  transact(guards: readonly Guard[], rows: readonly RowMutation[]): Promise<TransactResult>;
  gc(rules: GcRules): Promise<void>;
  close(): Promise<void>;
}
