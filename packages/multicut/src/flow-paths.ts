import { MulticutError } from "./errors.ts";
import type { Graph } from "./graph.ts";

/**
 * The part of a flow that really runs from sources to sinks: solvers may leave circles in a flow, which carry nothing. Walks
 * paths of positive flow from the sources (flow decomposition, Ford & Fulkerson 1962); circles met on the way are cancelled.
 *
 * @param edgeFlow net flow per edge, positive from lower to upper; sums of a common unit, so that subtraction is exact.
 * @returns the flow of the paths, in the same form. O(paths · length).
 */
export function keepPaths(
  graph: Graph,
  sources: Iterable<number>,
  sinks: Iterable<number>,
  edgeFlow: Float64Array,
): Float64Array {
  const { offsets, heads, darts, size } = graph;
  const left = edgeFlow.slice();
  const kept = new Float64Array(edgeFlow.length);
  const current = offsets.slice(0, size);
  const isSink = new Uint8Array(size);
  for (const v of sinks) isSink[v] = 1;
  const depth = new Int32Array(size).fill(-1);
  const path: number[] = [];

  const along = (arc: number): number => ((darts[arc]! & 1) === 0 ? left[darts[arc]! >> 1]! : -left[darts[arc]! >> 1]!);
  /** Takes the smallest amount off the arcs from `start` on, adds it to `into`, and shortens the path to the first empty arc. */
  const take = (start: number, into: Float64Array | undefined): void => {
    let amount = Infinity;
    for (let i = start; i < path.length; i++) amount = Math.min(amount, along(path[i]!));
    let firstEmpty = path.length;
    for (let i = start; i < path.length; i++) {
      const dart = darts[path[i]!]!;
      const e = dart >> 1;
      const signed = (dart & 1) === 0 ? amount : -amount;
      left[e]! -= signed;
      if (into !== undefined) into[e]! += signed;
      if (left[e] === 0 && i < firstEmpty) firstEmpty = i;
    }
    while (path.length > firstEmpty) depth[heads[path.pop()!]!] = -1;
    for (let i = 0; i < path.length; i++) depth[heads[path[i]!]!] = i + 1;
  };

  for (const source of sources) {
    depth[source] = 0;
    for (;;) {
      const v = path.length === 0 ? source : heads[path[path.length - 1]!]!;
      if (isSink[v] === 1) {
        take(0, kept);
        depth[source] = 0;
        continue;
      }
      let arc = current[v]!;
      while (arc < offsets[v + 1]! && along(arc) <= 0) arc++;
      current[v] = arc;
      if (arc === offsets[v + 1]!) {
        if (path.length === 0) break;
        throw new MulticutError(
          "INTERNAL",
          `a computed flow ends at vertex ${v}, which is no sink; please report the input`,
        );
      }
      const to = heads[arc]!;
      path.push(arc);
      if (depth[to]! >= 0) {
        take(depth[to]!, undefined);
        depth[source] = 0;
      } else depth[to] = path.length;
    }
    depth[source] = -1;
  }
  return kept;
}
