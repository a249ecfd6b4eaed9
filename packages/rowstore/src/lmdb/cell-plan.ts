import { KeyBuffer, TIMESTAMP_BYTES } from "../cell-key.ts";
import type { Bytes } from "../contract.ts";

/** A stretch of a row's keys to scan: the whole row, a family, or one column. */
export interface Span {
  /** What the keys of the stretch have after the row: nothing, a family, or a family and a qualifier. */
  readonly prefix: Bytes;
  readonly oneColumn: boolean;
  /** Encoded timestamps that bound the stretch of one column, both included; `newest` sorts before `oldest`. */
  readonly newest?: Bytes | undefined;
  readonly oldest?: Bytes | undefined;
}

/**
 * Which cells of a row to visit, judged on encoded keys in key order. Holds the state of the row at hand, so a plan
 * serves one scan at a time.
 */
export interface CellPlan {
  readonly spans: readonly Span[];
  /** `row` holds the encoded key of the row, its terminator included, while the row is scanned. */
  beginRow(row: KeyBuffer): void;
  /** Judges the cell whose key has its column and timestamp in [start, end). */
  wants(key: Bytes, start: number, end: number): boolean;
  /** Whether no later cell of the column judged last can be wanted. */
  columnIsDone(): boolean;
}

export const WHOLE_ROW: readonly Span[] = [{ prefix: new Uint8Array(0), oneColumn: false }];

/** Notices where one column ends and the next begins. */
export class ColumnTracker {
  /** Encoded family and qualifier of the current column. */
  readonly column: KeyBuffer = new KeyBuffer();

  beginRow(): void {
    this.column.clear();
  }

  /** Whether the key is of another column than the one before. */
  enters(key: Bytes, start: number, end: number): boolean {
    const columnEnd = end - TIMESTAMP_BYTES;
    let same = columnEnd - start === this.column.length;
    const { bytes } = this.column;
    for (let i = start; same && i < columnEnd; i++) same = key[i] === bytes[i - start];
    if (same) return false;
    this.column.clear().put(key, start, columnEnd);
    return true;
  }
}
