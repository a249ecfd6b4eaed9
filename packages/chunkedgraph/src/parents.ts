/**
 * Which nodes share a parent, and on which layer it is: the one rule of the hierarchy, for ingest and edits alike.
 *
 * A parent on layer l + 1 is a connected component of the layer-l cross edges. A node that is alone in its component
 * gets its parent on the lowest layer above on which it has a cross edge, else on the root layer.
 * @module
 */
import { halves } from "./ids.ts";
import { UnionFind } from "./union-find.ts";

/** Nodes of one layer with their cross edges; every layer-`layer` partner of a node must be among the nodes. */
export interface LayerNodes {
  readonly layer: number;
  /** Layers of the graph: where roots are. */
  readonly layers: number;
  /** Ascending. */
  readonly ids: BigUint64Array;
  /** Partners of node i on this layer: `partners[offsets[i]]` … `partners[offsets[i + 1] - 1]`. */
  readonly offsets: Uint32Array;
  readonly partners: BigUint64Array;
  /** Lowest layer above this one on which node i has a cross edge; 0: none. */
  readonly nextLayer: Uint8Array;
}

export interface ParentGroups {
  readonly count: number;
  /** Group of node i. Groups are numbered in the order of their smallest member. */
  readonly groupOf: Uint32Array;
  /** Layer of each group's parent. */
  readonly parentLayer: Uint8Array;
}

/** Groups nodes by parent. O(n log n + edges); 8 bytes per node besides input and result. */
export function groupByParent(nodes: LayerNodes): ParentGroups {
  const { ids, offsets, partners, layer, layers } = nodes;
  const count = ids.length;
  const sets = components(ids, offsets, partners, layer);
  const groupOf = new Uint32Array(count);
  const sizes = new Uint32Array(count);
  let groups = 0;
  for (let i = 0; i < count; i++) {
    const smallest = sets.find(i);
    const group = smallest === i ? groups++ : groupOf[smallest]!;
    groupOf[i] = group;
    sizes[group]!++;
  }
  const parentLayer = new Uint8Array(groups).fill(layer + 1);
  for (let i = 0; i < count; i++) if (sizes[groupOf[i]!] === 1) parentLayer[groupOf[i]!] = nodes.nextLayer[i] || layers;
  return { count: groups, groupOf, parentLayer };
}

/** Sets of nodes joined by edges of the layer. */
function components(ids: BigUint64Array, offsets: Uint32Array, partners: BigUint64Array, layer: number): UnionFind {
  const sets = new UnionFind(ids.length);
  const half = halves(ids);
  const partnerHalf = halves(partners);
  for (let i = 0; i < ids.length; i++)
    for (let k = offsets[i]!; k < offsets[i + 1]!; k++) {
      const j = indexOf(half, partnerHalf[2 * k]!, partnerHalf[2 * k + 1]!);
      if (j < 0)
        throw new Error(
          `node ${ids[i]} has a cross edge of layer ${layer} to ${partners[k]}, which is not on that layer`,
        );
      sets.union(i, j);
    }
  return sets;
}

/** Position of an id in ascending ids, or −1. */
function indexOf(half: Uint32Array, low: number, high: number): number {
  let begin = 0;
  let end = half.length >>> 1;
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    const h = half[2 * middle + 1]!;
    if (h < high || (h === high && half[2 * middle]! < low)) begin = middle + 1;
    else end = middle;
  }
  return begin < half.length >>> 1 && half[2 * begin] === low && half[2 * begin + 1] === high ? begin : -1;
}
