/**
 * Maximum preflow by push-relabel (Goldberg & Tarjan 1988), first in first out, with exact distances recomputed now and then
 * (global relabelling) and the gap heuristic of Cherkassky & Goldberg 1997.
 *
 * Flow is pushed from the sinks towards the sources: in an undirected graph the cut is the same, and the vertices that can
 * still reach the goal when the first phase ends are the smallest possible side around it. That side is wanted for the
 * sources.
 * @module
 */
import type { Graph } from "./graph.ts";
import { FREE, SINK, SOURCE } from "./residuals.ts";

/** Work of one relabelling beside its arcs, and work between two global ones in units of (6 per vertex + arcs). */
const RELABEL_WORK = 12;
const GLOBAL_UPDATE = 1;

/** Some of the flow came to a halt before the goal: it waits as excess at free vertices. */
export interface Preflow {
  /** What reached the goal. */
  readonly arrived: number;
  /** Per vertex. */
  readonly excess: Float64Array;
  /** 1 for the vertices that can still reach the goal, goal included: the smallest side around it. */
  readonly reaching: Uint8Array;
}

/** The state of the vertices while flow is pushed. Memory: 21 bytes per vertex. */
interface Levels {
  /** At most the distance to the goal in the residual graph; `size` where there is no way. */
  readonly height: Int32Array;
  /** The arc to go on with. */
  readonly current: Int32Array;
  /** How many free vertices have a height. */
  readonly population: Int32Array;
  readonly queue: Int32Array;
  /** Terminals count as queued for good: they are never discharged. */
  readonly queued: Uint8Array;
}

/**
 * Pushes as much as possible from SINK vertices to SOURCE vertices; `room` is changed. O(V³), in practice close to
 * linear.
 *
 * A terminal is a thick root as a rule, whose arcs hold several times what the cut lets through, and what cannot pass
 * wanders about until every vertex before the cut is found to be cut off. So half of what could pass at best is fed first,
 * by the shortest ways, and everything else when that has arrived or got stuck.
 */
export function pushPreflow(graph: Graph, roles: Uint8Array, room: Float64Array): Preflow {
  const excess = new Float64Array(graph.size);
  const levels = startLevels(roles);
  const { border, bound } = borderOfSinks(graph, roles, room);
  let supply = Math.ceil(bound / 2);
  for (;;) {
    relabelAll(graph, roles, room, SOURCE, levels);
    if (!feed(graph, room, excess, levels.height, border, supply)) break;
    drain(graph, roles, room, excess, SOURCE, levels);
    supply = Infinity;
  }
  const reaching = new Uint8Array(graph.size);
  let arrived = 0;
  for (let v = 0; v < reaching.length; v++) {
    reaching[v] = levels.height[v]! < graph.size ? 1 : 0;
    if (roles[v] === SOURCE) arrived += excess[v]!;
  }
  return { arrived, excess, reaching };
}

/** Sends waiting excess back where it came from, so that `room` holds a flow: what enters a free vertex leaves it. */
export function returnExcess(graph: Graph, roles: Uint8Array, room: Float64Array, preflow: Preflow): void {
  const levels = startLevels(roles);
  relabelAll(graph, roles, room, SINK, levels);
  drain(graph, roles, room, preflow.excess, SINK, levels);
}

function startLevels(roles: Uint8Array): Levels {
  const size = roles.length;
  return {
    height: new Int32Array(size),
    current: new Int32Array(size),
    population: new Int32Array(size + 1),
    queue: new Int32Array(size + 1),
    queued: roles.map((role) => (role === FREE ? 0 : 1)),
  };
}

/** The arcs that leave the sinks, and the most that can flow: what leaves the sinks or enters the sources. */
function borderOfSinks(graph: Graph, roles: Uint8Array, room: Float64Array): { border: Int32Array; bound: number } {
  const { offsets, heads, darts, size } = graph;
  const border: number[] = [];
  let leaving = 0;
  let entering = 0;
  for (let v = 0; v < size; v++) {
    if (roles[v] === FREE) continue;
    const end = offsets[v + 1]!;
    for (let a = offsets[v]!; a < end; a++) {
      if (roles[heads[a]!] === roles[v]) continue;
      if (roles[v] === SOURCE) entering += room[darts[a]!]!;
      else {
        leaving += room[darts[a]!]!;
        border.push(a);
      }
    }
  }
  return { border: Int32Array.from(border), bound: Math.min(leaving, entering) };
}

/** Pushes up to `supply` over border arcs that lead to the goal, nearest first; false if there are none. */
function feed(
  graph: Graph,
  room: Float64Array,
  excess: Float64Array,
  height: Int32Array,
  border: Int32Array,
  supply: number,
): boolean {
  const arcs = byHeight(graph, room, height, border);
  let left = supply;
  for (let i = 0; i < arcs.length && left > 0; i++) {
    const arc = arcs[i]!;
    const dart = graph.darts[arc]!;
    const amount = Math.min(left, room[dart]!);
    room[dart]! -= amount;
    room[dart ^ 1]! += amount;
    excess[graph.heads[arc]!]! += amount;
    left -= amount;
  }
  return arcs.length > 0;
}

/** The arcs with room whose heads reach the goal, in order of the height of the head: a counting sort. */
function byHeight(graph: Graph, room: Float64Array, height: Int32Array, arcs: Int32Array): Int32Array {
  const { heads, darts, size } = graph;
  const open = arcs.filter((arc) => room[darts[arc]!]! > 0 && height[heads[arc]!]! < size);
  const starts = new Int32Array(size + 1);
  for (let i = 0; i < open.length; i++) starts[height[heads[open[i]!]!]! + 1]!++;
  for (let h = 0; h < size; h++) starts[h + 1]! += starts[h]!;
  const sorted = new Int32Array(open.length);
  for (let i = 0; i < open.length; i++) sorted[starts[height[heads[open[i]!]!]!]!++] = open[i]!;
  return sorted;
}

/** Pushes excess of free vertices towards the `goal` terminal until no excess can reach it. Heights are exact at first. */
function drain(
  graph: Graph,
  roles: Uint8Array,
  room: Float64Array,
  excess: Float64Array,
  goal: number,
  levels: Levels,
): void {
  const { offsets, heads, darts, size } = graph;
  const { height, current, population, queue, queued } = levels;
  const budget = GLOBAL_UPDATE * (6 * size + heads.length);
  let work = 0;
  let first = 0;
  let last = 0;
  for (let v = 0; v < size; v++) {
    if (queued[v] === 1 || excess[v] === 0 || height[v] === size) continue;
    queued[v] = 1;
    queue[last++] = v;
  }
  while (first !== last) {
    const v = queue[first]!;
    first = first === size ? 0 : first + 1;
    queued[v] = 0;
    let level = height[v]!;
    const end = offsets[v + 1]!;
    let left = excess[v]!;
    let a = current[v]!;
    while (level < size) {
      for (; a < end; a++) {
        const to = heads[a]!;
        if (height[to] !== level - 1) continue;
        const dart = darts[a]!;
        const most = room[dart]!;
        if (most === 0) continue;
        const amount = Math.min(left, most);
        room[dart] = most - amount;
        room[dart ^ 1]! += amount;
        excess[to]! += amount;
        left -= amount;
        if (queued[to] === 0) {
          queued[to] = 1;
          queue[last] = to;
          last = last === size ? 0 : last + 1;
        }
        if (left === 0) break;
      }
      if (left === 0) break;
      // No lower neighbour is left: lift the vertex to one above its lowest neighbour, which is no lower than itself.
      let lowest = size;
      a = offsets[v]!;
      for (let b = a; b < end && lowest > level; b++) {
        if (height[heads[b]!]! < lowest && room[darts[b]!]! > 0) {
          lowest = height[heads[b]!]!;
          a = b;
        }
      }
      work += RELABEL_WORK + end - offsets[v]!;
      population[level]!--;
      if (population[level] === 0) {
        // A gap: nothing above this height can reach the goal any more.
        for (let u = 0; u < size; u++) if (height[u]! > level) height[u] = size;
        work += size;
        lowest = size;
      }
      level = Math.min(lowest + 1, size);
      height[v] = level;
      population[level]!++;
    }
    excess[v] = left;
    current[v] = a;
    if (work > budget) {
      work = 0;
      relabelAll(graph, roles, room, goal, levels);
    }
  }
}

/** Sets every height to the exact distance to the goal in the residual graph, or to `size` where there is no way. */
function relabelAll(graph: Graph, roles: Uint8Array, room: Float64Array, goal: number, levels: Levels): void {
  const { offsets, heads, darts, size } = graph;
  const { height, current, population } = levels;
  const queue = new Int32Array(size);
  population.fill(0);
  let tail = 0;
  for (let v = 0; v < size; v++) {
    height[v] = roles[v] === goal ? 0 : size;
    if (roles[v] === goal) queue[tail++] = v;
  }
  for (let head = 0; head < tail; head++) {
    const v = queue[head]!;
    const next = height[v]! + 1;
    population[next - 1]!++;
    current[v] = offsets[v]!;
    const end = offsets[v + 1]!;
    for (let a = offsets[v]!; a < end; a++) {
      const u = heads[a]!;
      if (height[u] !== size || roles[u] !== FREE || room[darts[a]! ^ 1] === 0) continue;
      height[u] = next;
      queue[tail++] = u;
    }
  }
}
