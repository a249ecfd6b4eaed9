/**
 * All entries of a range, a run of one leaf at a time, in order. Siblings are read ahead.
 * @module
 */
import { isEmptyRange, type KeyRange } from "@pcg/kvstore";
import { lastAtMost, lowerBound } from "../format/index.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, KeyColumn } from "../format/types.ts";
import { withOwnSignal } from "../own-signal.ts";
import type { NodeReader } from "../parts.ts";
import { checkChild, checkKeyLength, TreeWalk } from "./tree-walk.ts";

/** Entries `start … end` of a leaf, whose keys lack `prefix`. */
export interface LeafRun {
  readonly leaf: BtreeLeaf;
  readonly prefix: Uint8Array;
  readonly start: number;
  readonly end: number;
}

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Nodes of one level that are read before they are needed, and how many bytes they take in the store. */
const READ_AHEAD = 16;
const READ_AHEAD_BYTES = 8 << 20;

export async function* leafRuns(
  root: BtreeNodeReference,
  range: KeyRange,
  nodes: NodeReader,
  options: Cancel = {},
): AsyncGenerator<LeafRun, void, undefined> {
  if (root.location === undefined || isEmptyRange(range)) return;
  const walk = new TreeWalk(root, options.signal);
  const node = await nodes.btreeNode(root, options);
  yield* visit(root, node, new Uint8Array(0), range, walk, nodes, options);
}

async function* visit(
  reference: BtreeNodeReference,
  node: BtreeNode,
  prefix: Uint8Array,
  range: KeyRange,
  walk: TreeWalk,
  nodes: NodeReader,
  options: Cancel,
): AsyncGenerator<LeafRun, void, undefined> {
  await walk.visit(reference, node, prefix.length);
  if (!("children" in node)) {
    walk.expectAscending(reference, node, prefix);
    const [start, end] = entriesWithin(node.keys, prefix, range);
    if (start < end) yield { leaf: node, prefix, start, end };
    return;
  }
  const [first, end] = childrenWithin(node.keys, prefix, range);
  const { lengths } = node.children.columns;
  const ahead: ReturnType<NodeReader["ahead"]>[] = [];
  let bytes = 0;
  for (let i = first, next = first; i < end; i++) {
    for (; next < end && next < i + READ_AHEAD && (next === i || bytes + lengths[next]! <= READ_AHEAD_BYTES); next++) {
      ahead.push(nodes.ahead(node.children.placeAt(next)));
      bytes += lengths[next]!;
    }
    const child = await withOwnSignal(options.signal, ahead.shift()!);
    bytes -= lengths[i]!;
    checkChild(node, i, child);
    yield* visit(node.children.at(i), child, childPrefix(node, i, prefix), range, walk, nodes, options);
  }
}

/** Half-open indices of the entries in the range. */
function entriesWithin(keys: KeyColumn, prefix: Uint8Array, range: KeyRange): [number, number] {
  return [
    firstAtLeast(keys, prefix, range.start),
    range.end === undefined ? keys.length : firstAtLeast(keys, prefix, range.end),
  ];
}

/** Half-open indices of the children that can hold keys of the range. */
export function childrenWithin(keys: KeyColumn, prefix: Uint8Array, range: KeyRange): [number, number] {
  const side = sideOf(prefix, range.start);
  const first = side === 0 ? Math.max(0, lastAtMost(keys, range.start, prefix.length)) : side < 0 ? 0 : keys.length;
  return [first, range.end === undefined ? keys.length : firstAtLeast(keys, prefix, range.end)];
}

/** Index of the first entry at or after `bound`. */
export function firstAtLeast(keys: KeyColumn, prefix: Uint8Array, bound: Uint8Array): number {
  const side = sideOf(prefix, bound);
  if (side === 0) return lowerBound(keys, bound, prefix.length);
  return side < 0 ? 0 : keys.length;
}

/** Where `bound` lies among the keys with `prefix`: before (or at the first possible), −1; behind all, 1; else 0. */
export function sideOf(prefix: Uint8Array, bound: Uint8Array): -1 | 0 | 1 {
  const shared = Math.min(prefix.length, bound.length);
  for (let i = 0; i < shared; i++) {
    if (prefix[i] !== bound[i]) return bound[i]! < prefix[i]! ? -1 : 1;
  }
  return bound.length <= prefix.length ? -1 : 0;
}

/** The bytes that all keys of child `index` begin with and do not store. @throws `OcdbtError` `corrupt` when they are too many */
export function childPrefix(node: BtreeInterior, index: number, prefix: Uint8Array): Uint8Array {
  const length = node.subtreePrefixLengths[index]!;
  checkKeyLength(node.children.placeAt(index).location, prefix.length + length);
  return length === 0 ? prefix : joined(prefix, node.keys, index, length);
}

/** Entry `index` with all its bytes. */
export function fullKey(keys: KeyColumn, index: number, prefix: Uint8Array): Uint8Array {
  return joined(prefix, keys, index, keys.offsets[index + 1]! - keys.offsets[index]!);
}

function joined(prefix: Uint8Array, keys: KeyColumn, index: number, length: number): Uint8Array {
  const { bytes } = keys;
  const start = keys.offsets[index]!;
  const key = new Uint8Array(prefix.length + length);
  if (key.length > 64) {
    key.set(prefix);
    key.set(bytes.subarray(start, start + length), prefix.length);
    return key;
  }
  // Calls would take longer than the few bytes.
  let at = 0;
  for (let i = 0; i < prefix.length; i++) key[at++] = prefix[i]!;
  for (let i = start; i < start + length; i++) key[at++] = bytes[i]!;
  return key;
}
