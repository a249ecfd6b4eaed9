/**
 * Maximum flow by two search trees that grow towards each other and are mended after each augmentation (Boykov &
 * Kolmogorov 2004, the algorithm as the paper's sections 3.1–3.4 describe it, with the distance and timestamp heuristic of
 * Kolmogorov's thesis). Fast where paths are short and graphs small; its worst case is bad.
 * @module
 */
import type { Graph } from "../../src/graph.ts";
import { FREE, SINK, SOURCE } from "../../src/residuals.ts";

const NONE = -1;
/** A root of a tree: its parent arc is the terminal itself. */
const ROOT = -2;
const ORPHAN = -3;

/** The value of a maximum flow from SOURCE to SINK vertices; `room` per dart. */
export function augmentFlow(graph: Graph, roles: Uint8Array, room: Float64Array): number {
  return new SearchTrees(graph, roles, room).run();
}

class SearchTrees {
  private readonly graph: Graph;
  private readonly roles: Uint8Array;
  /** Per arc: its reverse, and what can still flow. */
  private readonly twins: Int32Array;
  private readonly residual: Float64Array;
  /** SOURCE, SINK or FREE: the tree a vertex is in. */
  private readonly tree: Uint8Array;
  /** The arc from a vertex to its parent. */
  private readonly parent: Int32Array;
  private readonly distance: Int32Array;
  private readonly stamp: Int32Array;
  private time = 0;
  // Active vertices, first in first out; each is in the queue at most once, so a ring of size+1 is enough.
  private readonly ring: Int32Array;
  private readonly queued: Uint8Array;
  private first = 0;
  private last = 0;
  private orphans: number[] = [];

  constructor(graph: Graph, roles: Uint8Array, room: Float64Array) {
    const size = graph.size;
    this.graph = graph;
    this.roles = roles;
    const arcOf = new Int32Array(graph.darts.length);
    for (const [a, dart] of graph.darts.entries()) arcOf[dart] = a;
    this.twins = graph.darts.map((dart) => arcOf[dart ^ 1]!);
    this.residual = Float64Array.from(graph.darts, (dart) => room[dart]!);
    this.tree = roles.slice();
    this.parent = new Int32Array(size).fill(NONE);
    this.distance = new Int32Array(size);
    this.stamp = new Int32Array(size);
    this.ring = new Int32Array(size + 1);
    this.queued = new Uint8Array(size);
    for (let v = 0; v < size; v++) {
      if (roles[v] === FREE) continue;
      this.parent[v] = ROOT;
      this.distance[v] = 1;
      this.activate(v);
    }
  }

  run(): number {
    let flow = this.pushDirect();
    for (;;) {
      const v = this.ring[this.first]!;
      if (this.first === this.last) return flow;
      const bridge = this.tree[v] === FREE ? NONE : this.grow(v);
      if (bridge === NONE) {
        this.first = this.first + 1 === this.ring.length ? 0 : this.first + 1;
        this.queued[v] = 0;
        continue;
      }
      this.time++;
      flow += this.augment(bridge);
      this.adopt();
    }
  }

  /** Edges from a source vertex straight to a sink vertex carry their whole capacity. */
  private pushDirect(): number {
    const { offsets, heads, size } = this.graph;
    const { twins } = this;
    let flow = 0;
    for (let v = 0; v < size; v++) {
      if (this.roles[v] !== SOURCE) continue;
      for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
        if (this.roles[heads[a]!] !== SINK) continue;
        const amount = this.residual[a]!;
        this.residual[a] = 0;
        this.residual[twins[a]!]! += amount;
        flow += amount;
      }
    }
    return flow;
  }

  private activate(v: number): void {
    if (this.queued[v] === 1) return;
    this.queued[v] = 1;
    this.ring[this.last] = v;
    this.last = this.last + 1 === this.ring.length ? 0 : this.last + 1;
  }

  /** Takes the free neighbours of `v` into its tree; returns the arc source tree → sink tree if the trees meet. */
  private grow(v: number): number {
    const { offsets, heads } = this.graph;
    const { twins, tree, parent, residual, distance, stamp } = this;
    const fromSource = tree[v] === SOURCE;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      if ((fromSource ? residual[a]! : residual[twins[a]!]!) === 0) continue;
      const u = heads[a]!;
      if (tree[u] === FREE) {
        tree[u] = tree[v]!;
        parent[u] = twins[a]!;
        stamp[u] = stamp[v]!;
        distance[u] = distance[v]! + 1;
        this.activate(u);
      } else if (tree[u] !== tree[v]) {
        return fromSource ? a : twins[a]!;
      } else if (parent[u]! >= 0 && stamp[u]! <= stamp[v]! && distance[u]! > distance[v]!) {
        // A shorter way to the root.
        parent[u] = twins[a]!;
        stamp[u] = stamp[v]!;
        distance[u] = distance[v]! + 1;
      }
    }
    return NONE;
  }

  private augment(bridge: number): number {
    const { heads } = this.graph;
    const { twins, parent, residual } = this;
    const sourceEnd = heads[twins[bridge]!]!;
    const sinkEnd = heads[bridge]!;
    let amount = residual[bridge]!;
    for (let v = sourceEnd; parent[v]! >= 0; v = heads[parent[v]!]!) {
      amount = Math.min(amount, residual[twins[parent[v]!]!]!);
    }
    for (let v = sinkEnd; parent[v]! >= 0; v = heads[parent[v]!]!) amount = Math.min(amount, residual[parent[v]!]!);
    residual[bridge]! -= amount;
    residual[twins[bridge]!]! += amount;
    for (let v = sourceEnd; parent[v]! >= 0; ) {
      const up = parent[v]!;
      const down = twins[up]!;
      residual[down]! -= amount;
      residual[up]! += amount;
      if (residual[down] === 0) this.orphan(v);
      v = heads[up]!;
    }
    for (let v = sinkEnd; parent[v]! >= 0; ) {
      const up = parent[v]!;
      residual[up]! -= amount;
      residual[twins[up]!]! += amount;
      if (residual[up] === 0) this.orphan(v);
      v = heads[up]!;
    }
    return amount;
  }

  private orphan(v: number): void {
    this.parent[v] = ORPHAN;
    this.orphans.push(v);
  }

  /** Finds each orphan a new parent in its tree, nearest root first, or frees it and orphans its children. */
  private adopt(): void {
    for (let i = 0; i < this.orphans.length; i++) this.adoptOne(this.orphans[i]!);
    this.orphans.length = 0;
  }

  private adoptOne(v: number): void {
    const { offsets, heads } = this.graph;
    const { twins, tree, parent, residual, distance, stamp } = this;
    const side = tree[v]!;
    let best = NONE;
    let bestDistance = Infinity;
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      const u = heads[a]!;
      if (tree[u] !== side || (side === SOURCE ? residual[twins[a]!]! : residual[a]!) === 0) continue;
      const away = this.distanceToRoot(u);
      if (away < bestDistance) {
        best = a;
        bestDistance = away;
      }
    }
    if (best !== NONE) {
      parent[v] = best;
      stamp[v] = this.time;
      distance[v] = bestDistance + 1;
      return;
    }
    for (let a = offsets[v]!; a < offsets[v + 1]!; a++) {
      const u = heads[a]!;
      if (tree[u] !== side) continue;
      if ((side === SOURCE ? residual[twins[a]!]! : residual[a]!) > 0) this.activate(u);
      if (parent[u]! >= 0 && heads[parent[u]!] === v) this.orphan(u);
    }
    tree[v] = FREE;
    parent[v] = NONE;
  }

  /** How far `u` is from its root, Infinity if it hangs on an orphan; marks the way so that it is walked once per round. */
  private distanceToRoot(u: number): number {
    const { heads } = this.graph;
    const { parent, distance, stamp, time } = this;
    let steps = 0;
    let v = u;
    for (;;) {
      if (stamp[v] === time) {
        steps += distance[v]!;
        break;
      }
      steps++;
      const up = parent[v]!;
      if (up === ROOT) {
        stamp[v] = time;
        distance[v] = 1;
        break;
      }
      if (up < 0) return Infinity;
      v = heads[up]!;
    }
    let away = steps;
    for (v = u; stamp[v] !== time; v = heads[parent[v]!]!) {
      stamp[v] = time;
      distance[v] = away--;
    }
    return steps;
  }
}
