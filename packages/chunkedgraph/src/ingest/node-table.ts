/**
 * The nodes of a layer's chunk that still have edges to other chunks of that layer: what the next layer is made from.
 * @module
 */
import { halves } from "../ids.ts";
import { asUint32, asUint64, decodeSections, encodeSections } from "./sections.ts";

/** Active edges of some nodes to nodes outside, ordered by node, edge layer and partner, each once. */
export interface CrossEdges {
  /** Index of the node. */
  readonly nodes: Uint32Array;
  /** Cross layer of the edge. */
  readonly layers: Uint32Array;
  /** The partner, as it stands for itself on the table's layer. */
  readonly partners: BigUint64Array;
}

export interface NodeTable {
  /** Nodes in the order of their smallest supervoxels. Ones that skipped layers have a lower layer than the table. */
  readonly ids: BigUint64Array;
  /** Smallest supervoxel of each node, counted over the volume. */
  readonly firstSupervoxels: Uint32Array;
  readonly edges: CrossEdges;
}

/** Collects edges in any order. */
export class CrossEdgeList {
  private readonly nodes: number[] = [];
  private readonly layers: number[] = [];
  private readonly partners: bigint[] = [];

  add(node: number, layer: number, partner: bigint): void {
    this.nodes.push(node);
    this.layers.push(layer);
    this.partners.push(partner);
  }

  finish(): CrossEdges {
    const nodes = Uint32Array.from(this.nodes);
    const layers = Uint32Array.from(this.layers);
    const partners = BigUint64Array.from(this.partners);
    const half = halves(partners);
    const compare = (a: number, b: number): number =>
      nodes[a]! - nodes[b]! ||
      layers[a]! - layers[b]! ||
      half[2 * a + 1]! - half[2 * b + 1]! ||
      half[2 * a]! - half[2 * b]!;
    const order = Uint32Array.from({ length: nodes.length }, (_, i) => i)
      .sort(compare)
      .filter((edge, i, sorted) => i === 0 || compare(edge, sorted[i - 1]!) !== 0);
    return {
      nodes: order.map((edge) => nodes[edge]!),
      layers: order.map((edge) => layers[edge]!),
      partners: BigUint64Array.from(order, (edge) => partners[edge]!),
    };
  }
}

/** Calls back for each node and layer that has edges, in order, with the partners. */
export function forEachCrossSet(
  edges: CrossEdges,
  callback: (node: number, layer: number, partners: BigUint64Array) => void,
): void {
  const { nodes, layers, partners } = edges;
  for (let begin = 0; begin < nodes.length; ) {
    let end = begin + 1;
    while (end < nodes.length && nodes[end] === nodes[begin] && layers[end] === layers[begin]) end++;
    callback(nodes[begin]!, layers[begin]!, partners.subarray(begin, end));
    begin = end;
  }
}

/** The table without the nodes that have no edges left, which nothing above will ask for. */
export function withoutLoneNodes(table: NodeTable): NodeTable {
  const kept = new Int32Array(table.ids.length).fill(-1);
  const { nodes } = table.edges;
  for (let i = 0; i < nodes.length; i++) kept[nodes[i]!] = 0;
  let count = 0;
  for (let node = 0; node < kept.length; node++) if (kept[node] === 0) kept[node] = count++;
  return {
    ids: table.ids.filter((_, node) => kept[node]! >= 0),
    firstSupervoxels: table.firstSupervoxels.filter((_, node) => kept[node]! >= 0),
    edges: { ...table.edges, nodes: nodes.map((node) => kept[node]!) },
  };
}

export function encodeNodeTable({ ids, firstSupervoxels, edges }: NodeTable): Uint8Array {
  return encodeSections([ids, firstSupervoxels, edges.nodes, edges.layers, edges.partners]);
}

export function decodeNodeTable(value: Uint8Array, what: string): NodeTable {
  const [ids, firsts, nodes, layers, partners] = decodeSections(value, 5, what);
  return {
    ids: asUint64(ids!, what),
    firstSupervoxels: asUint32(firsts!, what),
    edges: { nodes: asUint32(nodes!, what), layers: asUint32(layers!, what), partners: asUint64(partners!, what) },
  };
}
