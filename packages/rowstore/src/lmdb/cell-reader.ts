/**
 * Reads cells out of an LMDB database, synchronously, in whatever transaction is current. Keys are judged where LMDB
 * put them and values are copied only when the read wants them: point reads are most of what a graph does.
 * @module
 */
import type { Database, RangeOptions, Transaction } from "lmdb";
import { decodeEscaped, decodeName, decodeTimestamp, endOfRow, KeyBuffer, TIMESTAMP_BYTES } from "../cell-key.ts";
import type { Bytes, Cell, Column, Row } from "../contract.ts";
import type { CellPlan, Span } from "./cell-plan.ts";

/** A database opened with the encoders of a `CellAccess`. */
export type CellDatabase = Database<Bytes, Uint8Array>;

/** The encoders of the cells' database; they tell the reader which key LMDB is at and skip values nobody wants. */
export class CellAccess {
  /** The last key read is `key[keyStart..keyEnd)`, until the next read. */
  key: Bytes = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  /** Judges the key just read, before its value is copied. */
  wanted: () => boolean = () => true;

  readonly keyEncoder = {
    writeKey(key: KeyBuffer | Bytes, target: Uint8Array, start: number): number {
      const bytes = key instanceof KeyBuffer ? key.bytes : key;
      const length = key.length;
      for (let i = 0; i < length; i++) target[start + i] = bytes[i]!;
      return start + length;
    },
    readKey: (target: Uint8Array, start: number, end: number): void => {
      this.key = target;
      this.keyStart = start;
      this.keyEnd = end;
    },
  };

  readonly encoder = {
    encode: (value: Bytes): Bytes => value,
    decode: (value: Uint8Array, size: number): Bytes | undefined => {
      if (!this.wanted()) return undefined;
      const copy = new Uint8Array(size);
      if (size > 64) copy.set(value.subarray(0, size));
      else for (let i = 0; i < size; i++) copy[i] = value[i]!;
      return copy;
    },
  };
}

/** What follows a key directly. */
const ZERO: Bytes = new Uint8Array(1);

interface Entry {
  readonly value: Bytes | undefined;
}

export interface RangeBatch {
  readonly rows: Row[];
  /** The first key the batch left unread; none when the range is done. */
  readonly next: Bytes | undefined;
}

export class CellReader {
  private readonly access: CellAccess;
  private readonly start = new KeyBuffer();
  private readonly end = new KeyBuffer();
  private names = new RecentNames();
  private namedFor: CellPlan | undefined;
  private readonly bounds: { start: KeyBuffer; end: KeyBuffer | undefined; transaction: Transaction | undefined };
  private readonly entries: Iterable<Entry>;

  constructor(database: CellDatabase, access: CellAccess) {
    this.access = access;
    this.bounds = { start: this.start, end: this.end, transaction: undefined };
    // One iterable serves every scan: it looks at its options anew whenever it is iterated.
    this.entries = database.getRange(this.bounds as unknown as RangeOptions) as unknown as Iterable<Entry>;
  }

  /** The cells of one row that the plan wants, in order. */
  readCells(row: Bytes, plan: CellPlan, transaction?: Transaction): Cell[] {
    const cells: Cell[] = [];
    const rowLength = this.start.clear().putEscaped(row).length;
    this.access.wanted = () => this.planWants(plan, rowLength);
    this.scanSpans(plan, rowLength, transaction, (value) => cells.push(this.currentCell(rowLength, value)));
    return cells;
  }

  /** The keys of the same cells; their values stay unread. */
  readKeys(row: Bytes, plan: CellPlan): Bytes[] {
    const keys: Bytes[] = [];
    const rowLength = this.start.clear().putEscaped(row).length;
    this.access.wanted = () => {
      if (this.planWants(plan, rowLength)) keys.push(this.currentKey());
      return false;
    };
    this.scanSpans(plan, rowLength, undefined, () => {});
    return keys;
  }

  private planWants(plan: CellPlan, rowLength: number): boolean {
    const { key, keyStart, keyEnd } = this.access;
    return plan.wants(key, keyStart + rowLength, keyEnd);
  }

  /** Visits the wanted values of the row whose prefix `start` holds. */
  private scanSpans(
    plan: CellPlan,
    rowLength: number,
    transaction: Transaction | undefined,
    visit: (value: Bytes) => void,
  ): void {
    const { start, end, bounds } = this;
    this.startScan(plan);
    bounds.transaction = transaction;
    bounds.end = end;
    plan.beginRow(start);
    for (const span of plan.spans) {
      start.length = rowLength;
      end.clear().put(start.bytes, 0, rowLength);
      this.boundSpan(span);
      const entries = this.entries[Symbol.iterator]();
      try {
        for (let entry = entries.next(); entry.done !== true; entry = entries.next()) {
          if (entry.value.value !== undefined) visit(entry.value.value);
          if (span.oneColumn && plan.columnIsDone()) break;
        }
      } finally {
        entries.return?.();
      }
    }
  }

  /** Cells of one read may share their qualifiers' bytes, those of two reads never. */
  private startScan(plan: CellPlan): void {
    if (this.namedFor === plan) return;
    this.namedFor = plan;
    this.names = new RecentNames();
  }

  /** Completes `start` and `end`, which both hold the row's prefix, to the bounds of the span. */
  private boundSpan({ prefix, newest, oldest }: Span): void {
    this.start.put(prefix);
    this.end.put(prefix);
    if (newest !== undefined) this.start.put(newest);
    if (oldest !== undefined) this.end.put(oldest).put(ZERO);
    else this.end.pass();
  }

  /**
   * The rows whose keys lie in [first, last), read until `isFull` says so, which is asked after every row met (also
   * those without a wanted cell).
   */
  readRange(first: Bytes, last: Bytes | undefined, plan: CellPlan, isFull: (rows: Row[]) => boolean): RangeBatch {
    const { access, bounds } = this;
    const rows: Row[] = [];
    const row = new KeyBuffer();
    let cells: Cell[] = [];
    let full = false;
    const finishRow = () => {
      if (cells.length > 0) rows.push({ key: decodeEscaped(row.bytes, 0, row.length), cells });
      cells = [];
    };
    access.wanted = () => {
      const { key, keyStart, keyEnd } = access;
      if (row.length === 0 || !beginsWith(key, keyStart, keyEnd, row)) {
        finishRow();
        full = row.length > 0 && isFull(rows);
        if (full) return false;
        row.clear().put(key, keyStart, endOfRow(key, keyStart, keyEnd));
        plan.beginRow(row);
      }
      return plan.wants(key, keyStart + row.length, keyEnd);
    };
    this.startScan(plan);
    bounds.transaction = undefined;
    bounds.end = last === undefined ? undefined : this.end.clear().put(last);
    this.start.clear().put(first);
    const entries = this.entries[Symbol.iterator]();
    try {
      for (let entry = entries.next(); entry.done !== true; entry = entries.next()) {
        if (entry.value.value !== undefined) cells.push(this.currentCell(row.length, entry.value.value));
        if (full) return { rows, next: this.currentKey() };
      }
    } finally {
      entries.return?.();
    }
    finishRow();
    return { rows, next: undefined };
  }

  private currentKey(): Bytes {
    const { key, keyStart, keyEnd } = this.access;
    return Uint8Array.from(key.subarray(keyStart, keyEnd));
  }

  private currentCell(rowLength: number, value: Bytes): Cell {
    const { key, keyStart, keyEnd } = this.access;
    const { family, qualifier } = this.names.nameOf(key, keyStart + rowLength, keyEnd);
    return { family, qualifier, timestamp: decodeTimestamp(key, keyEnd), value };
  }
}

const RECENT_NAMES = 16;

/** The columns met last. Rows mostly have the same few: their names need not be decoded for every cell. */
class RecentNames {
  private readonly encoded: KeyBuffer[] = [];
  private readonly names: Column[] = [];
  private oldest = 0;

  /** The column of the key, whose row ends at `start`. */
  nameOf(key: Bytes, start: number, end: number): Column {
    const nameEnd = end - TIMESTAMP_BYTES;
    for (let i = 0; i < this.names.length; i++) {
      const { bytes, length } = this.encoded[i]!;
      let same = length === nameEnd - start;
      for (let j = start; same && j < nameEnd; j++) same = key[j] === bytes[j - start];
      if (same) return this.names[i]!;
    }
    const name = decodeName(key, start, end);
    this.encoded[this.oldest] = new KeyBuffer().put(key, start, nameEnd);
    this.names[this.oldest] = name;
    this.oldest = (this.oldest + 1) % RECENT_NAMES;
    return name;
  }
}

function beginsWith(key: Bytes, start: number, end: number, prefix: KeyBuffer): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key[start + i] !== prefix.bytes[i]) return false;
  return true;
}
