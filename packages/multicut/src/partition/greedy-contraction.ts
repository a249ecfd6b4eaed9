import type { Graph } from "../graph.ts";
import { VertexHeap } from "../vertex-heap.ts";

/** Steps between two calls of `pause`. */
const STRIDE = 1024;

/**
 * Greedy additive edge contraction (Keuper et al. 2015): joins the two clusters with the largest positive sum of weights
 * between them until none is positive. Equal sums join in order of the edges. O(E log² E). Memory: about 200 bytes per edge.
 *
 * @param pause awaited now and then, with the number of joins so far.
 * @returns the cluster of each vertex, named by a vertex.
 */
export async function contractGreedily(graph: Graph, pause: (joins: number) => Promise<void>): Promise<Int32Array> {
  const { size, lower, upper } = graph;
  const weights = graph.capacities.slice();
  // Clusters that touch are neighbours through one edge number, the lowest that ever joined them.
  const neighbours = Array.from({ length: size }, () => new Map<number, number>());
  const heap = new VertexHeap();
  for (let e = 0; e < lower.length; e++) {
    neighbours[lower[e]!]!.set(upper[e]!, e);
    neighbours[upper[e]!]!.set(lower[e]!, e);
    if (weights[e]! > 0) heap.push(-weights[e]!, e);
  }
  const from = lower.slice();
  const to = upper.slice();
  const parent = new Int32Array(size).fill(-1);
  let joins = 0;
  let steps = 0;
  for (let e = heap.pop(); e >= 0; e = heap.pop()) {
    if (++steps % STRIDE === 0) await pause(joins);
    // An edge whose weight has changed is in the heap again under its new weight; -Infinity marks one that is gone.
    if (weights[e] !== -heap.key) continue;
    weights[e] = Number.NEGATIVE_INFINITY;
    const [keep, drop] =
      neighbours[from[e]!]!.size >= neighbours[to[e]!]!.size ? [from[e]!, to[e]!] : [to[e]!, from[e]!];
    parent[drop] = keep;
    joins++;
    const own = neighbours[keep]!;
    own.delete(drop);
    for (const [w, edge] of neighbours[drop]!) {
      if (w === keep) continue;
      const others = neighbours[w]!;
      others.delete(drop);
      const existing = own.get(w);
      if (existing === undefined) {
        own.set(w, edge);
        others.set(keep, edge);
        if (from[edge] === drop) from[edge] = keep;
        else to[edge] = keep;
        continue;
      }
      weights[existing]! += weights[edge]!;
      weights[edge] = Number.NEGATIVE_INFINITY;
      if (weights[existing]! > 0) heap.push(-weights[existing]!, existing);
    }
    neighbours[drop]!.clear();
  }
  return Int32Array.from(parent, (_, v) => {
    let at = v;
    while (parent[at]! >= 0) at = parent[at]!;
    return at;
  });
}
