import { type RowStore, readRows } from "@pcg/rowstore";
import type { Operation, Time } from "../contract.ts";
import { decodeOperation, idOfKey, operationKeys, readTimelineKey, timelineKey, timelineRange } from "../rows/index.ts";

const BATCH = 256;

interface Reading {
  readonly signal?: AbortSignal | undefined;
}

/** The operations with these numbers, in order; `undefined` for numbers not given out. */
export async function readOperations(
  rows: RowStore,
  ids: readonly bigint[],
  { signal }: Reading = {},
): Promise<(Operation | undefined)[]> {
  const found = new Map<bigint, Operation>();
  const keys = operationKeys(BigUint64Array.from(new Set(ids)).sort());
  for await (const row of rows.read({ keys }, signal === undefined ? {} : { signal }))
    found.set(idOfKey(row.key), decodeOperation(row.cells[0]!.value));
  return ids.map((id) => found.get(id));
}

/** Operations with from ≤ time ≤ to, by time and then number; reads as it is consumed. */
export async function* operationsBetween(
  rows: RowStore,
  from: Time,
  to: Time,
  reading: Reading = {},
): AsyncGenerator<Operation> {
  let range = timelineRange(from, to + 1n);
  const { signal } = reading;
  for (;;) {
    const options = { limit: BATCH, ...(signal === undefined ? {} : { signal }) };
    const entries = (await readRows(rows, { ranges: [range] }, options)).map((row) => readTimelineKey(row.key));
    const ids = entries.map(({ operation }) => operation);
    for (const operation of await readOperations(rows, ids, reading)) if (operation !== undefined) yield operation;
    if (entries.length < BATCH) return;
    const last = entries.at(-1)!;
    range = { ...range, start: timelineKey(last.time, last.operation + 1n) };
  }
}
