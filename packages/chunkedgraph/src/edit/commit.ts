/**
 * The one place that writes: a plan becomes one transaction.
 *
 * The guards are the plan's preconditions (its old roots have no successor, so nothing below them changed), and the head
 * and the id counters that its stamp was made from. When only the latter moved on, because another process committed
 * an unrelated edit, the plan is still right: it is stamped again and tried again. Either all rows are written or none.
 * @module
 */
import { type Guard, type Row, type RowMutation, type RowStore, readRows } from "@pcg/rowstore";
import type { Operation, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import type { IdLayout } from "../ids.ts";
import {
  counterGuard,
  counterKey,
  decodeHead,
  type Head,
  headGuard,
  headKey,
  headMutation,
  idOfKey,
  KIND,
  lineageKey,
  lineageKeys,
  SUCCESSOR,
  unpackId,
} from "../rows/index.ts";
import { type Clock, commitTime, later } from "../time.ts";
import type { EditPlan, OperationDraft } from "./plan.ts";
import { chunksOf, logRows, type StampedEdit, stamp } from "./stamp.ts";

const MAX_TRIES = 100;
const MAX_PAUSE_MS = 20;

export interface CommitEnvironment {
  readonly rows: RowStore;
  readonly layout: IdLayout;
  readonly clock: Clock;
  /** The head before any commit. */
  readonly beginning: Head;
}

export interface Commit extends StampedEdit {
  /** Time of the commit before this one. */
  readonly before: Time;
}

/** Commits a plan. `undefined`: one of its old roots has been superseded, nothing was written; plan again. */
export async function commitPlan(
  environment: CommitEnvironment,
  plan: EditPlan,
  signal?: AbortSignal,
): Promise<Commit | undefined> {
  const { rows, layout, clock } = environment;
  const roots = plan.preconditions.roots;
  const chunks = [...chunksOf(plan)];
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    signal?.throwIfAborted();
    const present = await readPresent(rows, roots, chunks);
    if (present.superseded) return undefined;
    const head = present.head ?? environment.beginning;
    const time = await commitTime(clock, head.lastTime);
    const operationId = head.lastOperation + 1n;
    const stamped = stamp(layout, plan, { time, operationId, counters: present.counters });
    const guards: Guard[] = [
      ...Array.from(roots, (root): Guard => ({ key: lineageKey(root), when: { kind: "absent", column: SUCCESSOR } })),
      headGuard(present.head),
      ...chunks.map((chunk) => counterGuard(chunk, present.counters.get(chunk)!)),
    ];
    const mutations: RowMutation[] = [...stamped.rows, headMutation({ lastTime: time, lastOperation: operationId })];
    const result = await rows.transact(guards, mutations);
    if (result.committed) return { ...stamped, before: head.lastTime };
    if (result.failedGuard < roots.length) return undefined;
    await pause(tries);
  }
  throw busy();
}

/** Leaves a refused operation in the log: its only trace. */
export async function recordRefusal(
  environment: CommitEnvironment,
  draft: OperationDraft,
  refusal: { readonly code: string; readonly message: string },
): Promise<Operation> {
  const { rows, clock } = environment;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const present = await readPresent(rows, new BigUint64Array(), []);
    const head = present.head ?? environment.beginning;
    const now = await clock();
    const none = new BigUint64Array();
    const operation: Operation = {
      ...draft,
      id: head.lastOperation + 1n,
      status: "refused",
      time: later(now, head.lastTime),
      refusal: { code: refusal.code, message: refusal.message },
      addedEdges: none,
      oldRoots: none,
      newRoots: none,
      oldL2: none,
      newL2: none,
    };
    const result = await rows.transact(
      [headGuard(present.head)],
      [...logRows(operation, none), headMutation({ ...head, lastOperation: operation.id })],
    );
    if (result.committed) return operation;
    await pause(tries);
  }
  throw busy();
}

async function readPresent(
  rows: RowStore,
  roots: BigUint64Array,
  chunks: readonly bigint[],
): Promise<{ readonly head: Head | undefined; readonly superseded: boolean; readonly counters: Map<bigint, bigint> }> {
  const keys = [headKey(), ...chunks.map(counterKey), ...lineageKeys(roots)];
  const counters = new Map(chunks.map((chunk) => [chunk, 0n]));
  let head: Head | undefined;
  let superseded = false;
  const kinds: Partial<Record<number, (row: Row) => void>> = {
    [KIND.head]: (row) => {
      head = decodeHead(row.cells[0]!.value);
    },
    [KIND.counter]: (row) => {
      counters.set(idOfKey(row.key), unpackId(row.cells[0]!.value));
    },
    [KIND.lineage]: (row) => {
      superseded ||= row.cells.some((cell) => cell.qualifier[0] === SUCCESSOR.qualifier[0]);
    },
  };
  for (const row of await readRows(rows, { keys })) kinds[row.key[0]!]?.(row);
  return { head, superseded, counters };
}

function pause(tries: number): Promise<void> {
  const limit = Math.min(MAX_PAUSE_MS, 1 + tries);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * limit));
}

function busy(): GraphError {
  return new GraphError("busy", `other edits came first ${MAX_TRIES} times in a row: try again`, { tries: MAX_TRIES });
}
