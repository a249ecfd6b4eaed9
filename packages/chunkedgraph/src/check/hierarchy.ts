import { layerOf } from "../ids.ts";
import { NONE, type NodeTable } from "./node-table.ts";
import type { Findings } from "./report.ts";

/**
 * Parents and children agree at every time: each parent cell was written with the parent's children and the child is one
 * of them, and each child of a node got a parent cell when the node began.
 */
export function checkAgreement(table: NodeTable, findings: Findings): void {
  const { ids, created, childOffsets, children, cellChild, cellParent, cellTime } = table;
  const cells = countingOrder(cellParent, ids.length);
  let next = 0;
  for (let parent = 0; parent < ids.length; parent++) {
    const named = new Set<number>();
    for (; next < cells.length && cellParent[cells[next]!]! === parent; next++) {
      const cell = cells[next]!;
      named.add(cellChild[cell]!);
      if (cellTime[cell] !== created[parent])
        findings.add("parent", ids[cellChild[cell]!]!, `was given parent ${ids[parent]} at another time than it began`);
    }
    for (let i = childOffsets[parent]!; i < childOffsets[parent + 1]!; i++) {
      if (children[i] === NONE) findings.add("children", ids[parent]!, "names a child that has no row");
      else if (!named.delete(children[i]!))
        findings.add("parent", ids[children[i]!]!, `never had parent ${ids[parent]}, which names it as a child`);
    }
    for (const child of named)
      findings.add("parent", ids[child]!, `had parent ${ids[parent]}, which does not name it as a child`);
  }
  for (let cell = 0; cell < cellParent.length; cell++)
    if (cellParent[cell] === NONE) findings.add("parent", ids[cellChild[cell]!]!, "has a parent that has no row");
}

/**
 * The nodes alive at the checked time: the supervoxels that existed and all above them. Checks that every supervoxel
 * reaches a root and that all children of a live node are below it. @returns a flag per node.
 */
export function liveNodes(table: NodeTable, layers: number, time: number, findings: Findings): Uint8Array {
  const { ids, created, parent, childOffsets, children } = table;
  const live = new Uint8Array(ids.length);
  // Parents have higher numbers: one pass from supervoxels to roots.
  for (let i = 0; i < ids.length; i++) {
    if (layerOf(ids[i]!) === 1 && created[i]! <= time) live[i] = 1;
    if (!live[i] || layerOf(ids[i]!) === layers) continue;
    const above = parent[i]!;
    if (above === NONE) findings.add("root", ids[i]!, "does not reach a root");
    else if (layerOf(ids[above]!) <= layerOf(ids[i]!))
      findings.add("hierarchy", ids[i]!, `has parent ${ids[above]}, which is not on a higher layer`);
    else live[above] = 1;
  }
  for (let i = 0; i < ids.length; i++)
    for (let k = childOffsets[i]!; live[i] && k < childOffsets[i + 1]!; k++) {
      const child = children[k]!;
      if (child !== NONE && (!live[child] || parent[child] !== i))
        findings.add("hierarchy", ids[child]!, `is a child of ${ids[i]}, but below another node at the checked time`);
    }
  return live;
}

/** Positions of `keys` ordered by key, leaving out NONE. */
function countingOrder(keys: Uint32Array, limit: number): Uint32Array {
  const starts = new Uint32Array(limit + 1);
  for (const key of keys) if (key !== NONE) starts[key + 1]!++;
  for (let i = 0; i < limit; i++) starts[i + 1]! += starts[i]!;
  const order = new Uint32Array(starts[limit]!);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key !== NONE) order[starts[key]!++] = i;
  }
  return order;
}
