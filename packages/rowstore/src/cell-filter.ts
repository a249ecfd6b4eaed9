import { compareBytes, compareColumns, equalBytes } from "./bytewise.ts";
import type { Bytes, Cell, ColumnFilter, Predicate, ReadOptions } from "./contract.ts";
import { MAX_TIMESTAMP } from "./limits.ts";

/** The cells of a row that a read wants, in order; `cells` are in row order. */
export function selectCells(cells: readonly Cell[], options: ReadOptions): Cell[] {
  const { columns, from = 0n, to = MAX_TIMESTAMP + 1n, versions = Number.POSITIVE_INFINITY } = options;
  const selected: Cell[] = [];
  let taken = 0;
  let previous: Cell | undefined;
  for (const cell of cells) {
    if (previous === undefined || compareColumns(previous, cell) !== 0) taken = 0;
    previous = cell;
    if (taken >= versions || cell.timestamp < from || cell.timestamp >= to) continue;
    if (columns !== undefined && !wantsColumn(columns, cell.family, cell.qualifier)) continue;
    taken++;
    selected.push(cell);
  }
  return selected;
}

function wantsColumn(columns: readonly ColumnFilter[], family: string, qualifier: Bytes): boolean {
  return columns.some(
    (column) => column.family === family && (column.qualifier === undefined || equalBytes(column.qualifier, qualifier)),
  );
}

/** Whether the predicate holds on a row, given its cells (none: the row is absent). */
export function holds(when: Predicate, cells: readonly Cell[]): boolean {
  switch (when.kind) {
    case "any":
      return when.of.some((part) => holds(part, cells));
    case "all":
      return when.of.every((part) => holds(part, cells));
    case "cell":
      return cells.some((cell) => satisfies(when, cell));
    case "absent":
      return !cells.some((cell) => satisfies(when, cell));
  }
}

/** A predicate about the cells of one column. */
type CellPredicate = Extract<Predicate, { kind: "cell" | "absent" }>;

function satisfies(when: CellPredicate, cell: Cell): boolean {
  return (
    compareColumns(when.column, cell) === 0 &&
    cell.timestamp >= (when.tsFrom ?? 0n) &&
    (when.tsTo === undefined || cell.timestamp < when.tsTo) &&
    valuePasses(when, cell.value)
  );
}

/** The value tests of a predicate, for a cell known to be in its column and window. */
function valuePasses(when: CellPredicate, value: Bytes): boolean {
  return (
    (when.valueEq === undefined || equalBytes(value, when.valueEq)) &&
    (when.valueGte === undefined || compareBytes(value, when.valueGte) >= 0)
  );
}
