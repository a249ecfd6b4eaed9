/**
 * A layer above level 2, for one chunk at a time and in two steps: first every chunk decides which nodes get which parents,
 * then, when the chunks around are decided too, edges are lifted to the new parents.
 * @module
 */
import type { IdLayout } from "../ids.ts";
import { groupByParent } from "../parents.ts";
import { CrossEdgeList, type NodeTable } from "./node-table.ts";

/** The parents of one chunk. */
export interface Parents {
  /** Nodes that get a parent on this layer, ascending, and their parents. */
  readonly children: BigUint64Array;
  readonly parents: BigUint64Array;
}

/** All nodes that stand in the chunks below, ascending. */
export function gatherNodes(tables: readonly NodeTable[]): NodeTable {
  const ids = tables.flatMap((table) => Array.from(table.ids));
  const firsts = tables.flatMap((table) => Array.from(table.firstSupervoxels));
  const order = Uint32Array.from(ids, (_, i) => i).sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
  const place = new Uint32Array(ids.length);
  order.forEach((node, i) => {
    place[node] = i;
  });
  const edges = new CrossEdgeList();
  let offset = 0;
  for (const table of tables) {
    const { nodes, layers, partners } = table.edges;
    for (let e = 0; e < nodes.length; e++) edges.add(place[offset + nodes[e]!]!, layers[e]!, partners[e]!);
    offset += table.ids.length;
  }
  return {
    ids: BigUint64Array.from(order, (node) => ids[node]!),
    firstSupervoxels: Uint32Array.from(order, (node) => firsts[node]!),
    edges: edges.finish(),
  };
}

/**
 * Decides the parents on `layer` in one chunk.
 * @param nodes the nodes standing on the layer below, ascending.
 * @param numberOf segment number of a parent, given its smallest supervoxel and how many parents of the chunk come before it
 *   when they are ordered by that.
 */
export function decideParents(
  nodes: NodeTable,
  layer: number,
  chunk: bigint,
  layout: IdLayout,
  numberOf: (firstSupervoxel: number, before: number) => number,
): Parents {
  const groups = groupByParent({
    layer: layer - 1,
    layers: layout.layers,
    ids: nodes.ids,
    ...edgesOf(nodes, layer - 1),
  });
  const firstOf = new Float64Array(groups.count).fill(Infinity);
  for (let node = 0; node < nodes.ids.length; node++) {
    const group = groups.groupOf[node]!;
    firstOf[group] = Math.min(firstOf[group]!, nodes.firstSupervoxels[node]!);
  }
  const made = Uint32Array.from(firstOf, (_, group) => group)
    .filter((group) => groups.parentLayer[group] === layer)
    .sort((a, b) => firstOf[a]! - firstOf[b]!);
  const idOf = new BigUint64Array(groups.count);
  made.forEach((group, before) => {
    idOf[group] = layout.nodeId(chunk, BigInt(numberOf(firstOf[group]!, before)));
  });
  const parents = BigUint64Array.from(groups.groupOf, (group) => idOf[group]!);
  return {
    children: nodes.ids.filter((_, node) => parents[node] !== 0n),
    parents: parents.filter((parent) => parent !== 0n),
  };
}

/** The partners of each node on `layer`, and the next layer above on which it has edges. */
function edgesOf(
  nodes: NodeTable,
  layer: number,
): { offsets: Uint32Array; partners: BigUint64Array; nextLayer: Uint8Array } {
  const { edges } = nodes;
  const onLayer = edges.layers.map((edgeLayer) => (edgeLayer === layer ? 1 : 0));
  const offsets = new Uint32Array(nodes.ids.length + 1);
  const nextLayer = new Uint8Array(nodes.ids.length);
  for (let e = 0; e < edges.nodes.length; e++) {
    const node = edges.nodes[e]!;
    if (onLayer[e]) offsets[node + 1] = offsets[node + 1]! + 1;
    else if (nextLayer[node] === 0) nextLayer[node] = edges.layers[e]!;
  }
  for (let node = 0; node < nodes.ids.length; node++) offsets[node + 1] = offsets[node + 1]! + offsets[node]!;
  return { offsets, partners: edges.partners.filter((_, e) => onLayer[e] === 1), nextLayer };
}

/**
 * The nodes that stand on `layer` in the chunk: the new parents and those that skip, with edges of `layer` and above.
 * @param parentOf the parent on this layer of any node, here or in another chunk, or `undefined` when it skips.
 */
export function liftNodes(nodes: NodeTable, layer: number, parentOf: (id: bigint) => bigint | undefined): NodeTable {
  const place = new Map<bigint, number>();
  const firsts: number[] = [];
  const placeOf = new Uint32Array(nodes.ids.length);
  nodes.ids.forEach((id, node) => {
    const standing = parentOf(id) ?? id;
    let at = place.get(standing);
    if (at === undefined) {
      at = place.size;
      place.set(standing, at);
      firsts.push(Number.POSITIVE_INFINITY);
    }
    firsts[at] = Math.min(firsts[at]!, nodes.firstSupervoxels[node]!);
    placeOf[node] = at;
  });
  const { edges } = nodes;
  const lifted = new CrossEdgeList();
  for (let e = 0; e < edges.nodes.length; e++) {
    if (edges.layers[e]! < layer) continue;
    const partner = edges.partners[e]!;
    lifted.add(placeOf[edges.nodes[e]!]!, edges.layers[e]!, parentOf(partner) ?? partner);
  }
  return {
    ids: BigUint64Array.from(place.keys()),
    firstSupervoxels: Uint32Array.from(firsts),
    edges: lifted.finish(),
  };
}
