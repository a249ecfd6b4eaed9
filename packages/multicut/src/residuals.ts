/**
 * Capacities as integers in doubles: every sum a solver forms is then exact, so a saturated edge has room 0 and not 5e-17,
 * the minimal source side is one well-defined set, and all solvers find the same one.
 * @module
 */
import type { Graph } from "./graph.ts";

/** Which terminal a vertex belongs to. */
export const FREE = 0;
export const SOURCE = 1;
export const SINK = 2;

/** What can still flow, in units of `unit`. */
export interface Residuals {
  /** Per dart. */
  readonly room: Float64Array;
  readonly unit: number;
}

/** Doubles hold integers to 2^53; one bit is left for the sum of a dart and its reverse. */
const EXACT_BITS = 52;

/**
 * Rounds capacities up to multiples of a power of two. `bound` is the weight of some cut: an edge above it is in no minimal
 * cut, so capacities end at twice the bound and do not coarsen the unit. Rounding up keeps every edge of positive capacity
 * passable, so that what hangs by a thread stays with its side.
 */
export function scaleCapacities(graph: Graph, roles: Uint8Array, bound: number): Residuals {
  const { capacities } = graph;
  const room = new Float64Array(2 * capacities.length);
  if (bound === 0) {
    for (let d = 0; d < room.length; d++) room[d] = capacities[d >> 1]! > 0 ? 1 : 0;
    return { room, unit: 0 };
  }
  const limit = 2 * bound;
  let largestSum = 2 * limit;
  for (const terminal of [SOURCE, SINK]) largestSum = Math.max(largestSum, outflow(graph, roles, terminal, limit));
  const exponent = EXACT_BITS - Math.ceil(Math.log2(largestSum));
  const scale = 2 ** exponent;
  for (let e = 0; e < capacities.length; e++) {
    const units = Math.ceil(Math.min(capacities[e]!, limit) * scale);
    room[2 * e] = units;
    room[2 * e + 1] = units;
  }
  return { room, unit: 2 ** -exponent };
}

/** The capacity that leaves a terminal, each edge counting at most `limit`: the weight of the cut around it. */
export function outflow(graph: Graph, roles: Uint8Array, terminal: number, limit: number): number {
  const { offsets, heads, darts, capacities, size } = graph;
  let sum = 0;
  for (let v = 0; v < size; v++) {
    if (roles[v] !== terminal) continue;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      if (roles[heads[a]!] !== terminal) sum += Math.min(capacities[darts[a]! >> 1]!, limit);
    }
  }
  return sum;
}
