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
 * Builds the graph of the edges `ends[2i]`–`ends[2i+1]` with weight `weights[i]`; loops are dropped. Rows are scattered into
 * buckets by their lower end, buckets sorted by upper end, equal ones merged: O(V + E) for bounded degrees, E log E at worst.
 * Memory: about 60 bytes per edge while it runs, 40 after.
 */
export function buildGraph(size: number, ends: Int32Array, weights: Float64Array): Graph {
  const buckets = scatterByLower(size, ends, weights);
  const { starts, upper, weight } = buckets;
  const lower = new Int32Array(upper.length);
  const strongest = new Float64Array(upper.length);
  // Merged edges are written over rows that were read already.
  let count = 0;
  for (let v = 0; v < size; v++) {
    const end = starts[v + 1]!;
    sortBucket(upper, weight, starts[v]!, end);
    for (let from = starts[v]!; from < end; ) {
      const high = upper[from]!;
      let sum = weight[from]!;
      let most = sum;
      let to = from + 1;
      for (; to < end && upper[to] === high; to++) {
        sum += weight[to]!;
        most = Math.max(most, weight[to]!);
      }
      // A sum of two is the same in either order; longer runs are added smallest first, so that input order cannot show.
      if (to - from > 2)
        sum = weight
          .slice(from, to)
          .sort()
          .reduce((total, part) => total + part, 0);
      lower[count] = v;
      upper[count] = high;
      weight[count] = sum;
      strongest[count++] = most;
      from = to;
    }
  }
  return linkArcs(
    size,
    lower.subarray(0, count),
    upper.subarray(0, count),
    weight.subarray(0, count),
    strongest.subarray(0, count),
  );
}

/** The same graph with other capacities. */
export function withCapacities(graph: Graph, capacities: Float64Array): Graph {
  return { ...graph, capacities };
}

/** Upper ends and weights of the rows that are no loops, grouped by lower end. */
function scatterByLower(
  size: number,
  ends: Int32Array,
  weights: Float64Array,
): { starts: Int32Array; upper: Int32Array; weight: Float64Array } {
  const starts = new Int32Array(size + 1);
  for (let i = 0; i < ends.length; i += 2) {
    const a = ends[i]!;
    const b = ends[i + 1]!;
    if (a !== b) starts[Math.min(a, b) + 1]!++;
  }
  for (let v = 0; v < size; v++) starts[v + 1]! += starts[v]!;
  const next = starts.slice(0, size);
  const upper = new Int32Array(starts[size]!);
  const weight = new Float64Array(starts[size]!);
  for (let i = 0; i < ends.length; i += 2) {
    const a = ends[i]!;
    const b = ends[i + 1]!;
    if (a === b) continue;
    const at = next[Math.min(a, b)]!++;
    upper[at] = Math.max(a, b);
    weight[at] = weights[i >> 1]!;
  }
  return { starts, upper, weight };
}

/** Buckets beyond this size take the native sort. */
const INSERTION_LIMIT = 24;

/** Sorts `upper[from … to)` ascending and carries `weight` along. */
function sortBucket(upper: Int32Array, weight: Float64Array, from: number, to: number): void {
  if (to - from > INSERTION_LIMIT) {
    sortLargeBucket(upper, weight, from, to);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const end = upper[i]!;
    const amount = weight[i]!;
    let at = i;
    for (; at > from && upper[at - 1]! > end; at--) {
      upper[at] = upper[at - 1]!;
      weight[at] = weight[at - 1]!;
    }
    upper[at] = end;
    weight[at] = amount;
  }
}

/** Sorts by one double per row, its upper end and its place: exact while upper end times bucket size stays below 2^53. */
function sortLargeBucket(upper: Int32Array, weight: Float64Array, from: number, to: number): void {
  const length = to - from;
  const keys = new Float64Array(length);
  for (let i = 0; i < length; i++) keys[i] = upper[from + i]! * length + i;
  keys.sort();
  const amounts = weight.slice(from, to);
  for (let i = 0; i < length; i++) {
    const end = Math.floor(keys[i]! / length);
    upper[from + i] = end;
    weight[from + i] = amounts[keys[i]! - end * length]!;
  }
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
