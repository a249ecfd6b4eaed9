import type { Assignment } from "./assignment.ts";
import type { Graph } from "./graph.ts";
import { isolateGroup } from "./isolate-group.ts";
import { minCut } from "./min-cut.ts";
import { multiwayCut } from "./multiway-cut.ts";
import type { Steps } from "./steps.ts";

/** The lightest way to part the terminals: exact for two, within 2 − 2/k for k, the natural piece around a single one. */
export function* assign(graph: Graph, terminals: readonly Int32Array[]): Steps<Assignment> {
  if (terminals.length === 1) return isolateGroup(graph, terminals[0]!);
  if (terminals.length > 2) return yield* multiwayCut(graph, terminals);
  const cut = minCut(graph, terminals[0]!, terminals[1]!);
  const side = new Int32Array(graph.size);
  // What reaches neither terminal counts to the sinks.
  for (let v = 0; v < side.length; v++) side[v] = 1 - cut.side[v]!;
  return { side, flow: cut.flow, lowerBound: cut.flow, guarantee: 1, terminals };
}
