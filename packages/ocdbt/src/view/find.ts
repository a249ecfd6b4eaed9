/**
 * One key in one tree.
 * @module
 */
import { lastAtMost, lowerBound } from "../format/index.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, KeyColumn, NodePlace } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { checkChild } from "./tree-walk.ts";

/** An entry of a leaf. */
export interface FoundEntry {
  readonly leaf: BtreeLeaf;
  readonly index: number;
}

/**
 * The entry of `key`, or `undefined`. Only nodes that are not in memory are waited for.
 */
export async function findKey(
  root: BtreeNodeReference,
  key: Uint8Array,
  nodes: NodeReader,
  options: { readonly signal?: AbortSignal } = {},
): Promise<FoundEntry | undefined> {
  if (root.location === undefined) return undefined;
  let reference: NodePlace = root;
  // Bytes of the key that the path down to here implies.
  let skip = 0;
  let parent: BtreeInterior | undefined;
  let child = 0;
  for (;;) {
    const node: BtreeNode = nodes.cachedBtreeNode(reference) ?? (await nodes.btreeNode(reference, options));
    if (parent !== undefined) checkChild(parent, child, node);
    if (!("children" in node)) {
      const index = lowerBound(node.keys, key, skip);
      return index < node.keys.length && isKeyAt(node.keys, index, key, skip) ? { leaf: node, index } : undefined;
    }
    child = ownerOf(node, key, skip);
    if (child < 0) return undefined;
    parent = node;
    reference = node.children.placeAt(child);
    skip += node.subtreePrefixLengths[child]!;
  }
}

/** The child that would hold `key`, −1 when its prefix or the first entry says that none does. */
function ownerOf(node: BtreeInterior, key: Uint8Array, skip: number): number {
  const child = lastAtMost(node.keys, key, skip);
  if (child < 0) return -1;
  const { bytes, offsets } = node.keys;
  const start = offsets[child]!;
  const prefix = node.subtreePrefixLengths[child]!;
  if (key.length - skip < prefix) return -1;
  for (let i = 0; i < prefix; i++) if (bytes[start + i] !== key[skip + i]) return -1;
  return child;
}

function isKeyAt(keys: KeyColumn, index: number, key: Uint8Array, skip: number): boolean {
  const start = keys.offsets[index]!;
  const length = keys.offsets[index + 1]! - start;
  if (length !== key.length - skip) return false;
  for (let i = 0; i < length; i++) if (keys.bytes[start + i] !== key[skip + i]) return false;
  return true;
}
