import { layerOf } from "../ids.ts";
import { UnionFind } from "../union-find.ts";
import { NONE, type NodeTable } from "./node-table.ts";
import type { Findings } from "./report.ts";

/**
 * Every live node's parent is where its cross edges put it: one layer above with all it is connected to on its own
 * layer, else on the lowest layer on which it has an edge, else on the root layer. Level-2 nodes are checked by their
 * supervoxel edges.
 */
export function checkSkipRule(table: NodeTable, live: Uint8Array, layers: number, findings: Findings): void {
  const { ids, parent, childOffsets, crossNode, crossLayer, crossPartner } = table;
  const lowest = new Uint8Array(ids.length);
  const sets = new UnionFind(ids.length);
  for (let i = 0; i < crossNode.length; i++) {
    const node = crossNode[i]!;
    const partner = crossPartner[i]!;
    if (!live[node] || partner === NONE) continue;
    if (lowest[node] === 0 || crossLayer[i]! < lowest[node]!) lowest[node] = crossLayer[i]!;
    if (crossLayer[i] !== layerOf(ids[node]!)) continue;
    sets.union(node, partner);
    if (parent[node] !== parent[partner])
      findings.add("skip", ids[node]!, `is connected to ${ids[partner]} on its layer but has another parent`);
  }
  const setOfParent = new Uint32Array(ids.length).fill(NONE);
  for (let i = 0; i < ids.length; i++) {
    const layer = layerOf(ids[i]!);
    const above = parent[i]!;
    if (!live[i] || layer < 2 || layer === layers || above === NONE) continue;
    const wanted = lowest[i] === 0 ? layers : lowest[i] === layer ? layer + 1 : lowest[i]!;
    if (layerOf(ids[above]!) !== wanted)
      findings.add("skip", ids[i]!, `has its parent on layer ${layerOf(ids[above]!)}, not ${wanted}`);
    const set = sets.find(i);
    if (childOffsets[above + 1]! - childOffsets[above]! === 1) continue;
    if (setOfParent[above] === NONE) setOfParent[above] = set;
    else if (setOfParent[above] !== set)
      findings.add("skip", ids[above]!, `has children ${ids[i]} and ${ids[set]}, which are not connected`);
  }
}
