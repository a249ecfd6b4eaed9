/**
 * Local search on a partition: Kernighan–Lin moves with joins (Keuper et al. 2015). Two clusters at a time exchange vertices
 * in the best order found, also at a loss, and keep the best moment of the sequence; or they join; or one sheds vertices
 * into a new cluster.
 * @module
 */
import type { Graph } from "../graph.ts";
import { VertexHeap } from "../vertex-heap.ts";

/** A sequence of moves ends after so many without a new best. */
const PATIENCE = 64;
const MAX_ROUNDS = 50;
/** A change must gain more than rounding, relative to the largest weight. */
const GAIN = 1e-9;

/**
 * Improves `cluster` in place until no pair of neighbouring clusters gains by exchange, join or split, or for 50 rounds.
 * Clusters are numbered from 0; new ones take new numbers.
 *
 * @param pause awaited after each cluster, with the number of rounds so far.
 */
export async function improveByMoves(
  graph: Graph,
  cluster: Int32Array,
  pause: (rounds: number) => Promise<void>,
): Promise<void> {
  const search = new MoveSearch(graph, cluster);
  let changed = new Set(search.names());
  for (let round = 0; round < MAX_ROUNDS && changed.size > 0; round++) {
    const touched = new Set<number>();
    for (const a of [...changed].sort((x, y) => x - y)) {
      for (const b of search.neighboursOf(a)) {
        // Each pair once, unless the other has not changed and will not ask.
        if (changed.has(b) && b < a) continue;
        if (search.improvePair(a, b)) touched.add(a).add(b);
      }
      const fresh = search.splitOff(a);
      if (fresh >= 0) touched.add(a).add(fresh);
      await pause(round);
    }
    changed = touched;
  }
}

class MoveSearch {
  private readonly graph: Graph;
  private readonly cluster: Int32Array;
  private readonly members = new Map<number, Set<number>>();
  /** What moving a vertex to the other cluster of the pair gains. */
  private readonly gain: Float64Array;
  private readonly moved: Uint8Array;
  /** Number of the sequence that looked at a vertex last: its gain is up to date. */
  private readonly reached: Int32Array;
  private sequences = 0;
  /** What a change must gain at least. */
  private readonly threshold: number;
  private next: number;

  constructor(graph: Graph, cluster: Int32Array) {
    this.graph = graph;
    this.cluster = cluster;
    this.gain = new Float64Array(graph.size);
    this.moved = new Uint8Array(graph.size);
    this.reached = new Int32Array(graph.size);
    this.threshold = GAIN * graph.capacities.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    for (let v = 0; v < cluster.length; v++) this.membersOf(cluster[v]!).add(v);
    this.next = Math.max(-1, ...this.members.keys()) + 1;
  }

  names(): Iterable<number> {
    return this.members.keys();
  }

  /** Clusters that share an edge with `a`, ascending. */
  neighboursOf(a: number): number[] {
    const { offsets, heads } = this.graph;
    const found = new Set<number>();
    for (const v of this.membersOf(a)) {
      for (let arc = offsets[v]!; arc < offsets[v + 1]!; arc++) found.add(this.cluster[heads[arc]!]!);
    }
    found.delete(a);
    return [...found].sort((x, y) => x - y);
  }

  /** Joins two clusters or exchanges vertices between them, whichever gains more; false if neither gains. */
  improvePair(a: number, b: number): boolean {
    const border = this.borderBetween(a, b);
    const sequence = this.bestSequence(a, b, border.vertices);
    if (border.weight > this.threshold && border.weight >= sequence.gain) {
      for (const v of [...this.membersOf(b)]) this.place(v, a);
      return true;
    }
    return this.apply(sequence, a, b);
  }

  /** Moves vertices of `a` into a new cluster if that gains; returns its number or -1. */
  splitOff(a: number): number {
    if (this.membersOf(a).size < 2) return -1;
    const fresh = this.next;
    if (!this.apply(this.bestSequence(a, fresh, this.membersOf(a)), a, fresh)) return -1;
    this.next++;
    return fresh;
  }

  private apply(sequence: { moves: number[]; gain: number }, a: number, b: number): boolean {
    if (sequence.gain <= this.threshold) return false;
    for (const v of sequence.moves) this.place(v, this.cluster[v] === a ? b : a);
    return true;
  }

  /** The best prefix of a Kernighan–Lin sequence between two clusters that starts at `border`; nothing is moved yet. */
  private bestSequence(a: number, b: number, border: Iterable<number>): { moves: number[]; gain: number } {
    const { offsets, heads, darts, capacities } = this.graph;
    const { cluster, gain, reached, moved, threshold } = this;
    // Only vertices near the border are looked at: a small cluster beside a huge one costs little.
    const sequence = ++this.sequences;
    const heap = new VertexHeap();
    for (const v of border) {
      gain[v] = this.gainOfMoving(v, a, b);
      reached[v] = sequence;
      heap.push(-gain[v]!, v);
    }
    const moves: number[] = [];
    let total = 0;
    let best = 0;
    let bestLength = 0;
    for (let v = heap.pop(); v >= 0 && moves.length - bestLength < PATIENCE; v = heap.pop()) {
      if (moved[v] === 1 || heap.key !== -gain[v]!) continue;
      moved[v] = 1;
      moves.push(v);
      total += gain[v]!;
      if (total > best + threshold) {
        best = total;
        bestLength = moves.length;
      }
      for (let arc = offsets[v]!; arc < offsets[v + 1]!; arc++) {
        const u = heads[arc]!;
        if ((cluster[u] !== a && cluster[u] !== b) || moved[u] === 1) continue;
        if (reached[u] !== sequence) {
          gain[u] = this.gainOfMoving(u, a, b);
          reached[u] = sequence;
        }
        // An edge inside a cluster now lies between the two, or the other way round.
        const weight = capacities[darts[arc]! >> 1]!;
        gain[u]! += cluster[u] === cluster[v] ? 2 * weight : -2 * weight;
        heap.push(-gain[u]!, u);
      }
    }
    for (const v of moves) moved[v] = 0;
    return { moves: moves.slice(0, bestLength), gain: best };
  }

  /** What moving `v` from its cluster to the other one of the pair gains before anything has moved. */
  private gainOfMoving(v: number, a: number, b: number): number {
    const { offsets, heads, darts, capacities } = this.graph;
    const { cluster } = this;
    const own = cluster[v]!;
    let gain = 0;
    for (let arc = offsets[v]!; arc < offsets[v + 1]!; arc++) {
      const other = cluster[heads[arc]!]!;
      if (other !== a && other !== b) continue;
      const weight = capacities[darts[arc]! >> 1]!;
      gain += other === own ? -weight : weight;
    }
    return gain;
  }

  /** The vertices of two clusters that touch the other one, found from the smaller one, and the weight between them. */
  private borderBetween(a: number, b: number): { vertices: Set<number>; weight: number } {
    const { offsets, heads, darts, capacities } = this.graph;
    const [small, large] = this.membersOf(a).size <= this.membersOf(b).size ? [a, b] : [b, a];
    const vertices = new Set<number>();
    let weight = 0;
    for (const v of this.membersOf(small)) {
      for (let arc = offsets[v]!; arc < offsets[v + 1]!; arc++) {
        const u = heads[arc]!;
        if (this.cluster[u] !== large) continue;
        vertices.add(v).add(u);
        weight += capacities[darts[arc]! >> 1]!;
      }
    }
    return { vertices, weight };
  }

  private place(v: number, to: number): void {
    this.membersOf(this.cluster[v]!).delete(v);
    this.cluster[v] = to;
    this.membersOf(to).add(v);
  }

  private membersOf(name: number): Set<number> {
    let set = this.members.get(name);
    if (set === undefined) {
      set = new Set();
      this.members.set(name, set);
    }
    return set;
  }
}
