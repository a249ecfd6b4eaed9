/**
 * What the supervoxel edges say about the hierarchy: they are the truth that components and cross edges follow from.
 * @module
 */
import type { RowStore } from "@pcg/rowstore";
import type { SupervoxelEdges, Time } from "../contract.ts";
import { type ChunkGrid, halves, layerOf } from "../ids.ts";
import { allEdges, idOfKey } from "../rows/index.ts";
import { UnionFind } from "../union-find.ts";
import { edgesOfRow } from "../view/chunk-edges.ts";
import { GrowingU64 } from "./growing.ts";
import { NONE, type NodeTable } from "./node-table.ts";
import type { Findings } from "./report.ts";

/** Cross edges are packed into 64 bits: 27 of the node, 5 of the layer, 32 of the partner. */
const LAYER_BITS = 5;
const MAX_NODES = 2 ** (32 - LAYER_BITS);
/** Expected cross edges gathered before repetitions are dropped. */
const BATCH = 2 ** 22;

export interface EdgeCheck {
  /** Edges in the rows at the checked time. */
  readonly edges: number;
  readonly active: number;
}

/**
 * Checks at one time that every edge joins two supervoxels and is kept where it belongs, that roots are the components of
 * the active edges and level-2 nodes those inside a chunk, and that the live nodes' cross edges are those of their
 * supervoxels. Takes about 8 bytes per supervoxel and 16 per cross edge of a node.
 */
export async function checkEdges(
  rows: RowStore,
  grid: ChunkGrid,
  time: Time,
  table: NodeTable,
  live: Uint8Array,
  findings: Findings,
  signal?: AbortSignal,
): Promise<EdgeCheck> {
  if (table.ids.length >= MAX_NODES) throw new RangeError(`the checker counts at most ${MAX_NODES} nodes`);
  const check = new Check(grid, table, live, findings);
  const options = { to: time + 1n, versions: 1, ...(signal === undefined ? {} : { signal }) };
  for await (const row of rows.read({ ranges: [allEdges()] }, options))
    check.add(idOfKey(row.key), edgesOfRow(grid.layout, row));
  check.finish();
  return { edges: check.edges, active: check.active };
}

class Check {
  edges = 0;
  active = 0;
  private readonly grid: ChunkGrid;
  private readonly table: NodeTable;
  private readonly live: Uint8Array;
  private readonly findings: Findings;
  private readonly supervoxels: number;
  /** Sets joined by all active edges, and by those inside a chunk. */
  private readonly objects: UnionFind;
  private readonly local: UnionFind;
  private readonly expected = new GrowingU64();
  private distinct = 0;

  constructor(grid: ChunkGrid, table: NodeTable, live: Uint8Array, findings: Findings) {
    this.grid = grid;
    this.table = table;
    this.live = live;
    this.findings = findings;
    let supervoxels = 0;
    while (supervoxels < table.ids.length && layerOf(table.ids[supervoxels]!) === 1) supervoxels++;
    this.supervoxels = supervoxels;
    this.objects = new UnionFind(supervoxels);
    this.local = new UnionFind(supervoxels);
  }

  add(chunk: bigint, edges: SupervoxelEdges): void {
    const { layout } = this.grid;
    const layers = layout.crossLayers(edges.pairs);
    const half = halves(edges.pairs);
    const seen = new Set<string>();
    for (let e = 0; e < edges.active.length; e++) {
      this.edges++;
      const [a, b] = [edges.pairs[2 * e]!, edges.pairs[2 * e + 1]!];
      const s = this.supervoxel(half[4 * e]!, half[4 * e + 1]!);
      const t = this.supervoxel(half[4 * e + 2]!, half[4 * e + 3]!);
      if (s === NONE || t === NONE || a >= b || layout.chunkOf(a) !== chunk || seen.has(`${a} ${b}`)) {
        this.findings.add("edge", a, `${a}–${b} is no edge of chunk ${chunk}, or is kept twice`);
        continue;
      }
      seen.add(`${a} ${b}`);
      if (!edges.active[e]) continue;
      this.active++;
      this.objects.union(s, t);
      if (layers[e] === 1) this.local.union(s, t);
      else {
        this.expect(s, t, layers[e]!);
        this.expect(t, s, layers[e]!);
      }
    }
    if (this.expected.length > this.distinct + BATCH) {
      this.expected.makeDistinct();
      this.distinct = this.expected.length;
    }
  }

  finish(): void {
    const { table, supervoxels } = this;
    const level2 = Uint32Array.from({ length: supervoxels }, (_, i) => table.parent[i]!);
    const roots = Uint32Array.from({ length: supervoxels }, (_, i) => this.root(i));
    this.comparePartitions(this.local, level2, "level-2 node");
    this.comparePartitions(this.objects, roots, "root");
    this.compareCrossEdges();
  }

  /** Number of a supervoxel that exists at the checked time. */
  private supervoxel(low: number, high: number): number {
    if (high >>> 24 !== 1) return NONE;
    const number = this.table.numberOf((BigInt(high) << 32n) | BigInt(low));
    return number !== NONE && this.live[number] ? number : NONE;
  }

  private root(node: number): number {
    if (!this.live[node]) return NONE;
    while (this.table.parent[node] !== NONE) node = this.table.parent[node]!;
    return node;
  }

  /** Notes the partner `t` stands for at every ancestor of `s` that an edge of the layer reaches. */
  private expect(s: number, t: number, edgeLayer: number): void {
    const { ids, parent } = this.table;
    let partner = t;
    for (let node = parent[s]!; node !== NONE && layerOf(ids[node]!) <= edgeLayer; node = parent[node]!) {
      const layer = layerOf(ids[node]!);
      while (parent[partner] !== NONE && layerOf(ids[parent[partner]!]!) <= layer) partner = parent[partner]!;
      this.expected.push(pack(node, edgeLayer, partner));
    }
  }

  private comparePartitions(sets: UnionFind, nodeOf: Uint32Array, what: string): void {
    const { ids } = this.table;
    const nodeOfSet = new Uint32Array(nodeOf.length).fill(NONE);
    const setOfNode = new Map<number, number>();
    for (let i = 0; i < nodeOf.length; i++) {
      const node = nodeOf[i]!;
      if (!this.live[i] || node === NONE) continue;
      const set = sets.find(i);
      if (nodeOfSet[set] === NONE) nodeOfSet[set] = node;
      else if (nodeOfSet[set] !== node)
        this.findings.add("component", ids[i]!, `has ${what} ${ids[node]}, but active edges join it to ${ids[set]}`);
      const other = setOfNode.get(node);
      if (other === undefined) setOfNode.set(node, set);
      else if (other !== set)
        this.findings.add("component", ids[node]!, `holds ${ids[set]} and ${ids[other]}, which no active edges join`);
    }
  }

  private compareCrossEdges(): void {
    const { crossNode, crossLayer, crossPartner, ids } = this.table;
    this.expected.makeDistinct();
    const stored = new GrowingU64();
    for (let i = 0; i < crossNode.length; i++) {
      if (!this.live[crossNode[i]!]) continue;
      if (crossPartner[i] === NONE) this.findings.add("cross-edges", ids[crossNode[i]!]!, "names a node without a row");
      else stored.push(pack(crossNode[i]!, crossLayer[i]!, crossPartner[i]!));
    }
    stored.makeDistinct();
    const [want, have] = [this.expected.array, stored.array];
    for (let i = 0, k = 0; i < want.length || k < have.length; ) {
      if (k >= have.length || (i < want.length && want[i]! < have[k]!)) this.differ(want[i++]!, "lacks");
      else if (i >= want.length || have[k]! < want[i]!) this.differ(have[k++]!, "has, without such an edge,");
      else {
        i++;
        k++;
      }
    }
  }

  private differ(packed: bigint, how: string): void {
    const { node, layer, partner } = unpack(packed);
    const { ids } = this.table;
    this.findings.add("cross-edges", ids[node]!, `${how} partner ${ids[partner]} of layer ${layer}`);
  }
}

function pack(node: number, layer: number, partner: number): bigint {
  return (BigInt(node * 2 ** LAYER_BITS + layer) << 32n) | BigInt(partner);
}

function unpack(packed: bigint): { readonly node: number; readonly layer: number; readonly partner: number } {
  const high = Number(packed >> 32n);
  return {
    node: Math.floor(high / 2 ** LAYER_BITS),
    layer: high % 2 ** LAYER_BITS,
    partner: Number(packed & 0xffffffffn),
  };
}
