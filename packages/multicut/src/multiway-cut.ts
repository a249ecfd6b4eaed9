/**
 * Three or more groups: NP-hard, so a good cut with a certificate. Isolating cuts (Dahlhaus, Johnson, Papadimitriou, Seymour
 * & Yannakakis 1994) start it, swap moves between two groups (Boykov, Veksler & Zabih 2001) improve it.
 * @module
 */
import { type Assignment, weighSides } from "./assignment.ts";
import { componentsWithin } from "./components.ts";
import { DistanceQueue } from "./distance-queue.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { type MinCut, minCut } from "./min-cut.ts";
import type { Steps } from "./steps.ts";

/** Each round strictly lightens the cut; real graphs settle in two or three. */
const MAX_ROUNDS = 20;
/** A move must gain more than rounding, relative. */
const GAIN = 1e-12;

/**
 * Parts k terminals. Half the sum of the k isolating cuts bounds every multiway cut from below, since each of its edges
 * borders two sides; the isolating cuts but the dearest form one that is at most 2 − 2/k times that bound, and every change
 * after that makes it lighter.
 */
export function* multiwayCut(graph: Graph, terminals: readonly Int32Array[]): Steps<Assignment> {
  const isolating: MinCut[] = [];
  for (const [g, own] of terminals.entries()) {
    const others = terminals.filter((_, other) => other !== g).flatMap((t) => [...t]);
    isolating.push(minCut(graph, own, others));
    yield;
  }
  const lowerBound = isolating.reduce((sum, { flow }) => sum + flow, 0) / 2;
  const sides = isolating.map(({ side }) => side);
  // The lightest of these is at least as light as the one that leaves the dearest isolating cut out.
  let isolated = startFrom(graph, sides, 0);
  let lightest = weighSides(graph, isolated);
  for (let background = 1; background < terminals.length; background++) {
    yield;
    const start = startFrom(graph, sides, background);
    const weight = weighSides(graph, start);
    if (weight >= lightest) continue;
    isolated = start;
    lightest = weight;
  }
  // Moves between two groups cannot leave every trap, so a second start, unlike the first, goes the same way.
  const first = yield* improve(graph, isolated, terminals);
  const nearest = nearestTerminal(graph, terminals);
  yield;
  const second = yield* improve(graph, nearest, terminals);
  const best = second.flow < first.flow ? second : first;
  return { ...best, lowerBound, guarantee: 2 - 2 / terminals.length, terminals };
}

/** Changes an assignment in place while that makes it lighter, and weighs it. */
function* improve(
  graph: Graph,
  side: Int32Array,
  terminals: readonly Int32Array[],
): Steps<Pick<Assignment, "side" | "flow">> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const adopted = adoptStrays(graph, side, terminals);
    yield;
    const swapped = yield* swapPairs(graph, side, terminals);
    if (!adopted && !swapped) break;
  }
  return { side, flow: weighSides(graph, side) };
}

/** Each vertex with the terminal whose path to it is shortest; what no path reaches with the first. */
function nearestTerminal(graph: Graph, terminals: readonly Int32Array[]): Int32Array {
  const { offsets, heads, darts, capacities, size } = graph;
  const side = new Int32Array(size);
  const distance = new Float64Array(size).fill(Infinity);
  const queue = new DistanceQueue(distance);
  for (const [g, terminal] of terminals.entries()) {
    for (const v of terminal) {
      distance[v] = 0;
      side[v] = g;
      queue.push(v);
    }
  }
  for (let v = queue.pop(); v >= 0; v = queue.pop()) {
    const away = distance[v]!;
    const end = offsets[v + 1]!;
    for (let a = offsets[v]!; a < end; a++) {
      const u = heads[a]!;
      const next = away + 1 / capacities[darts[a]! >> 1]!;
      if (next >= distance[u]!) continue;
      distance[u] = next;
      side[u] = side[v]!;
      queue.push(u);
    }
  }
  return side;
}

/** Each group keeps its smallest isolated side (these are disjoint); everything else goes to `background`. */
function startFrom(graph: Graph, sides: readonly Uint8Array[], background: number): Int32Array {
  const start = new Int32Array(graph.size).fill(background);
  for (const [g, own] of sides.entries()) {
    if (g === background) continue;
    for (let v = 0; v < own.length; v++) if (own[v] === 1) start[v] = g;
  }
  return start;
}

/**
 * Pieces of a side without its terminal go to the side whose rooted part they hang on most. All move at once: two strays
 * that touch are on different sides already, so parting them anew costs nothing more.
 */
function adoptStrays(graph: Graph, side: Int32Array, terminals: readonly Int32Array[]): boolean {
  const k = terminals.length;
  const { of, count } = componentsWithin(graph, side);
  const rooted = new Uint8Array(count);
  for (const terminal of terminals) for (const v of terminal) rooted[of[v]!] = 1;
  const pull = new Float64Array(count * k);
  for (let e = 0; e < graph.lower.length; e++) {
    const a = graph.lower[e]!;
    const b = graph.upper[e]!;
    if (side[a] === side[b]) continue;
    if (rooted[of[b]!] === 1) pull[of[a]! * k + side[b]!]! += graph.capacities[e]!;
    if (rooted[of[a]!] === 1) pull[of[b]! * k + side[a]!]! += graph.capacities[e]!;
  }
  const moveTo = new Int32Array(count).fill(-1);
  for (let c = 0; c < count; c++) {
    const own = pull.subarray(c * k, (c + 1) * k);
    const most = Math.max(...own);
    if (rooted[c] === 0 && most > 0) moveTo[c] = own.indexOf(most);
  }
  let moved = false;
  for (let v = 0; v < side.length; v++) {
    if (moveTo[of[v]!]! < 0) continue;
    side[v] = moveTo[of[v]!]!;
    moved = true;
  }
  return moved;
}

/** For each pair of groups that border each other, the exact cut between the two, all others held. */
function* swapPairs(graph: Graph, side: Int32Array, terminals: readonly Int32Array[]): Steps<boolean> {
  let improved = false;
  for (let a = 0; a < terminals.length; a++) {
    for (let b = a + 1; b < terminals.length; b++) {
      improved = swapPair(graph, side, terminals, a, b) || improved;
      yield;
    }
  }
  return improved;
}

function swapPair(graph: Graph, side: Int32Array, terminals: readonly Int32Array[], a: number, b: number): boolean {
  const local = new Int32Array(graph.size).fill(-1);
  const vertices: number[] = [];
  for (let v = 0; v < side.length; v++) if (side[v] === a || side[v] === b) local[v] = vertices.push(v) - 1;
  const lower: number[] = [];
  const upper: number[] = [];
  const weights: number[] = [];
  let before = 0;
  for (let e = 0; e < graph.lower.length; e++) {
    const from = graph.lower[e]!;
    const to = graph.upper[e]!;
    if (local[from]! < 0 || local[to]! < 0) continue;
    if (side[from] !== side[to]) before += graph.capacities[e]!;
    // Local numbers ascend as vertices do.
    lower.push(local[from]!);
    upper.push(local[to]!);
    weights.push(graph.capacities[e]!);
  }
  if (before === 0) return false;
  const pair = buildGraph(vertices.length, {
    lower: Int32Array.from(lower),
    upper: Int32Array.from(upper),
    weights: Float64Array.from(weights),
  });
  const [sources, sinks] = [a, b].map((g) => terminals[g]!.map((v) => local[v]!));
  const cut = minCut(pair, sources!, sinks!);
  if (cut.flow >= before * (1 - GAIN)) return false;
  for (let i = 0; i < vertices.length; i++) side[vertices[i]!] = cut.side[i] === 1 ? a : b;
  return true;
}
