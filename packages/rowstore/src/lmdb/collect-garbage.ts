import { decodeColumn, decodeEscaped, KeyBuffer } from "../cell-key.ts";
import type { Bytes, GcRules } from "../contract.ts";
import { keepsCell } from "../gc-rules.ts";
import { type CellPlan, ColumnTracker, WHOLE_ROW } from "./cell-plan.ts";
import { allSettled } from "./commit-queue.ts";
import type { Environment } from "./environment.ts";

/** Wants the cells that the rules let go. */
class GarbagePlan implements CellPlan {
  readonly spans = WHOLE_ROW;
  private readonly rules: GcRules;
  private readonly now: bigint;
  private readonly tracker = new ColumnTracker();
  private rank = 0;

  constructor(rules: GcRules, now: bigint) {
    this.rules = rules;
    this.now = now;
  }

  beginRow(): void {
    this.tracker.beginRow();
  }

  columnIsDone(): boolean {
    return false;
  }

  wants(key: Bytes, start: number, end: number): boolean {
    this.rank = this.tracker.enters(key, start, end) ? 0 : this.rank + 1;
    const { family, timestamp } = decodeColumn(key, start, end);
    return !keepsCell(this.rules[family], this.rank, timestamp, this.now);
  }
}

/** Notes the rows with at least one such cell; wants none of them. */
class GarbageSearch implements CellPlan {
  readonly spans = WHOLE_ROW;
  readonly rows: Bytes[] = [];
  private readonly garbage: GarbagePlan;
  private row: KeyBuffer | undefined;

  constructor(garbage: GarbagePlan) {
    this.garbage = garbage;
  }

  beginRow(row: KeyBuffer): void {
    this.garbage.beginRow();
    this.row = row;
  }

  columnIsDone(): boolean {
    return false;
  }

  wants(key: Bytes, start: number, end: number): boolean {
    if (this.garbage.wants(key, start, end) && this.row !== undefined) {
      this.rows.push(decodeEscaped(this.row.bytes, 0, this.row.length));
      this.row = undefined;
    }
    return false;
  }
}

const ROWS_PER_STRETCH = 512;

/**
 * Looks for rows with cells to drop, a stretch at a time, without holding up writers; then judges each such row again
 * in the transaction that drops them, because it may have changed. `pause` is called between two stretches.
 */
export async function collectGarbage(
  environment: Environment,
  rules: GcRules,
  now: bigint,
  pause: () => Promise<void>,
): Promise<void> {
  const { reader, cells, writes } = environment;
  const plan = new GarbagePlan(rules, now);
  const sweep = (row: Bytes) => {
    for (const key of reader.readKeys(row, plan)) void cells.remove(key);
  };
  let next: Bytes | undefined = new KeyBuffer().putEscaped(new Uint8Array(0)).toBytes();
  while (next !== undefined) {
    const search = new GarbageSearch(plan);
    let rowsLeft = ROWS_PER_STRETCH;
    cells.resetReadTxn();
    next = reader.readRange(next, undefined, search, () => --rowsLeft <= 0).next;
    await allSettled(
      search.rows.map((row) => writes.submit({ cells: 64, bytes: 0, blind: false, run: () => sweep(row) })),
    );
    await pause();
  }
}
