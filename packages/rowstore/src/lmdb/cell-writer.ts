/** Applies operations inside the current LMDB write transaction. @module */
import { encodeCellKey } from "../cell-key.ts";
import type { Bytes, Op } from "../contract.ts";
import type { CellDatabase, CellReader } from "./cell-reader.ts";
import { ReadPlan } from "./read-plan.ts";

export function applyOps(
  database: CellDatabase,
  reader: CellReader,
  row: Bytes,
  ops: readonly Op[],
  now: bigint,
): void {
  for (const op of ops) {
    switch (op.op) {
      case "set":
        void database.put(encodeCellKey({ row, ...op.column, timestamp: op.timestamp ?? now }), op.value);
        break;
      case "deleteColumn": {
        const { column, from, to } = op;
        const window = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        removeCells(database, reader, row, new ReadPlan({ columns: [column], ...window }));
        break;
      }
      case "deleteRow":
        removeCells(database, reader, row, new ReadPlan({}));
        break;
    }
  }
}

function removeCells(database: CellDatabase, reader: CellReader, row: Bytes, plan: ReadPlan): void {
  for (const key of reader.readKeys(row, plan)) void database.remove(key);
}
