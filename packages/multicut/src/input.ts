import { describe, findUnknown, isAbortSignal, isDetached, type Names } from "./arguments.ts";
import { MulticutError } from "./errors.ts";
import type { Graph } from "./graph.ts";

/** Arcs are numbered by Int32: two per row. */
const MAX_ROWS = 2 ** 29;
const SMALLEST_AFFINITY = 1e-200;
const LARGEST_AFFINITY = 1e200;

/** Checks that there is an object to read arguments from, and that it holds none but those of `names`. */
export function checkInput<Input extends object>(input: Input, call: string, names: Names<Input>): void {
  if (typeof input !== "object" || input === null) {
    throw new MulticutError(
      "INVALID_INPUT",
      `the argument of ${call} must be an object that holds the arguments by name, got ${describe(input)}`,
    );
  }
  const unknown = findUnknown(input, names);
  if (unknown === undefined) return;
  throw new MulticutError(
    "INVALID_OPTION",
    `${call} has no option ${JSON.stringify(unknown)}; it takes ${Object.keys(names).join(", ")}`,
    { option: unknown },
  );
}

/** Checks what may end a call from outside. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || isAbortSignal(signal)) return;
  throw new MulticutError("INVALID_OPTION", `signal must be an AbortSignal, got ${describe(signal)}`);
}

/** Checks a graph handed back to this package. */
export function checkGraph(graph: Graph): void {
  if (Number.isInteger(graph?.size) && graph.offsets instanceof Int32Array && graph.heads instanceof Int32Array) return;
  throw new MulticutError("INVALID_INPUT", `graph must be the \`graph\` of a Contraction, got ${describe(graph)}`);
}

/** Checks an edge list and returns its affinities in double precision. */
export function checkEdges(edges: BigUint64Array, affinities: Float64Array | Float32Array): Float64Array {
  const weights = checkEdgeList(edges, affinities, "affinities");
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight === 0 || weight === Infinity || (weight >= SMALLEST_AFFINITY && weight <= LARGEST_AFFINITY)) continue;
    throw new MulticutError(
      "INVALID_AFFINITIES",
      `affinities[${i}] is ${weight} (edge ${edges[2 * i]}–${edges[2 * i + 1]}); an affinity is 0, from ` +
        `${SMALLEST_AFFINITY} to ${LARGEST_AFFINITY}, or Infinity for supervoxels that must stay together`,
      { index: i, affinity: weight },
    );
  }
  return weights;
}

/** Checks that there is one number per pair and returns the numbers in double precision. */
export function checkEdgeList(
  edges: BigUint64Array,
  numbers: Float64Array | Float32Array,
  name: "affinities" | "weights",
): Float64Array {
  const rows = checkPairs(edges, "edges", "INVALID_EDGES") / 2;
  if (!(numbers instanceof Float64Array || numbers instanceof Float32Array)) {
    throw new MulticutError(
      "INVALID_AFFINITIES",
      `${name} must be a Float64Array or Float32Array, got ${describe(numbers)}`,
    );
  }
  if (numbers.length !== rows) {
    throw new MulticutError(
      "INVALID_AFFINITIES",
      `${name} has ${numbers.length} values for ${rows} edges (edges has ${edges.length} ids); give one per pair`,
      { values: numbers.length, rows },
    );
  }
  // One array kind inside the loops; doubles hold every float exactly.
  return numbers instanceof Float64Array ? numbers : new Float64Array(numbers);
}

/** Checks a list of pairs of ids and returns its length. */
export function checkPairs(
  pairs: BigUint64Array,
  name: string,
  code: "INVALID_EDGES" | "INVALID_PAIRS" = "INVALID_PAIRS",
): number {
  if (!(pairs instanceof BigUint64Array)) {
    throw new MulticutError(code, `${name} must be a BigUint64Array of pairs of ids, got ${describe(pairs)}`);
  }
  if (isDetached(pairs)) {
    throw new MulticutError(code, `${name} is ${describe(pairs)}; keep a copy, or give the array before it is sent`);
  }
  if (pairs.length % 2 !== 0) {
    throw new MulticutError(code, `${name} has ${pairs.length} ids, an odd number; it must be pairs`, {
      length: pairs.length,
    });
  }
  if (pairs.length / 2 > MAX_ROWS) {
    throw new MulticutError(
      "TOO_LARGE",
      `${name} has ${pairs.length / 2} pairs, over the limit of ${MAX_ROWS}; cut a smaller box around the labels`,
      { rows: pairs.length / 2, limit: MAX_ROWS },
    );
  }
  return pairs.length;
}

/** Checks that there are groups of labels and that none is empty. */
export function checkGroups(groups: readonly BigUint64Array[]): void {
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new MulticutError(
      "INVALID_GROUPS",
      `groups must be a list of one or more BigUint64Array, got ${describe(groups)}`,
    );
  }
  for (const [g, group] of groups.entries()) {
    if (!(group instanceof BigUint64Array)) {
      throw new MulticutError("INVALID_GROUPS", `groups[${g}] must be a BigUint64Array, got ${describe(group)}`, {
        group: g,
      });
    }
    if (isDetached(group)) {
      throw new MulticutError("INVALID_GROUPS", `groups[${g}] is ${describe(group)}; keep a copy`, { group: g });
    }
    if (group.length === 0) {
      throw new MulticutError("INVALID_GROUPS", `groups[${g}] is empty; each group needs a labelled supervoxel`, {
        group: g,
      });
    }
  }
}

/** Checks a number that a caller names a vertex by. */
export function checkVertex(graph: Graph, vertex: number, name: string): void {
  if (Number.isInteger(vertex) && vertex >= 0 && vertex < graph.size) return;
  throw new MulticutError(
    "INVALID_GROUPS",
    `${name} names vertex ${describe(vertex)}, but vertices are whole numbers from 0 to ${graph.size - 1}`,
  );
}

/** Checks groups of vertices: none empty, no vertex twice. */
export function checkVertexGroups(graph: Graph, groups: readonly Int32Array[]): void {
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new MulticutError(
      "INVALID_GROUPS",
      `groups must be a list of one or more Int32Array, got ${describe(groups)}`,
    );
  }
  const groupOf = new Map<number, number>();
  for (const [g, group] of groups.entries()) {
    const name = `groups[${g}]`;
    if (!(group instanceof Int32Array) || group.length === 0) {
      const found = group instanceof Int32Array && !isDetached(group) ? "an empty one" : describe(group);
      throw new MulticutError("INVALID_GROUPS", `${name} must be an Int32Array of vertices, got ${found}`, {
        group: g,
      });
    }
    for (const v of group) {
      checkVertex(graph, v, name);
      const other = groupOf.get(v);
      if (other !== undefined) {
        throw new MulticutError(
          "INVALID_GROUPS",
          `${name} names vertex ${v}, which ${other === g ? "it names" : `groups[${other}] names`} already; ` +
            "each vertex is one label of one group",
          { group: g, vertex: v },
        );
      }
      groupOf.set(v, g);
    }
  }
}
