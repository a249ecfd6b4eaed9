/**
 * The LMDB engine: a folder on a local disk, used by any number of processes at a time. One writer at a time, readers
 * never wait; a process may be killed at any moment.
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { holds } from "./cell-filter.ts";
import { KeyBuffer } from "./cell-key.ts";
import { type Clock, createSystemClock } from "./clock.ts";
import type {
  Bytes,
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
} from "./limits.ts";
import { applyOps } from "./lmdb/cell-writer.ts";
import { collectGarbage } from "./lmdb/collect-garbage.ts";
import { allSettled } from "./lmdb/commit-queue.ts";
import { acquireEnvironment, type Environment, releaseEnvironment } from "./lmdb/environment.ts";
import { ReadPlan } from "./lmdb/read-plan.ts";

const CAPS: RowStoreCapabilities = { multiRowTxn: true, serverClock: true, ...CELL_LIMITS };

/** How long a read may hold up the event loop, and how much of a read is in memory before it is handed out. */
const SLICE_MS = 4;
const BATCH_ROWS = 1024;
const BATCH_BYTES = 8 * 2 ** 20;
/** A key read is one snapshot until its values reach this size. */
const SNAPSHOT_BYTES = 64 * 2 ** 20;
/** Cells of a `mutate` from which on its further rows go into another write. */
const MUTATE_CELLS = 1024;

export interface LmdbRowStoreOptions {
  /** Microseconds since the epoch; default: the system clock, strictly increasing in this process. */
  readonly clock?: Clock;
}

/**
 * Opens the row store in a folder, or makes one where there is none or an empty one. The folder must be on a local
 * disk. Further stores opened on the same folder by this process share its files; other processes may open it too.
 *
 * @throws RowStoreError `NOT_A_ROW_STORE`, `VERSION_MISMATCH` or `CANNOT_OPEN`.
 */
export async function openLmdbRowStore(folder: string, options: LmdbRowStoreOptions = {}): Promise<RowStore> {
  return new LmdbRowStore(await acquireEnvironment(folder), options.clock ?? createSystemClock());
}

class LmdbRowStore implements RowStore {
  readonly caps: RowStoreCapabilities = CAPS;
  private readonly environment: Environment;
  private readonly clock: Clock;
  private closing: Promise<void> | undefined;
  /** Snapshots held open, and whom to tell when there is none. */
  private snapshots = 0;
  private whenNoSnapshots: (() => void) | undefined;

  constructor(environment: Environment, clock: Clock) {
    this.environment = environment;
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
    const { limit = Number.POSITIVE_INFINITY, signal } = options;
    if (limit === 0) return;
    const batches =
      "keys" in selection
        ? this.readKeys(selection.keys, new ReadPlan(options), limit, signal)
        : this.readRanges(selection.ranges, new ReadPlan(options), limit);
    for await (const rows of batches) {
      for (const row of rows) {
        yield row;
        signal?.throwIfAborted();
      }
    }
  }

  private async *readKeys(
    keys: readonly Bytes[],
    plan: ReadPlan,
    limit: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Row[]> {
    for (let position = 0, left = limit; position < keys.length && left > 0; ) {
      const snapshot = await this.readSnapshot(keys, position, plan, left, signal);
      yield snapshot.rows;
      position = snapshot.position;
      left -= snapshot.rows.length;
    }
  }

  /** Rows of the keys from `position` on, all as of one moment, until they are big enough to be handed out first. */
  private async readSnapshot(
    keys: readonly Bytes[],
    position: number,
    plan: ReadPlan,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<{ rows: Row[]; position: number }> {
    const { reader } = this.environment;
    const rows: Row[] = [];
    let next = position;
    let bytes = 0;
    let deadline = performance.now() + SLICE_MS;
    // LMDB's current read transaction is this one until the first pause, and after it if nobody has committed since.
    // Reading in the current transaction reuses its cursor; naming another one is several times slower.
    const snapshot = this.beginSnapshot();
    let transaction: typeof snapshot | undefined;
    try {
      for (; next < keys.length && rows.length < limit && bytes < SNAPSHOT_BYTES; next++) {
        const key = keys[next]!;
        const cells = reader.readCells(key, plan, transaction);
        if (cells.length > 0) {
          rows.push({ key, cells });
          for (const cell of cells) bytes += cell.value.length;
        }
        if ((next & 15) === 15 && performance.now() > deadline) {
          await setImmediate();
          this.checkOpen();
          signal?.throwIfAborted();
          const current = this.environment.cells.useReadTransaction();
          current.done();
          transaction = current === snapshot ? undefined : snapshot;
          deadline = performance.now() + SLICE_MS;
        }
      }
    } finally {
      this.endSnapshot(snapshot);
    }
    return { rows, position: next };
  }

  private async *readRanges(ranges: readonly KeyRange[], plan: ReadPlan, limit: number): AsyncIterable<Row[]> {
    let left = limit;
    for (const range of mergeRanges(ranges)) {
      let next: Bytes | undefined = new KeyBuffer().putEscaped(range.start).toBytes();
      const last = range.end === undefined ? undefined : new KeyBuffer().putEscaped(range.end).toBytes();
      while (next !== undefined && left > 0) {
        this.checkOpen();
        const deadline = performance.now() + SLICE_MS;
        const maxRows = Math.min(left, BATCH_ROWS);
        let bytes = 0;
        let counted = 0;
        this.environment.cells.resetReadTxn();
        const batch = this.environment.reader.readRange(next, last, plan, (rows) => {
          for (; counted < rows.length; counted++) for (const cell of rows[counted]!.cells) bytes += cell.value.length;
          return rows.length >= maxRows || bytes >= BATCH_BYTES || performance.now() > deadline;
        });
        yield batch.rows;
        left -= batch.rows.length;
        next = batch.next;
        if (next !== undefined) await setImmediate();
      }
    }
  }

  async mutate(rows: readonly RowMutation[]): Promise<void> {
    this.checkOpen();
    checkMutations(rows, this.caps);
    const now = this.clock();
    const writes: Promise<void>[] = [];
    for (let start = 0; start < rows.length; ) {
      let end = start;
      let size = { cells: 0, bytes: 0 };
      do {
        const { cells, bytes } = sizeOf(rows[end]!);
        size = { cells: size.cells + cells, bytes: size.bytes + bytes };
        end++;
      } while (end < rows.length && size.cells < MUTATE_CELLS && size.bytes < BATCH_BYTES);
      const part = rows.slice(start, end);
      writes.push(
        this.environment.writes.submit({ ...size, blind: part.every(isBlind), run: () => this.apply(part, now) }),
      );
      start = end;
    }
    await allSettled(writes);
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
    return this.environment.writes.submit({
      ...sizeOf({ key, ops: then.length > otherwise.length ? then : otherwise }),
      blind: false,
      run: () => {
        const held = this.guardHolds({ key, when });
        this.apply([{ key, ops: held ? then : otherwise }], this.clock());
        return held;
      },
    });
  }

  async increment(key: Bytes, column: Column, by: bigint): Promise<bigint> {
    this.checkOpen();
    checkIncrement(key, column, by, this.caps);
    const plan = new ReadPlan({ columns: [column], versions: 1 });
    return this.environment.writes.submit({
      cells: 1,
      bytes: 8,
      blind: false,
      run: () => {
        const [newest] = this.environment.reader.readCells(key, plan);
        const sum = addToCounter(newest === undefined ? 0n : decodeCounter(newest.value), by);
        const now = this.clock();
        const timestamp = newest !== undefined && newest.timestamp > now ? newest.timestamp : now;
        this.apply([{ key, ops: [{ op: "set", column, value: encodeCounter(sum), timestamp }] }], now);
        return sum;
      },
    });
  }

  async transact(guards: readonly Guard[], rows: readonly RowMutation[]): Promise<TransactResult> {
    this.checkOpen();
    checkGuards(guards, this.caps);
    checkMutations(rows, this.caps);
    let cells = guards.length;
    let bytes = 0;
    for (const row of rows) {
      const size = sizeOf(row);
      cells += size.cells;
      bytes += size.bytes;
    }
    return this.environment.writes.submit<TransactResult>({
      cells,
      bytes,
      blind: guards.length === 0 && rows.every(isBlind),
      run: () => {
        const failedGuard = guards.findIndex((guard) => !this.guardHolds(guard));
        if (failedGuard >= 0) return { committed: false, failedGuard };
        this.apply(rows, this.clock());
        return { committed: true };
      },
    });
  }

  async gc(rules: GcRules): Promise<void> {
    this.checkOpen();
    checkGcRules(rules);
    await collectGarbage(this.environment, rules, this.clock(), async () => {
      await setImmediate();
      this.checkOpen();
    });
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    if (this.snapshots > 0) await new Promise<void>((resolve) => (this.whenNoSnapshots = resolve));
    await releaseEnvironment(this.environment);
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw new RowStoreError("CLOSED", "the row store is closed; open it again");
  }

  private beginSnapshot(): ReturnType<Environment["cells"]["useReadTransaction"]> {
    const { cells } = this.environment;
    // LMDB keeps one read transaction for all reads of a turn of the event loop; a new one sees the latest commit.
    cells.resetReadTxn();
    this.snapshots++;
    return cells.useReadTransaction();
  }

  private endSnapshot(snapshot: ReturnType<Environment["cells"]["useReadTransaction"]>): void {
    snapshot.done();
    this.snapshots--;
    if (this.snapshots === 0) this.whenNoSnapshots?.();
  }

  private guardHolds({ key, when }: Guard): boolean {
    return holds(when, this.environment.reader.readCells(key, new ReadPlan({ columns: columnsOf(when) })));
  }

  private apply(rows: readonly RowMutation[], now: bigint): void {
    const { cells, reader } = this.environment;
    for (const { key, ops } of rows) applyOps(cells, reader, key, ops, now);
  }
}

function columnsOf(when: Predicate): Column[] {
  return "of" in when ? when.of.flatMap(columnsOf) : [when.column];
}

function isBlind(row: RowMutation): boolean {
  return row.ops.every(({ op }) => op === "set");
}

/** What writing the row costs, roughly: a deletion visits cells nobody has counted. */
function sizeOf({ ops }: RowMutation): { cells: number; bytes: number } {
  let cells = 0;
  let bytes = 0;
  for (const op of ops) {
    cells += op.op === "set" ? 1 : 16;
    if (op.op === "set") bytes += op.value.length + 64;
  }
  return { cells, bytes };
}
