/**
 * The undirected capacitated graph that everything here works on, in one canonical form: however the input is permuted,
 * reversed or split into parallel rows, the same arrays come out, bit for bit.
 * @module
 */

/**
 * Vertices 0 … size−1, no loops, no parallel edges. Edges ascend by (lower, upper). The arcs of `v` are
 * `offsets[v] … offsets[v+1]`, neighbours ascending; arc `a` leads to `heads[a]`, its reverse is `twins[a]`, its edge
 * `edgeOf[a]`. Parallel input edges: `capacities` is their sum, `strongest` the largest one.
 */
export interface Graph {
  readonly size: number;
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Per edge: finite, ≥ 0. */
  readonly capacities: Float64Array;
  /** Per edge: what a path along the edge goes by. */
  readonly strongest: Float64Array;
  readonly offsets: Int32Array;
  readonly heads: Int32Array;
  readonly twins: Int32Array;
  readonly edgeOf: Int32Array;
}

/**
 * Builds the graph of the edges `ends[2i]`–`ends[2i+1]` with weight `weights[i]`; loops are dropped. O(V + E): two stable
 * counting sorts. Memory: about 56 bytes per edge while it runs, 48 after.
 */
export function buildGraph(size: number, ends: Int32Array, weights: Float64Array): Graph {
  const order = sortByEnds(size, ends);
  const lower = new Int32Array(order.length);
  const upper = new Int32Array(order.length);
  const capacities = new Float64Array(order.length);
  const strongest = new Float64Array(order.length);
  let count = 0;
  for (let from = 0; from < order.length; ) {
    const first = order[from]!;
    const low = Math.min(ends[2 * first]!, ends[2 * first + 1]!);
    const high = Math.max(ends[2 * first]!, ends[2 * first + 1]!);
    let to = from + 1;
    let sum = weights[first]!;
    let most = sum;
    for (; to < order.length; to++) {
      const next = order[to]!;
      const a = ends[2 * next]!;
      const b = ends[2 * next + 1]!;
      if (Math.min(a, b) !== low || Math.max(a, b) !== high) break;
      sum += weights[next]!;
      most = Math.max(most, weights[next]!);
    }
    // A sum of two is the same in either order; longer runs are added smallest first, so that input order cannot show.
    if (to - from > 2) sum = sumAscending(weights, order, from, to);
    lower[count] = low;
    upper[count] = high;
    capacities[count] = sum;
    strongest[count++] = most;
    from = to;
  }
  return linkArcs(
    size,
    lower.slice(0, count),
    upper.slice(0, count),
    capacities.slice(0, count),
    strongest.slice(0, count),
  );
}

/** The same graph with other capacities. */
export function withCapacities(graph: Graph, capacities: Float64Array): Graph {
  return { ...graph, capacities };
}

/** Row numbers of the edges that are no loops, ascending by (lower end, upper end). */
function sortByEnds(size: number, ends: Int32Array): Int32Array {
  const rows = ends.length / 2;
  const byUpper = new Int32Array(size + 1);
  const byLower = new Int32Array(size + 1);
  let kept = 0;
  for (let i = 0; i < rows; i++) {
    const a = ends[2 * i]!;
    const b = ends[2 * i + 1]!;
    if (a === b) continue;
    kept++;
    byLower[Math.min(a, b) + 1]!++;
    byUpper[Math.max(a, b) + 1]!++;
  }
  for (let v = 0; v < size; v++) {
    byUpper[v + 1]! += byUpper[v]!;
    byLower[v + 1]! += byLower[v]!;
  }
  const half = new Int32Array(kept);
  for (let i = 0; i < rows; i++) {
    const a = ends[2 * i]!;
    const b = ends[2 * i + 1]!;
    if (a !== b) half[byUpper[Math.max(a, b)]!++] = i;
  }
  const order = new Int32Array(kept);
  for (let k = 0; k < kept; k++) {
    const i = half[k]!;
    const a = ends[2 * i]!;
    const b = ends[2 * i + 1]!;
    order[byLower[Math.min(a, b)]!++] = i;
  }
  return order;
}

function sumAscending(weights: Float64Array, order: Int32Array, from: number, to: number): number {
  const run = new Float64Array(to - from);
  for (let i = from; i < to; i++) run[i - from] = weights[order[i]!]!;
  return run.sort().reduce((sum, weight) => sum + weight, 0);
}

function linkArcs(
  size: number,
  lower: Int32Array,
  upper: Int32Array,
  capacities: Float64Array,
  strongest: Float64Array,
): Graph {
  const edges = lower.length;
  const offsets = new Int32Array(size + 1);
  for (let e = 0; e < edges; e++) {
    offsets[lower[e]! + 1]!++;
    offsets[upper[e]! + 1]!++;
  }
  for (let v = 0; v < size; v++) offsets[v + 1]! += offsets[v]!;
  const next = offsets.slice(0, size);
  const heads = new Int32Array(2 * edges);
  const twins = new Int32Array(2 * edges);
  const edgeOf = new Int32Array(2 * edges);
  for (let e = 0; e < edges; e++) {
    const out = next[lower[e]!]!++;
    const back = next[upper[e]!]!++;
    heads[out] = upper[e]!;
    heads[back] = lower[e]!;
    twins[out] = back;
    twins[back] = out;
    edgeOf[out] = e;
    edgeOf[back] = e;
  }
  return { size, lower, upper, capacities, strongest, offsets, heads, twins, edgeOf };
}
