/**
 * Maximum preflow by highest-label push-relabel (Goldberg & Tarjan 1988), with exact distances recomputed now and then
 * (global relabelling) and the gap heuristic of Cherkassky & Goldberg 1997.
 *
 * Flow is pushed from the sinks towards the sources: in an undirected graph the cut is the same, and the vertices that can
 * still reach the goal when the first phase ends are the smallest possible side around it. That side is wanted for the
 * sources.
 * @module
 */
import type { Graph } from "./graph.ts";
import { FREE, SINK, SOURCE } from "./residuals.ts";

/** Work between two global relabellings, in units of (6 per vertex + arcs): the constant of Cherkassky & Goldberg. */
const GLOBAL_UPDATE = 1;
const RELABEL_WORK = 12;

/**
 * Pushes as much as possible from SINK vertices to SOURCE vertices and leaves the rest as excess; `residual` is changed.
 * @returns what arrived. O(V²√E). Memory: 41 bytes per vertex.
 */
export function pushPreflow(graph: Graph, roles: Uint8Array, residual: Float64Array): number {
  return new PushRelabel(graph, roles, residual, SOURCE).fromTerminal(SINK);
}

/**
 * Like {@link pushPreflow}, then sends the stranded excess back to where it came from, so that `residual` holds a flow:
 * what enters a free vertex leaves it.
 */
export function pushFlow(graph: Graph, roles: Uint8Array, residual: Float64Array): number {
  const first = new PushRelabel(graph, roles, residual, SOURCE);
  const flow = first.fromTerminal(SINK);
  new PushRelabel(graph, roles, residual, SINK).fromExcess(first.excess);
  return flow;
}

class PushRelabel {
  readonly excess: Float64Array;
  private readonly graph: Graph;
  private readonly roles: Uint8Array;
  private readonly residual: Float64Array;
  private readonly goal: number;
  private readonly height: Int32Array;
  private readonly current: Int32Array;
  // Free vertices lie in buckets by height: active ones in singly linked lists, idle ones in doubly linked lists.
  private readonly activeFirst: Int32Array;
  private readonly activeNext: Int32Array;
  private readonly idleFirst: Int32Array;
  private readonly idleNext: Int32Array;
  private readonly idleBefore: Int32Array;
  private readonly queue: Int32Array;
  private highestActive = -1;
  private highest = 0;
  private work = 0;

  constructor(graph: Graph, roles: Uint8Array, residual: Float64Array, goal: number) {
    const size = graph.size;
    this.graph = graph;
    this.roles = roles;
    this.residual = residual;
    this.goal = goal;
    this.excess = new Float64Array(size);
    this.height = new Int32Array(size);
    this.current = new Int32Array(size);
    this.activeFirst = new Int32Array(size + 1);
    this.activeNext = new Int32Array(size);
    this.idleFirst = new Int32Array(size + 1);
    this.idleNext = new Int32Array(size);
    this.idleBefore = new Int32Array(size);
    this.queue = new Int32Array(size);
  }

  /** Saturates the arcs out of a terminal, drains, and returns what reached the goal. */
  fromTerminal(origin: number): number {
    const { offsets, heads, twins, size } = this.graph;
    const { roles, residual, excess } = this;
    for (let v = 0; v < size; v++) {
      if (roles[v] !== origin) continue;
      for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
        const to = heads[a]!;
        const amount = residual[a]!;
        if (roles[to] === origin || amount === 0) continue;
        residual[a] = 0;
        residual[twins[a]!]! += amount;
        excess[to]! += amount;
      }
    }
    this.drain();
    return this.arrived();
  }

  /** Drains given excess of free vertices. */
  fromExcess(given: Float64Array): void {
    for (let v = 0; v < given.length; v++) if (this.roles[v] === FREE) this.excess[v] = given[v]!;
    this.drain();
  }

  private arrived(): number {
    let sum = 0;
    for (let v = 0; v < this.graph.size; v++) if (this.roles[v] === this.goal) sum += this.excess[v]!;
    return sum;
  }

  private drain(): void {
    const budget = GLOBAL_UPDATE * (6 * this.graph.size + this.graph.heads.length);
    this.relabelAll();
    while (this.highestActive >= 0) {
      const v = this.activeFirst[this.highestActive]!;
      if (v < 0) {
        this.highestActive--;
        continue;
      }
      this.activeFirst[this.highestActive] = this.activeNext[v]!;
      this.discharge(v);
      if (this.work > budget) this.relabelAll();
    }
  }

  /** Pushes the excess of `v` down to lower neighbours, lifting it as needed, until none is left or the goal is cut off. */
  private discharge(v: number): void {
    const { heads, twins } = this.graph;
    const { roles, residual, excess, height, current } = this;
    const end = this.graph.offsets[v + 1]!;
    const size = this.graph.size;
    let left = excess[v]!;
    for (;;) {
      const below = height[v]! - 1;
      let a = current[v]!;
      for (; a < end; a++) {
        const room = residual[a]!;
        if (room === 0) continue;
        const to = heads[a]!;
        if (height[to] !== below) continue;
        const amount = Math.min(left, room);
        residual[a] = room - amount;
        residual[twins[a]!]! += amount;
        if (excess[to] === 0 && roles[to] === FREE) {
          this.removeIdle(to);
          this.activeNext[to] = this.activeFirst[below]!;
          this.activeFirst[below] = to;
        }
        excess[to]! += amount;
        left -= amount;
        if (left === 0) break;
      }
      if (left === 0) {
        current[v] = a;
        excess[v] = 0;
        this.addIdle(v);
        return;
      }
      const old = height[v]!;
      if (this.activeFirst[old]! < 0 && this.idleFirst[old]! < 0) {
        // No vertex is left at this height, so nothing above it can reach the goal.
        this.closeGap(old);
        height[v] = size;
        break;
      }
      if (this.lift(v) >= size) break;
    }
    excess[v] = left;
  }

  /** Lifts `v` to one above its lowest neighbour in the residual graph and returns the new height. */
  private lift(v: number): number {
    const { offsets, heads, size } = this.graph;
    const { residual, height } = this;
    let lowest = size;
    let at = offsets[v]!;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      if (residual[a]! > 0 && height[heads[a]!]! < lowest) {
        lowest = height[heads[a]!]!;
        at = a;
      }
    }
    this.work += RELABEL_WORK + offsets[v + 1]! - offsets[v]!;
    const lifted = Math.min(lowest + 1, size);
    height[v] = lifted;
    this.current[v] = at;
    if (lifted < size && lifted > this.highest) this.highest = lifted;
    if (lifted < size && lifted > this.highestActive) this.highestActive = lifted;
    return lifted;
  }

  private closeGap(gap: number): void {
    for (let h = gap + 1; h <= this.highest; h++) {
      for (let v = this.idleFirst[h]!; v >= 0; v = this.idleNext[v]!) this.height[v] = this.graph.size;
      this.idleFirst[h] = -1;
    }
    // Under highest-label order no active vertex lies above the one at hand.
    this.highest = gap - 1;
    this.highestActive = Math.min(this.highestActive, gap - 1);
  }

  /** Sets every height to the exact distance to the goal in the residual graph, breadth first, and refills the buckets. */
  private relabelAll(): void {
    const { offsets, heads, twins, size } = this.graph;
    const { roles, residual, height, queue } = this;
    this.work = 0;
    this.activeFirst.fill(-1);
    this.idleFirst.fill(-1);
    this.highest = 0;
    this.highestActive = -1;
    let tail = 0;
    for (let v = 0; v < size; v++) {
      height[v] = roles[v] === this.goal ? 0 : size;
      if (roles[v] === this.goal) queue[tail++] = v;
    }
    for (let head = 0; head < tail; head++) {
      const v = queue[head]!;
      const next = height[v]! + 1;
      for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
        const u = heads[a]!;
        if (height[u] !== size || roles[u] !== FREE || residual[twins[a]!] === 0) continue;
        height[u] = next;
        this.current[u] = offsets[u]!;
        queue[tail++] = u;
        if (this.excess[u]! > 0) {
          this.activeNext[u] = this.activeFirst[next]!;
          this.activeFirst[next] = u;
          this.highestActive = next;
        } else this.addIdle(u);
        this.highest = next;
      }
    }
  }

  private addIdle(v: number): void {
    const h = this.height[v]!;
    const first = this.idleFirst[h]!;
    this.idleNext[v] = first;
    this.idleBefore[v] = -1;
    if (first >= 0) this.idleBefore[first] = v;
    this.idleFirst[h] = v;
  }

  private removeIdle(v: number): void {
    const before = this.idleBefore[v]!;
    const next = this.idleNext[v]!;
    if (before >= 0) this.idleNext[before] = next;
    else this.idleFirst[this.height[v]!] = next;
    if (next >= 0) this.idleBefore[next] = before;
  }
}
