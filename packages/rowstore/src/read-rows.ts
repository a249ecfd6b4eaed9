import type { Bytes, ReadOptions, Row, RowStore, Selection } from "./contract.ts";

/** All rows of a read, in memory at once. */
export async function readRows(store: RowStore, selection: Selection, options?: ReadOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of store.read(selection, options)) rows.push(row);
  return rows;
}

/** One row, or `undefined` when it has no cell that `options` ask for. */
export async function readRow(store: RowStore, key: Bytes, options?: ReadOptions): Promise<Row | undefined> {
  for await (const row of store.read({ keys: [key] }, options)) return row;
  return undefined;
}
