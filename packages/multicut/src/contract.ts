import { DisjointSets } from "./disjoint-sets.ts";
import { MulticutError } from "./errors.ts";
import { buildGraph, type Graph, type Rows } from "./graph.ts";
import { idsAt, indexIds } from "./id-table.ts";
import { checkEdges } from "./input.ts";

/** Pairs of supervoxels are sorted by a double, first · n + second: n² must stay below 2^53. */
const MAX_SUPERVOXELS = 90_000_000;

/**
 * A supervoxel graph whose infinite edges are contracted. A vertex stands for the supervoxels that infinite edges connect;
 * its representative is the smallest of them, and vertices ascend by representative.
 */
export interface Contraction {
  /** All supervoxels of the edge list, ascending. */
  readonly ids: BigUint64Array;
  /** Per supervoxel of `ids`: its vertex. */
  readonly vertexOf: Int32Array;
  /** Per vertex: the smallest supervoxel. */
  readonly reps: BigUint64Array;
  /** Supervoxels of vertex v, as indices into `ids`, ascending: `members[memberOffsets[v] … memberOffsets[v+1]]`. */
  readonly memberOffsets: Int32Array;
  readonly members: Int32Array;
  /** Per end of the input's edges: the index of its supervoxel in `ids`. */
  readonly ends: Int32Array;
  /** How many input rows are finite, loops included. */
  readonly finiteRows: number;
  /** The finite edges between vertices. */
  readonly graph: Graph;
}

/**
 * Contracts the edges of infinite affinity: supervoxels that one object's chunk borders cut apart become one vertex, and no
 * infinity reaches a solver. Rows may come in any order and direction and more than once; parallel rows add up.
 *
 * @param edges pairs of supervoxels, 2E ids.
 * @param affinities one per pair: 0, 1e-200 … 1e200, or Infinity.
 * @throws MulticutError `INVALID_EDGES`, `INVALID_AFFINITIES`, `TOO_LARGE`.
 */
export function contract(edges: BigUint64Array, affinities: Float64Array | Float32Array): Contraction {
  return contractRows(edges, checkEdges(edges, affinities));
}

/** {@link contract} for checked rows, whose weights may be negative. */
export function contractRows(edges: BigUint64Array, weights: Float64Array): Contraction {
  const { ids, index: ends } = indexIds(edges);
  if (ids.length > MAX_SUPERVOXELS) {
    throw new MulticutError(
      "TOO_LARGE",
      `edges name ${ids.length} supervoxels, over the limit of ${MAX_SUPERVOXELS}; cut a smaller box around the labels`,
      { supervoxels: ids.length, limit: MAX_SUPERVOXELS },
    );
  }
  const sets = new DisjointSets(ids.length);
  let infinite = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] !== Infinity) continue;
    infinite++;
    sets.join(ends[2 * i]!, ends[2 * i + 1]!);
  }
  const vertexOf = new Int32Array(ids.length);
  let size = 0;
  for (let i = 0; i < ids.length; i++) {
    const root = sets.find(i);
    vertexOf[i] = root === i ? size++ : vertexOf[root]!;
  }
  const { reps, memberOffsets, members } = groupMembers(ids, vertexOf, size);
  const finiteRows = weights.length - infinite;
  return {
    ids,
    vertexOf,
    reps,
    memberOffsets,
    members,
    ends,
    finiteRows,
    graph: buildGraph(size, rowsBetween(ends, vertexOf, weights)),
  };
}

/** The supervoxels of a vertex, ascending. */
export function membersOf(contraction: Contraction, vertex: number): BigUint64Array {
  const { ids, members, memberOffsets } = contraction;
  return idsAt(ids, members.subarray(memberOffsets[vertex]!, memberOffsets[vertex + 1]!));
}

/** The supervoxels of each of `count` sets of vertices, ascending; `partOf` is the number of a vertex's set. */
export function membersOfParts(contraction: Contraction, partOf: Int32Array, count: number): BigUint64Array[] {
  const { ids, vertexOf } = contraction;
  const next = new Int32Array(count + 1);
  for (let i = 0; i < vertexOf.length; i++) next[partOf[vertexOf[i]!]! + 1]!++;
  for (let part = 0; part < count; part++) next[part + 1]! += next[part]!;
  const starts = next.slice();
  const places = new Int32Array(vertexOf.length);
  for (let i = 0; i < vertexOf.length; i++) places[next[partOf[vertexOf[i]!]!]!++] = i;
  return Array.from({ length: count }, (_, part) => idsAt(ids, places.subarray(starts[part], starts[part + 1])));
}

function groupMembers(
  ids: BigUint64Array,
  vertexOf: Int32Array,
  size: number,
): Pick<Contraction, "reps" | "memberOffsets" | "members"> {
  const memberOffsets = new Int32Array(size + 1);
  for (let i = 0; i < vertexOf.length; i++) memberOffsets[vertexOf[i]! + 1]!++;
  for (let v = 0; v < size; v++) memberOffsets[v + 1]! += memberOffsets[v]!;
  const next = memberOffsets.slice(0, size);
  const members = new Int32Array(ids.length);
  for (let i = 0; i < vertexOf.length; i++) members[next[vertexOf[i]!]!++] = i;
  const smallest = new Int32Array(size);
  for (let v = 0; v < size; v++) smallest[v] = members[memberOffsets[v]!]!;
  return { reps: idsAt(ids, smallest), memberOffsets, members };
}

/** The rows between vertices; those of infinite weight have become loops, which are left out. */
function rowsBetween(ends: Int32Array, vertexOf: Int32Array, weights: Float64Array): Rows {
  const lower = new Int32Array(weights.length);
  const upper = new Int32Array(weights.length);
  const kept = new Float64Array(weights.length);
  let count = 0;
  for (let i = 0; i < weights.length; i++) {
    const a = vertexOf[ends[2 * i]!]!;
    const b = vertexOf[ends[2 * i + 1]!]!;
    // Without branches, as rows run either way at random: the difference if it is negative, else 0.
    const drop = (a - b) & ((a - b) >> 31);
    lower[count] = b + drop;
    upper[count] = a - drop;
    // Adding 0 turns -0 into 0, whose reciprocal is a length.
    kept[count] = weights[i]! + 0;
    if (a !== b) count++;
  }
  return { lower: lower.subarray(0, count), upper: upper.subarray(0, count), weights: kept.subarray(0, count) };
}
