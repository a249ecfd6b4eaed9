/**
 * The undirected capacitated graph that everything here works on, in one canonical form: however the input is permuted,
 * reversed or split into parallel rows, the same arrays come out, bit for bit.
 * @module
 */

/**
 * Vertices 0 … size−1, no loops, no parallel edges. Edges ascend by (lower, upper). The arcs of `v` are
 * `offsets[v] … offsets[v+1]`, neighbours ascending; arc `a` leads to `heads[a]` along the dart `darts[a]`. Dart 2e runs along
 * edge e from its lower to its upper end, dart 2e+1 back: what solvers keep per direction lies side by side. Parallel input
 * edges: `capacities` is their sum, `strongest` the largest one.
 */
export interface Graph {
  readonly size: number;
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Per edge: finite, ≥ 0. */
  readonly capacities: Float64Array;
  /** Per arc, as paths are searched arc by arc: the affinity that its length goes by. */
  readonly strongest: Float64Array;
  readonly offsets: Int32Array;
  readonly heads: Int32Array;
  readonly darts: Int32Array;
}

/** Rows of an edge list between vertices: no loops, `lower[i] < upper[i]`. */
export interface Rows {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Builds the graph of an edge list, whose arrays it takes over. Rows are scattered into buckets by their upper end, then by
 * their lower one (a radix sort), and equal ones merged: O(V + E). Memory: about 70 bytes per edge while it runs, 50 after.
 */
export function buildGraph(size: number, rows: Rows): Graph {
  const { starts, upper, weights, spare } = sortRows(size, rows);
  const lower = rows.lower;
  const largest = spare;
  const offsets = new Int32Array(size + 1);
  // Merged edges are written over rows that were read already.
  let count = 0;
  let from = 0;
  for (let v = 0; v < size; v++) {
    const end = starts[v]!;
    const before = count;
    while (from < end) {
      const high = upper[from]!;
      let sum = weights[from]!;
      let most = sum;
      let to = from + 1;
      for (; to < end && upper[to] === high; to++) {
        sum += weights[to]!;
        most = Math.max(most, weights[to]!);
      }
      // A sum of two is the same in either order; longer runs are added smallest first, so that input order cannot show.
      if (to - from > 2) sum = sumAscending(weights.subarray(from, to));
      lower[count] = v;
      upper[count] = high;
      weights[count] = sum;
      largest[count++] = most;
      offsets[high + 1]!++;
      from = to;
    }
    offsets[v + 1]! += count - before;
  }
  for (let v = 0; v < size; v++) offsets[v + 1]! += offsets[v]!;
  return linkArcs(
    size,
    lower.subarray(0, count),
    upper.subarray(0, count),
    weights.subarray(0, count),
    largest.subarray(0, count),
    offsets,
  );
}

/** Sorts the weights, then adds them up. */
function sumAscending(weights: Float64Array): number {
  if (weights.length > FEW) weights.sort();
  else sortFew(weights);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]!;
  return sum;
}

/** A call of the native sort costs more than these take. */
const FEW = 24;

function sortFew(weights: Float64Array): void {
  for (let i = 1; i < weights.length; i++) {
    const weight = weights[i]!;
    let at = i;
    for (; at > 0 && weights[at - 1]! > weight; at--) weights[at] = weights[at - 1]!;
    weights[at] = weight;
  }
}

/** The edge between two neighbours: arcs ascend by neighbour. */
export function edgeBetween(graph: Graph, a: number, b: number): number {
  let low = graph.offsets[a]!;
  let high = graph.offsets[a + 1]! - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (graph.heads[middle]! < b) low = middle + 1;
    else high = middle;
  }
  return graph.darts[low]! >> 1;
}

/** The same graph with other capacities. */
export function withCapacities(graph: Graph, capacities: Float64Array): Graph {
  return { ...graph, capacities };
}

/** The rows by lower, then upper end, in their own arrays; `starts[v]` is where those of lower end `v` stop. */
function sortRows(size: number, rows: Rows): Omit<Rows, "lower"> & { starts: Int32Array; spare: Float64Array } {
  const { lower, upper, weights } = rows;
  const next = new Int32Array(size + 1);
  const starts = new Int32Array(size + 1);
  const count = lower.length;
  for (let i = 0; i < count; i++) {
    starts[lower[i]! + 1]!++;
    next[upper[i]! + 1]!++;
  }
  for (let v = 0; v < size; v++) {
    starts[v + 1]! += starts[v]!;
    next[v + 1]! += next[v]!;
  }
  const lowerByUpper = new Int32Array(count);
  const spare = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = next[upper[i]!]!++;
    lowerByUpper[at] = lower[i]!;
    spare[at] = weights[i]!;
  }
  // Filling a bucket moves its start to its end, which is how far the next pass over it goes.
  let from = 0;
  for (let v = 0; v < size; v++) {
    const end = next[v]!;
    for (; from < end; from++) {
      const at = starts[lowerByUpper[from]!]!++;
      upper[at] = v;
      weights[at] = spare[from]!;
    }
  }
  return { starts, upper, weights, spare };
}

function linkArcs(
  size: number,
  lower: Int32Array,
  upper: Int32Array,
  capacities: Float64Array,
  largest: Float64Array,
  offsets: Int32Array,
): Graph {
  const edges = lower.length;
  const next = offsets.slice(0, size);
  const heads = new Int32Array(2 * edges);
  const darts = new Int32Array(2 * edges);
  const strongest = new Float64Array(2 * edges);
  for (let e = 0; e < edges; e++) {
    const low = lower[e]!;
    const high = upper[e]!;
    const out = next[low]!++;
    const back = next[high]!++;
    heads[out] = high;
    heads[back] = low;
    darts[out] = 2 * e;
    darts[back] = 2 * e + 1;
    strongest[out] = largest[e]!;
    strongest[back] = largest[e]!;
  }
  return { size, lower, upper, capacities, strongest, offsets, heads, darts };
}
