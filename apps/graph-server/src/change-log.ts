/**
 * Change logs in the shapes PyChunkedGraph's clients read: summaries, pandas-style tables, single operations.
 * @module
 */
import type { Operation } from "@pcg/chunkedgraph";
import type { Xyz } from "@pcg/volume";
import { IdPairs, type JsonOut } from "./http/json-write.ts";
import { toIso, toMilliseconds } from "./http/time-text.ts";

/** Counts per kind and person over the operations of one root's past. */
export function summarize(operations: readonly Operation[]): JsonOut {
  const users: Record<string, { n_splits: number; n_mergers: number }> = Object.create(null);
  for (const { user } of operations) {
    users[user] ??= { n_splits: 0, n_mergers: 0 };
    users[user].n_mergers++;
  }
  return {
    n_splits: 0,
    n_mergers: operations.length,
    user_info: users,
    operations_ids: operations.map((operation) => operation.id),
    past_ids: operations.flatMap((operation) => Array.from(operation.oldRoots)),
  };
}

/** A table by column, then row number, as `pandas.DataFrame` takes it. */
export function tabulate(operations: readonly Operation[], filtered: boolean): JsonOut {
  const column = (cell: (operation: Operation) => JsonOut): JsonOut => byRow(operations.map(cell));
  return {
    operation_id: column((operation) => operation.id),
    timestamp: column((operation) => toMilliseconds(operation.time)),
    user_id: column((operation) => operation.user),
    before_root_ids: column((operation) => operation.oldRoots),
    after_root_ids: column((operation) => operation.newRoots),
    is_merge: column((operation) => operation.kind === "merge"),
    // A root's past holds only operations that ended in it, as long as objects can only be joined.
    ...(!filtered && { in_neuron: column(() => true), is_relevant: column(() => true) }),
    user_name: column((operation) => operation.user),
    user_affiliation: column(() => ""),
  };
}

/** Edges each merge made, and the voxels people pointed at. */
export function mergeLog(operations: readonly Operation[]): JsonOut {
  return {
    merge_edges: operations.map((operation) => new IdPairs(operation.addedEdges)),
    merge_edge_coords: operations.map((operation) => operation.picks.map((pick) => [voxel(pick.position)])),
  };
}

/** One operation in full. */
export function details(operation: Operation): JsonOut {
  const [source, sink] = operation.picks;
  return {
    added_edges: new IdPairs(operation.addedEdges),
    roots: operation.newRoots,
    source_ids: operation.supervoxels.slice(0, 1),
    sink_ids: operation.supervoxels.slice(1),
    source_coords: source === undefined ? [] : [voxel(source.position)],
    sink_coords: sink === undefined ? [] : [voxel(sink.position)],
    timestamp: toIso(operation.time),
    user: operation.user,
    ...(operation.refusal && { operation_exception: operation.refusal.message }),
  };
}

/** The two columns of a person's operations. */
export function userOperations(operations: readonly Operation[]): JsonOut {
  return {
    operation_id: byRow(operations.map((operation) => operation.id)),
    timestamp: byRow(operations.map((operation) => toMilliseconds(operation.time))),
  };
}

/** The voxel a position lies in. */
export function voxel([x, y, z]: Xyz): Xyz {
  return [Math.floor(x), Math.floor(y), Math.floor(z)];
}

function byRow(cells: readonly JsonOut[]): JsonOut {
  return Object.fromEntries(cells.map((cell, row) => [row, cell]));
}
