/**
 * Node rows. `children` is written once, when the node begins: its cell's time is the node's creation time. A
 * supervoxel has no children; it begins with its first parent cell. Roots have no parent cell.
 * @module
 */
import type { Bytes, Cell, Column, KeyRange } from "@pcg/rowstore";
import { column, idKey, idKeys, idRange, KIND, kindRange } from "./keys.ts";

export const CHILDREN: Column = column("h", "c");
export const PARENT: Column = column("h", "p");
/** Family of the cross-edge columns; the qualifier is the edge layer as one byte. */
export const CROSS_FAMILY = "x";

const CHILDREN_BYTE = CHILDREN.qualifier[0]!;
const PARENT_BYTE = PARENT.qualifier[0]!;

/** Column of a node's active cross edges of one layer: the partners, as ids of the node's own layer or lower, ascending. */
export function crossColumn(layer: number): Column {
  return column(CROSS_FAMILY, Uint8Array.of(layer));
}

export function nodeKey(id: bigint): Bytes {
  return idKey(KIND.node, id);
}

export function nodeKeys(ids: BigUint64Array): Bytes[] {
  return idKeys(KIND.node, ids);
}

/** Rows of all nodes of a chunk, from the layout's `chunk` to `lastOf(chunk)`. */
export function nodeRange(chunk: bigint, last: bigint): KeyRange {
  return idRange(KIND.node, chunk + 1n, last);
}

export function allNodes(): KeyRange {
  return kindRange(KIND.node);
}

/** What a cell of a node row is. */
export function isParentCell(cell: Cell): boolean {
  return cell.family === "h" && cell.qualifier[0] === PARENT_BYTE;
}

export function isChildrenCell(cell: Cell): boolean {
  return cell.family === "h" && cell.qualifier[0] === CHILDREN_BYTE;
}

/** The layer of a cross-edge cell, or `undefined` for other cells. */
export function crossLayerOf(cell: Cell): number | undefined {
  return cell.family === CROSS_FAMILY ? cell.qualifier[0] : undefined;
}
