import type { Contraction } from "./contract.ts";
import { keepPaths } from "./flow-paths.ts";
import { edgeBetween } from "./graph.ts";
import { maxFlow } from "./min-cut.ts";
import type { CarriedFlow, Explanation } from "./result.ts";
import type { Steps } from "./steps.ts";

/**
 * The paths that tied each group together and a maximum flow that proves the cut: for two terminals the flow between them,
 * for more the flow from each to all others, one solve each.
 *
 * @param affinities of the rows that were contracted.
 */
export function* explainCut(
  contraction: Contraction,
  affinities: Float64Array | Float32Array,
  trees: readonly Int32Array[],
  terminals: readonly Int32Array[],
): Steps<Explanation> {
  const froms = terminals.length > 2 ? terminals.map((_, g) => g) : terminals.length === 2 ? [0] : [];
  const flows: CarriedFlow[] = [];
  for (const from of froms) {
    yield;
    flows.push(carriedFlow(contraction, affinities, terminals, from));
  }
  return {
    trees: trees.map((vertices) => BigUint64Array.from(vertices.slice().sort(), (v) => contraction.reps[v]!)),
    flows,
  };
}

/** The flow between vertices, shared among the rows of an edge in proportion to their affinities. */
function carriedFlow(
  contraction: Contraction,
  affinities: Float64Array | Float32Array,
  terminals: readonly Int32Array[],
  from: number,
): CarriedFlow {
  const { graph, ends, vertexOf, ids } = contraction;
  const others = terminals.filter((_, g) => g !== from).flatMap((terminal) => [...terminal]);
  const { edgeFlow } = maxFlow(graph, terminals[from]!, others);
  const kept = keepPaths(graph, terminals[from]!, others, edgeFlow);

  const rows: { key: number; amount: number }[] = [];
  for (let i = 0; i < affinities.length; i++) {
    const a = vertexOf[ends[2 * i]!]!;
    const b = vertexOf[ends[2 * i + 1]!]!;
    if (a === b) continue;
    const e = edgeBetween(graph, a, b);
    const carried = Math.abs(kept[e]!);
    // The solver rounds capacities up: only a full edge carries its capacity or more, and then each row all of its affinity.
    const isFull = carried >= graph.capacities[e]!;
    const amount = isFull ? affinities[i]! : (carried * affinities[i]!) / graph.capacities[e]!;
    if (carried === 0 || amount === 0) continue;
    // The row's ends in the direction of the flow.
    const [tail, head] = kept[e]! > 0 === a < b ? [ends[2 * i]!, ends[2 * i + 1]!] : [ends[2 * i + 1]!, ends[2 * i]!];
    rows.push({ key: tail * ids.length + head, amount });
  }
  rows.sort((x, y) => x.key - y.key || x.amount - y.amount);
  const merged: { key: number; amount: number }[] = [];
  for (const row of rows) {
    const last = merged[merged.length - 1];
    if (last?.key === row.key) last.amount += row.amount;
    else merged.push({ ...row });
  }
  const edges = new BigUint64Array(2 * merged.length);
  for (const [i, { key }] of merged.entries()) {
    const tail = Math.floor(key / ids.length);
    edges[2 * i] = ids[tail]!;
    edges[2 * i + 1] = ids[key - tail * ids.length]!;
  }
  return { from, edges, amounts: Float64Array.from(merged, ({ amount }) => amount) };
}
