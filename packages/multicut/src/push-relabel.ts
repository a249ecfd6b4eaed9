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
}

/**
 * Pushes as much as possible from SINK vertices to SOURCE vertices; `residual` is changed. O(V³), in practice close to
 * linear. Memory: 25 bytes per vertex.
 */
export function pushPreflow(graph: Graph, roles: Uint8Array, residual: Float64Array): Preflow {
  const { offsets, heads, twins, size } = graph;
  const excess = new Float64Array(size);
  for (let v = 0; v < size; v++) {
    if (roles[v] !== SINK) continue;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      const to = heads[a]!;
      const amount = residual[a]!;
      if (roles[to] === SINK || amount === 0) continue;
      residual[a] = 0;
      residual[twins[a]!]! += amount;
      excess[to]! += amount;
    }
  }
  drain(graph, roles, residual, excess, SOURCE);
  let arrived = 0;
  for (let v = 0; v < size; v++) if (roles[v] === SOURCE) arrived += excess[v]!;
  return { arrived, excess };
}

/** Sends waiting excess back where it came from, so that `residual` holds a flow: what enters a free vertex leaves it. */
export function returnExcess(graph: Graph, roles: Uint8Array, residual: Float64Array, preflow: Preflow): void {
  drain(graph, roles, residual, preflow.excess, SINK);
}

/** Pushes excess of free vertices towards the `goal` terminal until no excess can reach it. */
function drain(graph: Graph, roles: Uint8Array, residual: Float64Array, excess: Float64Array, goal: number): void {
  const { offsets, heads, twins, size } = graph;
  const height = new Int32Array(size);
  const current = new Int32Array(size);
  const population = new Int32Array(size + 1);
  const queue = new Int32Array(size + 1);
  // Terminals count as queued for good: they are never discharged.
  const queued = roles.map((role) => (role === FREE ? 0 : 1));
  const budget = GLOBAL_UPDATE * (6 * size + heads.length);
  let work = 0;
  let first = 0;
  let last = 0;

  relabelAll(graph, roles, residual, goal, height, current, population);
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
        const room = residual[a]!;
        if (room === 0) continue;
        const to = heads[a]!;
        if (height[to] !== level - 1) continue;
        const amount = Math.min(left, room);
        residual[a] = room - amount;
        residual[twins[a]!]! += amount;
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
      // No lower neighbour is left: lift the vertex to one above its lowest neighbour.
      let lowest = size;
      a = offsets[v]!;
      for (let b = a; b < end; b++) {
        if (residual[b]! > 0 && height[heads[b]!]! < lowest) {
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
      relabelAll(graph, roles, residual, goal, height, current, population);
    }
  }
}

/** Sets every height to the exact distance to the goal in the residual graph, or to `size` where there is no way. */
function relabelAll(
  graph: Graph,
  roles: Uint8Array,
  residual: Float64Array,
  goal: number,
  height: Int32Array,
  current: Int32Array,
  population: Int32Array,
): void {
  const { offsets, heads, twins, size } = graph;
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
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      const u = heads[a]!;
      if (height[u] !== size || roles[u] !== FREE || residual[twins[a]!] === 0) continue;
      height[u] = next;
      population[next]!++;
      current[u] = offsets[u]!;
      queue[tail++] = u;
    }
  }
}
