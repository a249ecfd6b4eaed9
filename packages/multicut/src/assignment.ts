import type { Graph } from "./graph.ts";

/** Each vertex on the side of one group. */
export interface Assignment {
  /** Per vertex: the number of a group; for a single group, 1 is the rest. */
  readonly side: Int32Array;
  /** Weight of the edges between sides. */
  readonly flow: number;
  /** No assignment is lighter. */
  readonly lowerBound: number;
  /** flow / lowerBound is at most this. */
  readonly guarantee: number;
  /** What was parted: per side, vertices that had to be on it. */
  readonly terminals: readonly Int32Array[];
}

/** The weight of the edges between sides, added in order of the edges. */
export function weighSides(graph: Graph, side: Int32Array): number {
  let weight = 0;
  for (let e = 0; e < graph.lower.length; e++) {
    if (side[graph.lower[e]!] !== side[graph.upper[e]!]) weight += graph.capacities[e]!;
  }
  return weight;
}
