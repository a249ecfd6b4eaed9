/**
 * A leaf with changes applied.
 * @module
 */
import { compareKeys } from "@pcg/kvstore";
import { LeafBuilder } from "../format/index.ts";
import type { BtreeLeaf, BtreeNode } from "../format/types.ts";
import { firstAtLeast, fullKey } from "../view/leaf-runs.ts";
import type { Change } from "./changes.ts";
import type { Share } from "./shares.ts";

/** A node's entries after the changes; `undefined`: none are left. */
export interface Rebuilt {
  readonly row: BtreeNode | undefined;
  /** Whether there are fewer than before. */
  readonly lost: boolean;
}

/** The entries that changes put; `undefined`: none. */
export function leafOf(points: readonly Change[]): BtreeLeaf | undefined {
  const builder = new LeafBuilder();
  for (const { key, value } of points) if (value !== null) builder.add(key, value);
  return builder.length === 0 ? undefined : builder.finish();
}

/** The entries of a leaf, whose keys lack `prefix`, after the changes. */
export function rebuildLeaf(leaf: BtreeLeaf, prefix: Uint8Array, { points, ranges }: Share): "same" | Rebuilt {
  const { keys } = leaf;
  const builder = new LeafBuilder();
  // Entries before the cursor are copied or gone.
  let cursor = 0;
  let removed = 0;
  let added = 0;
  const skipTo = (start: number, end: number): void => {
    if (start > cursor) {
      builder.copy(leaf, cursor, start, prefix);
      cursor = start;
    }
    if (end > cursor) {
      removed += end - cursor;
      cursor = end;
    }
  };
  let range = 0;
  const skipRangesUpTo = (key: Uint8Array | undefined): void => {
    for (; range < ranges.length; range++) {
      const { start, end } = ranges[range]!;
      if (key !== undefined && compareKeys(start, key) > 0) return;
      skipTo(firstAtLeast(keys, prefix, start), end === undefined ? keys.length : firstAtLeast(keys, prefix, end));
    }
  };
  for (const { key, value } of points) {
    skipRangesUpTo(key);
    const at = firstAtLeast(keys, prefix, key);
    skipTo(at, at < keys.length && compareKeys(fullKey(keys, at, prefix), key) === 0 ? at + 1 : at);
    if (value === null) continue;
    builder.add(key, value);
    added++;
  }
  skipRangesUpTo(undefined);
  if (removed === 0 && added === 0) return "same";
  skipTo(keys.length, keys.length);
  return { row: builder.length === 0 ? undefined : builder.finish(), lost: removed > added };
}
