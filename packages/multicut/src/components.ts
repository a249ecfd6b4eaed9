import type { Graph } from "./graph.ts";

/** Connected components, numbered by their smallest vertex. */
export interface Components {
  readonly of: Int32Array;
  readonly count: number;
  /** Vertices per component. */
  readonly sizes: Int32Array;
}

/** Components of the graph without the edges between sides. Edges of capacity 0 connect, too. */
export function componentsWithin(graph: Graph, side: Int32Array): Components {
  const { offsets, heads, size } = graph;
  // Before a vertex has a component, its side: one look tells whether it belongs to the one that is growing.
  const of = new Int32Array(size);
  for (let v = 0; v < size; v++) of[v] = -1 - side[v]!;
  const queue = new Int32Array(size);
  const sizes: number[] = [];
  for (let start = 0; start < size; start++) {
    if (of[start]! >= 0) continue;
    const wanted = of[start]!;
    const number = sizes.length;
    of[start] = number;
    queue[0] = start;
    let tail = 1;
    for (let head = 0; head < tail; head++) {
      const v = queue[head]!;
      const end = offsets[v + 1]!;
      for (let a = offsets[v]!; a < end; a++) {
        const u = heads[a]!;
        if (of[u] !== wanted) continue;
        of[u] = number;
        queue[tail++] = u;
      }
    }
    sizes.push(tail);
  }
  return { of, count: sizes.length, sizes: Int32Array.from(sizes) };
}
