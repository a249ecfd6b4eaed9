import { type RowStore, readRow } from "@pcg/rowstore";
import { decodeHead, HEAD, type Head, headKey } from "../rows/index.ts";

/** The present head; `undefined` before any operation. */
export async function readHead(rows: RowStore): Promise<Head | undefined> {
  const cell = (await readRow(rows, headKey(), { columns: [HEAD] }))?.cells[0];
  return cell === undefined ? undefined : decodeHead(cell.value);
}
