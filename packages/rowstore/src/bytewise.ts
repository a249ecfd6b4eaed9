import type { Bytes, Cell, Column } from "./contract.ts";

/** Bytewise (unsigned, shorter first) order: negative, 0 or positive. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Order of columns in a row: family, then qualifier. */
export function compareColumns(a: Column, b: Column): number {
  if (a.family !== b.family) return a.family < b.family ? -1 : 1;
  return compareBytes(a.qualifier, b.qualifier);
}

/** Order of cells in a row: column, then newest first. */
export function compareCells(a: Cell, b: Cell): number {
  const order = compareColumns(a, b);
  if (order !== 0) return order;
  return a.timestamp === b.timestamp ? 0 : a.timestamp > b.timestamp ? -1 : 1;
}
