import { compareBytes } from "../bytewise.ts";
import { KeyBuffer, TIMESTAMP_BYTES } from "../cell-key.ts";
import type { Bytes, ColumnFilter, ReadOptions } from "../contract.ts";
import { MAX_TIMESTAMP } from "../limits.ts";
import { type CellPlan, ColumnTracker, type Span, WHOLE_ROW } from "./cell-plan.ts";

/** The cells that the options of a read ask for. */
export class ReadPlan implements CellPlan {
  readonly spans: readonly Span[];
  private readonly versions: number;
  private readonly newest: Bytes | undefined;
  private readonly oldest: Bytes | undefined;
  private readonly tracker = new ColumnTracker();
  private columnWanted = false;
  private taken = 0;
  private past = false;

  constructor({ columns, from = 0n, to = MAX_TIMESTAMP + 1n, versions = Number.POSITIVE_INFINITY }: ReadOptions) {
    this.versions = versions;
    if (from < to) {
      this.newest = to <= MAX_TIMESTAMP ? new KeyBuffer().putTimestamp(to - 1n).toBytes() : undefined;
      this.oldest = from > 0n ? new KeyBuffer().putTimestamp(from).toBytes() : undefined;
      this.spans = columns === undefined ? WHOLE_ROW : spansOf(columns, this.newest, this.oldest);
    } else {
      this.spans = [];
    }
  }

  beginRow(): void {
    this.tracker.beginRow();
  }

  columnIsDone(): boolean {
    return this.past || this.taken >= this.versions;
  }

  wants(key: Bytes, start: number, end: number): boolean {
    if (this.tracker.enters(key, start, end)) {
      this.taken = 0;
      this.past = false;
      this.columnWanted = this.spans.some(({ prefix }) => beginsWith(this.tracker.column, prefix));
    }
    if (!this.columnWanted || this.past || this.taken >= this.versions) return false;
    const offset = end - TIMESTAMP_BYTES;
    if (this.newest !== undefined && compareTimestamp(key, offset, this.newest) < 0) return false;
    if (this.oldest !== undefined && compareTimestamp(key, offset, this.oldest) > 0) {
      this.past = true;
      return false;
    }
    this.taken++;
    return true;
  }
}

function spansOf(columns: readonly ColumnFilter[], newest: Bytes | undefined, oldest: Bytes | undefined): Span[] {
  const spans = columns.map(({ family, qualifier }): Span => {
    const key = new KeyBuffer().putFamily(family);
    return qualifier === undefined
      ? { prefix: key.toBytes(), oneColumn: false }
      : { prefix: key.putEscaped(qualifier).toBytes(), oneColumn: true, newest, oldest };
  });
  spans.sort((a, b) => compareBytes(a.prefix, b.prefix));
  // A span inside its predecessor (the same column again, or a column of a family already wanted) adds nothing.
  const distinct: Span[] = [];
  for (const span of spans) {
    const last = distinct.at(-1);
    if (last === undefined || !beginsWith(new KeyBuffer().put(span.prefix), last.prefix)) distinct.push(span);
  }
  return distinct;
}

function beginsWith(key: KeyBuffer, prefix: Bytes): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key.bytes[i] !== prefix[i]) return false;
  return true;
}

function compareTimestamp(key: Bytes, offset: number, bound: Bytes): number {
  for (let i = 0; i < TIMESTAMP_BYTES; i++) {
    const difference = key[offset + i]! - bound[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
