/**
 * The in-memory engine: the reference every other engine is compared with. Rows are immutable and replaced by each
 * write, so a reader keeps what it has. Calls take effect one after another in the order they were made.
 * @module
 */
import { compareCells, compareColumns } from "./bytewise.ts";
import { holds, selectCells } from "./cell-filter.ts";
import { type Clock, createSystemClock } from "./clock.ts";
import type {
  Bytes,
  Cell,
  Column,
  GcRules,
  Guard,
  KeyRange,
  Op,
  Predicate,
  ReadOptions,
  Row,
  RowMutation,
  RowStore,
  RowStoreCapabilities,
  Selection,
  TransactResult,
} from "./contract.ts";
import { addToCounter, decodeCounter, encodeCounter } from "./counter.ts";
import { RowStoreError } from "./errors.ts";
import { keepsCell } from "./gc-rules.ts";
import { mergeRanges } from "./key-range.ts";
import {
  CELL_LIMITS,
  checkGcRules,
  checkGuards,
  checkIncrement,
  checkKey,
  checkMutations,
  checkOps,
  checkPredicate,
  checkRead,
  MAX_TIMESTAMP,
} from "./limits.ts";
import { SortedMap } from "./sorted-map.ts";

const CAPS: RowStoreCapabilities = {
  multiRowTxn: true,
  serverClock: true,
  ...CELL_LIMITS,
};

/** Rows a range read collects at a time; a write between two collections is seen by the later one. */
const ROWS_PER_BATCH = 256;

export interface MemoryRowStoreOptions {
  /** Microseconds since the epoch; default: the system clock, strictly increasing. */
  readonly clock?: Clock;
}

/** A row store that lives and dies with its object. */
export function memoryRowStore(options: MemoryRowStoreOptions = {}): RowStore {
  return new MemoryRowStore(options.clock ?? createSystemClock());
}

class MemoryRowStore implements RowStore {
  readonly caps: RowStoreCapabilities = CAPS;
  private readonly rows = new SortedMap<readonly Cell[]>();
  private readonly clock: Clock;
  private closed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async now(): Promise<bigint> {
    this.checkOpen();
    return this.clock();
  }

  async *read(selection: Selection, options: ReadOptions = {}): AsyncIterable<Row> {
    this.checkOpen();
    checkRead(selection, options, this.caps);
    options.signal?.throwIfAborted();
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const batches =
      "keys" in selection ? this.readKeys(selection.keys, options) : this.readRanges(selection.ranges, options);
    for (const rows of batches) {
      for (const row of rows) {
        if (left-- <= 0) return;
        yield row;
        options.signal?.throwIfAborted();
      }
      this.checkOpen();
    }
  }

  private *readKeys(keys: readonly Bytes[], options: ReadOptions): Iterable<Row[]> {
    const rows: Row[] = [];
    for (const key of keys) {
      const row = copyRow(key, selectCells(this.rows.get(key) ?? [], options));
      if (row !== undefined) rows.push(row);
    }
    yield rows;
  }

  private *readRanges(ranges: readonly KeyRange[], options: ReadOptions): Iterable<Row[]> {
    for (const range of mergeRanges(ranges)) {
      let start = range.start;
      for (;;) {
        const entries = this.rows.range(start, range.end, ROWS_PER_BATCH);
        yield entries.flatMap(({ key, value }) => copyRow(key, selectCells(value, options)) ?? []);
        if (entries.length < ROWS_PER_BATCH) break;
        start = successor(entries.at(-1)!.key);
      }
    }
  }

  async mutate(rows: readonly RowMutation[]): Promise<void> {
    this.checkOpen();
    checkMutations(rows, this.caps);
    this.apply(rows);
  }

  async checkAndMutate(
    key: Bytes,
    when: Predicate,
    then: readonly Op[],
    otherwise: readonly Op[] = [],
  ): Promise<boolean> {
    this.checkOpen();
    checkKey(key, this.caps);
    checkPredicate(key, when, this.caps);
    checkOps(key, then, this.caps);
    checkOps(key, otherwise, this.caps);
    const held = holds(when, this.rows.get(key) ?? []);
    this.apply([{ key, ops: held ? then : otherwise }]);
    return held;
  }

  async increment(key: Bytes, column: Column, by: bigint): Promise<bigint> {
    this.checkOpen();
    checkIncrement(key, column, by, this.caps);
    const newest = this.rows.get(key)?.find((cell) => compareColumns(cell, column) === 0);
    const sum = addToCounter(newest === undefined ? 0n : decodeCounter(newest.value), by);
    const now = this.clock();
    const timestamp = newest !== undefined && newest.timestamp > now ? newest.timestamp : now;
    this.apply([{ key, ops: [{ op: "set", column, value: encodeCounter(sum), timestamp }] }], now);
    return sum;
  }

  async transact(guards: readonly Guard[], rows: readonly RowMutation[]): Promise<TransactResult> {
    this.checkOpen();
    checkGuards(guards, this.caps);
    checkMutations(rows, this.caps);
    const failedGuard = guards.findIndex(({ key, when }) => !holds(when, this.rows.get(key) ?? []));
    if (failedGuard >= 0) return { committed: false, failedGuard };
    this.apply(rows);
    return { committed: true };
  }

  async gc(rules: GcRules): Promise<void> {
    this.checkOpen();
    checkGcRules(rules);
    const now = this.clock();
    for (const { key, value: cells } of this.rows.range(new Uint8Array(0), undefined, Number.POSITIVE_INFINITY)) {
      let rank = 0;
      const kept = cells.filter((cell, i) => {
        rank = i > 0 && compareColumns(cells[i - 1]!, cell) === 0 ? rank + 1 : 0;
        return keepsCell(rules[cell.family], rank, cell.timestamp, now);
      });
      if (kept.length < cells.length) this.replace(key, kept);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.rows.clear();
  }

  private checkOpen(): void {
    if (this.closed) throw new RowStoreError("CLOSED", "the row store is closed; open it again");
  }

  private apply(rows: readonly RowMutation[], now: bigint = this.clock()): void {
    for (const { key, ops } of rows) {
      let cells = this.rows.get(key) ?? [];
      for (const op of ops) cells = applyOp(cells, op, now);
      this.replace(key, cells);
    }
  }

  private replace(key: Bytes, cells: readonly Cell[]): void {
    if (cells.length === 0) this.rows.delete(key);
    else this.rows.set(key, cells);
  }
}

function applyOp(cells: readonly Cell[], op: Op, now: bigint): readonly Cell[] {
  switch (op.op) {
    case "set": {
      const { family, qualifier } = op.column;
      const timestamp = op.timestamp ?? now;
      return withCell(cells, { family, qualifier: qualifier.slice(), timestamp, value: op.value.slice() });
    }
    case "deleteColumn": {
      const { column, from = 0n, to = MAX_TIMESTAMP + 1n } = op;
      return cells.filter(
        (cell) => compareColumns(cell, column) !== 0 || cell.timestamp < from || cell.timestamp >= to,
      );
    }
    case "deleteRow":
      return [];
  }
}

function withCell(cells: readonly Cell[], cell: Cell): Cell[] {
  let low = 0;
  let high = cells.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareCells(cells[middle]!, cell) < 0) low = middle + 1;
    else high = middle;
  }
  const replaced = low < cells.length && compareCells(cells[low]!, cell) === 0 ? 1 : 0;
  return [...cells.slice(0, low), cell, ...cells.slice(low + replaced)];
}

/** Callers own what they read. */
function copyRow(key: Bytes, cells: readonly Cell[]): Row | undefined {
  if (cells.length === 0) return undefined;
  return {
    key: key.slice(),
    cells: cells.map((cell) => ({ ...cell, qualifier: cell.qualifier.slice(), value: cell.value.slice() })),
  };
}

/** The first key after `key`. */
function successor(key: Bytes): Bytes {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
