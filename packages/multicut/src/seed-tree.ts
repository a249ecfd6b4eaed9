import { DisjointSets } from "./disjoint-sets.ts";
import { DistanceQueue } from "./distance-queue.ts";
import { edgeBetween, type Graph } from "./graph.ts";

/** Paths that connect the labels of one group. */
export interface SeedTree {
  /** The group's label vertices, ascending. */
  readonly labels: Int32Array;
  /** The vertices of the paths, labels included, ascending. */
  readonly vertices: Int32Array;
  /** The edges of the paths, ascending. */
  readonly edges: Int32Array;
  /** Length of each path from label to label; one fewer than labels, shortest first. */
  readonly lengths: Float64Array;
}

/** Keeps a path from being infinitely long where an affinity is 0: the machine epsilon, as upstream. */
const EPSILON = 2 ** -52;

/** What the rounding of a path's length may hide. */
const MARGIN = 1 + 1e-9;

/** Owners that are no label. */
const FREE = -1;
const BLOCKED = -2;

/** A shortest known path between the regions of two labels crosses this edge. */
interface Bridge {
  readonly length: number;
  readonly edge: number;
  readonly a: number;
  readonly b: number;
}

/**
 * Connects labels by a minimum spanning tree over their shortest paths, in one search from all labels at once (Mehlhorn
 * 1988): each label's region grows by distance, and where two regions touch, an edge bridges them by a shortest path. An
 * edge's length is 1 / (strongest affinity + 2^-52). The search ends when no bridge still unseen could be shorter than
 * those of the tree. O((V + E) log V) for any number of labels.
 *
 * @param labels vertices, without repeats.
 * @param blocked vertices that no path may use (1); no label is among them.
 * @returns the tree, or `undefined` if the labels are not connected without the blocked vertices.
 */
export function connectLabels(graph: Graph, labels: Int32Array, blocked: Uint8Array): SeedTree | undefined {
  const sorted = labels.slice().sort();
  if (sorted.length === 1) {
    return { labels: sorted, vertices: sorted, edges: new Int32Array(0), lengths: new Float64Array(0) };
  }
  const regions = new Regions(graph, sorted, blocked);
  const bridges = regions.search();
  if (bridges === undefined) return undefined;
  const edges = new Set<number>();
  const vertices = new Set<number>();
  for (const { edge } of bridges) {
    edges.add(edge);
    regions.walkHome(graph.lower[edge]!, vertices, edges);
    regions.walkHome(graph.upper[edge]!, vertices, edges);
  }
  return {
    labels: sorted,
    vertices: Int32Array.from(vertices).sort(),
    edges: Int32Array.from(edges).sort(),
    lengths: Float64Array.from(bridges, ({ length }) => length).sort(),
  };
}

class Regions {
  private readonly graph: Graph;
  private readonly labels: Int32Array;
  private readonly distance: Float64Array;
  /** The next vertex towards its label, -1 at the label. */
  private readonly home: Int32Array;
  /** Number of the label whose region a settled vertex is in; FREE before, BLOCKED for good. */
  private readonly owner: Int32Array;
  /** The best bridge by pair of labels, `smaller * labels + larger`. */
  private readonly bridges = new Map<number, Bridge>();
  /** Whether a bridge is newer than the last look at the tree. */
  private changed = false;

  constructor(graph: Graph, labels: Int32Array, blocked: Uint8Array) {
    this.graph = graph;
    this.labels = labels;
    this.distance = new Float64Array(graph.size).fill(Infinity);
    this.home = new Int32Array(graph.size).fill(-1);
    this.owner = new Int32Array(graph.size);
    for (let v = 0; v < blocked.length; v++) this.owner[v] = blocked[v] === 1 ? BLOCKED : FREE;
  }

  search(): Bridge[] | undefined {
    const { offsets, heads, darts, strongest } = this.graph;
    const { distance, home, owner } = this;
    const queue = new DistanceQueue(distance);
    const numberOf = new Map<number, number>();
    for (const [number, v] of this.labels.entries()) {
      distance[v] = 0;
      queue.push(v);
      numberOf.set(v, number);
    }
    let settled = 0;
    let nextCheck = 0;
    let tree: Bridge[] | undefined;
    let limit = Infinity;
    for (let v = queue.pop(); v >= 0; v = queue.pop()) {
      const away = distance[v]!;
      if (this.changed && settled >= nextCheck) {
        this.changed = false;
        nextCheck = settled + this.bridges.size;
        tree = this.spanningTree();
        // A bridge is at least twice as long as the way to its farther end: one from beyond here is none of the tree's.
        if (tree !== undefined) limit = (tree[tree.length - 1]!.length / 2) * MARGIN;
      }
      if (away > limit && !this.changed) return tree;
      const own = home[v] === -1 ? numberOf.get(v)! : owner[home[v]!]!;
      owner[v] = own;
      settled++;
      const end = offsets[v + 1]!;
      for (let a = offsets[v]!; a < end; a++) {
        const u = heads[a]!;
        if (owner[u] === own || owner[u] === BLOCKED) continue;
        const reach = away + 1 / (strongest[a]! + EPSILON);
        if (owner[u]! >= 0) this.noteBridge(darts[a]! >> 1, reach + distance[u]!, own, owner[u]!);
        else if (reach < distance[u]! && reach <= limit) {
          distance[u] = reach;
          home[u] = v;
          queue.push(u);
        }
      }
    }
    return this.spanningTree();
  }

  /** Adds the vertices and edges from `from` to the label of its region. */
  walkHome(from: number, vertices: Set<number>, edges: Set<number>): void {
    let v = from;
    for (;;) {
      vertices.add(v);
      const next = this.home[v]!;
      if (next === -1) return;
      edges.add(edgeBetween(this.graph, v, next));
      v = next;
    }
  }

  private noteBridge(edge: number, length: number, ownerA: number, ownerB: number): void {
    const a = Math.min(ownerA, ownerB);
    const b = Math.max(ownerA, ownerB);
    const pair = a * this.labels.length + b;
    const best = this.bridges.get(pair);
    if (best === undefined || length < best.length || (length === best.length && edge < best.edge)) {
      this.bridges.set(pair, { length, edge, a, b });
      this.changed = true;
    }
  }

  /** Kruskal over the bridges: the tree's bridges, shortest first, or `undefined` while they do not connect all labels. */
  private spanningTree(): Bridge[] | undefined {
    if (this.bridges.size < this.labels.length - 1) return undefined;
    const sets = new DisjointSets(this.labels.length);
    const tree = [...this.bridges.values()]
      .sort((x, y) => x.length - y.length || x.edge - y.edge)
      .filter(({ a, b }) => sets.join(a, b));
    return tree.length === this.labels.length - 1 ? tree : undefined;
  }
}
