/**
 * One group alone: "cut this out where it is thinnest". Without a second group the lightest cut would be some stray leaf, so
 * the piece is chosen by conductance and its border by an exact cut.
 * @module
 */
import type { Assignment } from "./assignment.ts";
import { DistanceQueue } from "./distance-queue.ts";
import type { Graph } from "./graph.ts";
import { minCut } from "./min-cut.ts";

/** The rest must hold this share of all capacity, or some stray leaf far away would be the "rest". */
const LEAST_REST = 0.1;

/**
 * Takes vertices in order of path distance from the group and looks for the prefix of least conductance, weight of the
 * border / capacity of the smaller side (a sweep cut, as in Andersen, Chung & Lang 2006). The nearer half of the prefix and
 * the farther half of what is beyond it then become terminals of an exact cut. Side 1 is the rest.
 *
 * If nothing lies beyond the group, everything is on side 0 and the flow is 0.
 */
export function isolateGroup(graph: Graph, terminal: Int32Array): Assignment {
  const order = orderByDistance(graph, terminal);
  if (order.length === terminal.length) {
    const side = new Int32Array(graph.size).fill(1);
    for (const v of terminal) side[v] = 0;
    return { side, flow: 0, lowerBound: 0, guarantee: 1, terminals: [terminal] };
  }
  const prefix = bestPrefix(graph, order, terminal.length);
  const inside = order.slice(0, Math.max(terminal.length, prefix >> 1));
  const outside = order.slice(Math.min(order.length - 1, prefix + ((order.length - prefix) >> 1)));
  const cut = minCut(graph, inside, outside);
  const side = new Int32Array(graph.size);
  for (let v = 0; v < side.length; v++) side[v] = 1 - cut.side[v]!;
  return { side, flow: cut.flow, lowerBound: cut.flow, guarantee: 1, terminals: [inside, outside] };
}

/** The vertices connected to the terminal by positive affinities, nearest first; the terminal leads, ascending. */
function orderByDistance(graph: Graph, terminal: Int32Array): Int32Array {
  const { offsets, heads, strongest, size } = graph;
  const distance = new Float64Array(size).fill(Infinity);
  const order = new Int32Array(size);
  const queue = new DistanceQueue(distance);
  let count = 0;
  for (const v of terminal) {
    distance[v] = 0;
    queue.push(v);
  }
  for (let v = queue.pop(); v >= 0; v = queue.pop()) {
    order[count++] = v;
    const away = distance[v]!;
    const end = offsets[v + 1]!;
    for (let a = offsets[v]!; a < end; a++) {
      const u = heads[a]!;
      const next = away + 1 / strongest[a]!;
      if (next >= distance[u]!) continue;
      distance[u] = next;
      queue.push(u);
    }
  }
  return order.slice(0, count);
}

/** Length of the prefix of `order`, at least `least` and not everything, of smallest conductance; the shortest of equals. */
function bestPrefix(graph: Graph, order: Int32Array, least: number): number {
  const { offsets, heads, darts, capacities } = graph;
  const inside = new Uint8Array(graph.size);
  let total = 0;
  for (const v of order) for (let a = offsets[v]!; a < offsets[v + 1]!; a++) total += capacities[darts[a]! >> 1]!;
  let volume = 0;
  let border = 0;
  let best = least;
  let bestScore = Infinity;
  for (let i = 0; i < order.length - 1; i++) {
    const v = order[i]!;
    inside[v] = 1;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      const capacity = capacities[darts[a]! >> 1]!;
      volume += capacity;
      border += inside[heads[a]!] === 1 ? -capacity : capacity;
    }
    const score = border / Math.min(volume, total - volume);
    if (i + 1 >= least && score < bestScore && total - volume >= LEAST_REST * total) {
      best = i + 1;
      bestScore = score;
    }
  }
  return best;
}
