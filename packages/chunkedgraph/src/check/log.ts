/**
 * The log, the timeline and the lineage tell one story, and every cell belongs to an operation of the log.
 * @module
 */
import type { Row, RowStore } from "@pcg/rowstore";
import type { Operation, Time } from "../contract.ts";
import {
  decodeMade,
  decodeOperation,
  FORMER,
  type Head,
  idOfKey,
  KIND,
  kindRange,
  OPERATION,
  readTimelineKey,
  SUCCESSOR,
  unpackId,
  unpackIds,
} from "../rows/index.ts";
import { NONE, type NodeTable } from "./node-table.ts";
import type { Findings } from "./report.ts";

/** Checks log, timeline and head. @returns operations that committed, by time. Takes the log in memory. */
export async function checkLog(
  rows: RowStore,
  head: Head,
  ingestTime: Time,
  table: NodeTable,
  findings: Findings,
): Promise<Map<Time, Operation>> {
  const operations = new Map<bigint, Operation>();
  for await (const row of rows.read({ ranges: [kindRange(KIND.operation)] })) {
    const operation = decodeOperation(row.cells[0]!.value);
    operations.set(operation.id, operation);
    if (operation.id !== idOfKey(row.key)) findings.add("log", operation.id, `is kept under ${idOfKey(row.key)}`);
  }
  const done = new Map<Time, Operation>();
  let last = ingestTime;
  for (const operation of operations.values()) {
    if (operation.time < ingestTime) findings.add("log", operation.id, "is older than the graph");
    if (operation.status !== "done") continue;
    if (operation.time <= last) findings.add("log", operation.id, "was not committed later than the commit before it");
    last = operation.time;
    done.set(operation.time, operation);
  }
  if (head.lastOperation !== BigInt(operations.size) || head.lastTime !== last)
    findings.add("log", head.lastOperation, `the head says ${head.lastOperation} operations until ${head.lastTime}`);
  await checkTimeline(rows, operations, table, findings);
  checkCellTimes(done, ingestTime, table, findings);
  return done;
}

/** Former and successor name each other, at the time and by the operation that made the successor. */
export async function checkLineage(
  rows: RowStore,
  done: ReadonlyMap<Time, Operation>,
  layers: number,
  table: NodeTable,
  findings: Findings,
): Promise<Set<bigint>> {
  const ended = new Set<bigint>();
  const attributed = new Set<bigint>();
  const links = new Map<string, number>();
  const link = (former: bigint, successor: bigint, bit: number): void => {
    const name = `${former} ${successor}`;
    links.set(name, (links.get(name) ?? 0) | bit);
  };
  for await (const row of rows.read({ ranges: [kindRange(KIND.lineage)] })) {
    const root = idOfKey(row.key);
    const number = table.numberOf(root);
    if (number === NONE || Number(root >> 56n) !== layers) {
      findings.add("lineage", root, "is not a root");
      continue;
    }
    for (const cell of row.cells) {
      const operation = done.get(cell.timestamp);
      const kind = cell.qualifier[0];
      const made = kind !== SUCCESSOR.qualifier[0];
      const roots = made ? operation?.newRoots : operation?.oldRoots;
      if (operation === undefined || !roots?.includes(root))
        findings.add("lineage", root, `no operation of the log ${made ? "made" : "ended"} it at ${cell.timestamp}`);
      if (made && table.created[number] !== Number(cell.timestamp))
        findings.add("lineage", root, "its lineage began at another time than its children");
      if (kind === FORMER.qualifier[0]) for (const former of unpackIds(cell.value)) link(former, root, 1);
      else if (kind === SUCCESSOR.qualifier[0]) {
        ended.add(root);
        for (const successor of unpackIds(cell.value)) link(root, successor, 2);
      } else if (kind === OPERATION.qualifier[0]) {
        attributed.add(root);
        if (unpackId(cell.value) !== operation?.id)
          findings.add("lineage", root, `names operation ${unpackId(cell.value)}`);
      }
    }
  }
  for (const [name, bits] of links) if (bits !== 3) findings.add("lineage", 0n, `${name} is known at one end only`);
  for (const operation of done.values())
    for (const made of operation.newRoots) {
      if (!attributed.has(made))
        findings.add("lineage", made, `does not name operation ${operation.id}, which made it`);
      for (const old of operation.oldRoots)
        if (!links.has(`${old} ${made}`)) findings.add("lineage", old, `lost its successor ${made}`);
    }
  return ended;
}

/** Each operation is on the timeline once, with exactly the nodes that began with it. */
async function checkTimeline(
  rows: RowStore,
  operations: ReadonlyMap<bigint, Operation>,
  table: NodeTable,
  findings: Findings,
): Promise<void> {
  const began = new Map<number, number>();
  for (let i = 0; i < table.ids.length; i++)
    if (Number(table.ids[i]! >> 56n) > 1) began.set(table.created[i]!, (began.get(table.created[i]!) ?? 0) + 1);
  const missing = new Set(operations.keys());
  for await (const row of rows.read({ ranges: [kindRange(KIND.timeline)] })) {
    const { time, operation: id } = readTimelineKey(row.key);
    const operation = operations.get(id);
    if (operation?.time !== time) findings.add("log", id, `is on the timeline at ${time} but not in the log`);
    missing.delete(id);
    const made = madeBy(row);
    for (const node of made)
      if (table.created[table.numberOf(node)] !== Number(time))
        findings.add("log", id, `says it made ${node}, which did not begin with it`);
    const expected = operation?.status === "done" ? (began.get(Number(time)) ?? 0) : 0;
    if (made.length !== expected)
      findings.add("log", id, `says it made ${made.length} nodes; ${expected} began with it`);
  }
  for (const id of missing) findings.add("log", id, "is not on the timeline");
}

function madeBy(row: Row): BigUint64Array {
  return decodeMade(row.cells[0]!.value);
}

function checkCellTimes(
  done: ReadonlyMap<Time, Operation>,
  ingestTime: Time,
  table: NodeTable,
  findings: Findings,
): void {
  for (const time of table.times)
    if (time !== Number(ingestTime) && !done.has(BigInt(time)))
      findings.add("log", BigInt(time), "nodes were written at this time by no operation of the log");
}
