/**
 * Which children of a node changes concern.
 * @module
 */
import { compareKeys, type KeyRange } from "@pcg/kvstore";
import { lastAtMost } from "../format/index.ts";
import type { BtreeInterior } from "../format/types.ts";
import { childrenWithin, sideOf } from "../view/leaf-runs.ts";
import type { Change } from "./changes.ts";

/** The part of the changes that concerns one subtree. */
export interface Share {
  readonly points: readonly Change[];
  readonly ranges: readonly KeyRange[];
}

/** The children that changes concern, in order, each with its share. The first child owns what comes before it. */
export function sharesOf(node: BtreeInterior, prefix: Uint8Array, { points, ranges }: Share): [number, Share][] {
  const { keys } = node;
  const byChild = new Map<number, { points: Change[]; ranges: KeyRange[] }>();
  const shareOf = (child: number): { points: Change[]; ranges: KeyRange[] } => {
    let own = byChild.get(child);
    if (own === undefined) {
      own = { points: [], ranges: [] };
      byChild.set(child, own);
    }
    return own;
  };
  for (const range of ranges) {
    const [first, end] = childrenWithin(keys, prefix, range);
    for (let child = first; child < end; child++) shareOf(child).ranges.push(range);
  }
  for (const point of points) shareOf(ownerOf(node, prefix, point.key)).points.push(point);
  return [...byChild].sort(([a], [b]) => a - b);
}

function ownerOf({ keys }: BtreeInterior, prefix: Uint8Array, key: Uint8Array): number {
  const side = sideOf(prefix, key);
  if (side === 0) return Math.max(0, lastAtMost(keys, key, prefix.length));
  return side < 0 ? 0 : keys.length - 1;
}

/** Whether all keys a child can hold lie in the range. */
export function covers(range: KeyRange, firstKey: Uint8Array, end: Uint8Array | undefined): boolean {
  if (compareKeys(range.start, firstKey) > 0) return false;
  return range.end === undefined || (end !== undefined && compareKeys(end, range.end) <= 0);
}
