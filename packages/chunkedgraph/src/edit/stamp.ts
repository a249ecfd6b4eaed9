/**
 * Turns a plan into rows: gives the new nodes their ids and every cell the commit's time.
 * @module
 */
import type { Column, RowMutation } from "@pcg/rowstore";
import type { Operation, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { type IdLayout, layerOf } from "../ids.ts";
import {
  CHILDREN,
  counterMutation,
  crossColumn,
  edgesKey,
  editColumn,
  encodeEdgeEdit,
  encodeMade,
  encodeOperation,
  FORMER,
  LOG,
  lineageKey,
  MADE,
  nodeKey,
  OPERATION,
  operationKey,
  PARENT,
  packId,
  packIds,
  SUCCESSOR,
  timelineKey,
} from "../rows/index.ts";
import type { EditPlan } from "./plan.ts";
import { isProvisional } from "./planned-graph.ts";

/** What a commit adds to a plan. */
export interface Stamp {
  readonly time: Time;
  readonly operationId: bigint;
  /** Last segment number given out so far, for each chunk the plan makes nodes in. */
  readonly counters: ReadonlyMap<bigint, bigint>;
}

export interface StampedEdit {
  readonly operation: Operation;
  readonly rows: readonly RowMutation[];
  /** Children of each new node, for those who remember parents. */
  readonly made: readonly { readonly id: bigint; readonly children: BigUint64Array }[];
}

/** Chunks the plan needs new ids in. */
export function chunksOf(plan: EditPlan): Set<bigint> {
  return new Set(plan.nodes.map(({ chunk }) => chunk));
}

export function stamp(layout: IdLayout, plan: EditPlan, { time, operationId, counters }: Stamp): StampedEdit {
  const { ids, last } = numberNodes(layout, plan, counters);
  const real = (id: bigint): bigint => (isProvisional(id) ? ids.get(id)! : id);
  const sorted = (all: readonly bigint[]): BigUint64Array => BigUint64Array.from(all, real).sort();
  const rows = new RowBuilder(time);
  const made = plan.nodes.map(({ provisional, children }) => ({ id: real(provisional), children: sorted(children) }));
  for (const { id, children } of made) rows.set(nodeKey(id), CHILDREN, packIds(children));
  for (const [child, parent] of plan.parents) rows.set(nodeKey(real(child)), PARENT, packId(real(parent)));
  for (const { node, layer, partners } of plan.cross)
    rows.set(nodeKey(real(node)), crossColumn(layer), packIds(sorted(partners)));
  for (const { kind, smaller, larger, affinity, area } of plan.edges) {
    const chunk = layout.chunkOf(smaller);
    rows.set(edgesKey(chunk), editColumn(smaller, larger), encodeEdgeEdit({ kind, affinity, area }));
  }
  const newRoots = sorted(plan.newRoots);
  for (const root of plan.oldRoots) rows.set(lineageKey(root), SUCCESSOR, packIds(newRoots));
  for (const root of newRoots) {
    rows.set(lineageKey(root), FORMER, packIds(plan.oldRoots));
    rows.set(lineageKey(root), OPERATION, packId(operationId));
  }
  const operation: Operation = {
    ...plan.log,
    id: operationId,
    status: "done",
    time,
    addedEdges: BigUint64Array.from(plan.edges.flatMap(({ smaller, larger }) => [smaller, larger])),
    oldRoots: plan.oldRoots,
    newRoots,
    oldL2: plan.oldL2,
    newL2: sorted(plan.newL2),
  };
  const nodes = BigUint64Array.from(made, ({ id }) => id).sort();
  return {
    operation,
    rows: [...rows.mutations, ...logRows(operation, nodes), ...Array.from(last, ([c, n]) => counterMutation(c, n))],
    made,
  };
}

/** The rows by which the log knows an operation, done or refused. */
export function logRows(operation: Operation, made: BigUint64Array): RowMutation[] {
  const rows = new RowBuilder(operation.time);
  rows.set(operationKey(operation.id), LOG, encodeOperation(operation));
  rows.set(timelineKey(operation.time, operation.id), MADE, encodeMade(made));
  return rows.mutations;
}

/** Ids in the order of the plan's nodes, counted on from each chunk's counter. */
function numberNodes(
  layout: IdLayout,
  plan: EditPlan,
  counters: ReadonlyMap<bigint, bigint>,
): { readonly ids: Map<bigint, bigint>; readonly last: Map<bigint, bigint> } {
  const ids = new Map<bigint, bigint>();
  const last = new Map<bigint, bigint>();
  for (const { provisional, chunk } of plan.nodes) {
    const segment = (last.get(chunk) ?? counters.get(chunk)!) + 1n;
    const limit = layout.segmentLimit(layerOf(chunk));
    if (segment > limit)
      throw new GraphError("ids-exhausted", `all ${limit} ids of chunk ${chunk} are used: no more edits fit there`, {
        chunk: chunk.toString(),
        limit: limit.toString(),
      });
    ids.set(provisional, layout.nodeId(chunk, segment));
    last.set(chunk, segment);
  }
  return { ids, last };
}

/** Cells at one time, gathered by row. */
class RowBuilder {
  private readonly time: Time;
  private readonly byKey = new Map<string, { key: Uint8Array; ops: RowMutation["ops"][number][] }>();

  constructor(time: Time) {
    this.time = time;
  }

  get mutations(): RowMutation[] {
    return [...this.byKey.values()];
  }

  set(key: Uint8Array, column: Column, value: Uint8Array): void {
    const name = String.fromCharCode(...key);
    let row = this.byKey.get(name);
    if (row === undefined) {
      row = { key, ops: [] };
      this.byKey.set(name, row);
    }
    row.ops.push({ op: "set", column, value, timestamp: this.time });
  }
}
