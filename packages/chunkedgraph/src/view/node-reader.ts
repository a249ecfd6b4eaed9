/**
 * Node rows as of one time, many at once. Nothing here is remembered.
 * @module
 */
import type { RowStore } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { halves, layerOf } from "../ids.ts";
import {
  CHILDREN,
  CROSS_FAMILY,
  corrupt,
  crossLayerOf,
  idOfKey,
  isChildrenCell,
  isParentCell,
  nodeKeys,
  PARENT,
  unpackId,
  unpackIds,
} from "../rows/index.ts";
import type { Place } from "./id-table.ts";

export interface ReadNodesOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A node that existed at the time of reading. */
export interface NodeRecord {
  readonly id: bigint;
  /** When its children were written; for a supervoxel, since when it has its present parent. */
  readonly since: Time;
  /** 0 for a root. */
  readonly parent: bigint;
  /** Empty for a supervoxel. */
  readonly children: BigUint64Array;
  /** Partners by edge layer, ascending. */
  readonly cross: ReadonlyMap<number, BigUint64Array>;
}

/**
 * The place of each of the ids (distinct, ascending) that existed at `time`; `visit` gets the id's position. The place is
 * one object, changed from call to call.
 */
export async function readPlaces(
  rows: RowStore,
  layers: number,
  ids: BigUint64Array,
  time: Time,
  visit: (index: number, place: Place) => void,
  options: ReadNodesOptions = {},
): Promise<void> {
  let roots = ids.length;
  while (roots > 0 && layerOf(ids[roots - 1]!) >= layers) roots--;
  const place: Place = { parentLow: 0, parentHigh: 0, since: 0 };
  const parts = [
    { begin: 0, end: roots, column: PARENT },
    { begin: roots, end: ids.length, column: CHILDREN },
  ];
  for (const { begin, end, column } of parts) {
    if (begin === end) continue;
    const part = ids.subarray(begin, end);
    const half = halves(part);
    let i = 0;
    const wanted = { columns: [column], to: time + 1n, versions: 1, ...signalOf(options) };
    for await (const row of rows.read({ keys: nodeKeys(part) }, wanted)) {
      const key = new DataView(row.key.buffer, row.key.byteOffset, 9);
      while (half[2 * i] !== key.getUint32(5) || half[2 * i + 1] !== key.getUint32(1)) i++;
      const cell = row.cells[0]!;
      if (column === PARENT) {
        if (cell.value.length !== 8) throw corrupt(`the parent of ${part[i]} has ${cell.value.length} bytes, not 8`);
        const value = new DataView(cell.value.buffer, cell.value.byteOffset, 8);
        place.parentLow = value.getUint32(0, true);
        place.parentHigh = value.getUint32(4, true);
      } else place.parentLow = place.parentHigh = 0;
      place.since = Number(cell.timestamp);
      visit(begin + i, place);
    }
  }
}

/** Children and creation time of each of the ids (of layers ≥ 2, in any order) that existed at `time`. */
export async function readChildren(
  rows: RowStore,
  ids: BigUint64Array,
  time: Time,
  options: ReadNodesOptions = {},
): Promise<Map<bigint, { readonly children: BigUint64Array; readonly created: Time }>> {
  const found = new Map<bigint, { readonly children: BigUint64Array; readonly created: Time }>();
  const wanted = { columns: [CHILDREN], to: time + 1n, versions: 1, ...signalOf(options) };
  for await (const row of rows.read({ keys: nodeKeys(ids) }, wanted)) {
    const cell = row.cells[0]!;
    const id = idOfKey(row.key);
    found.set(id, { children: unpackIds(cell.value), created: cell.timestamp });
  }
  return found;
}

/** Everything the rows say about each of the ids that existed at `time`, in any order. */
export async function readNodes(
  rows: RowStore,
  ids: BigUint64Array,
  time: Time,
  options: ReadNodesOptions = {},
): Promise<Map<bigint, NodeRecord>> {
  const found = new Map<bigint, NodeRecord>();
  const columns = [CHILDREN, PARENT, { family: CROSS_FAMILY }];
  const wanted = { columns, to: time + 1n, versions: 1, ...signalOf(options) };
  for await (const row of rows.read({ keys: nodeKeys(ids) }, wanted)) {
    const id = idOfKey(row.key);
    let since = 0n;
    let parent = 0n;
    let children: BigUint64Array = new BigUint64Array();
    const cross = new Map<number, BigUint64Array>();
    for (const cell of row.cells) {
      const layer = crossLayerOf(cell);
      if (layer !== undefined) cross.set(layer, unpackIds(cell.value));
      else if (isChildrenCell(cell)) {
        children = unpackIds(cell.value);
        since = cell.timestamp;
      } else if (isParentCell(cell)) {
        parent = unpackId(cell.value);
        if (layerOf(id) === 1) since = cell.timestamp;
      }
    }
    if (since > 0n) found.set(id, { id, since, parent, children, cross });
  }
  return found;
}

function signalOf(options: ReadNodesOptions): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}
