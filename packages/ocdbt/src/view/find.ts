/**
 * One key in one tree.
 * @module
 */
import { lastAtMost, lowerBound } from "../format/index.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode, KeyColumn, NodePlace } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { checkChild } from "./tree-walk.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** An entry of a leaf. */
export interface FoundEntry {
  readonly leaf: BtreeLeaf;
  readonly index: number;
}

/** The entry of `key`, or `undefined`: at once when all nodes on the way are in memory, which spares many readers many promises. */
export function findKey(
  root: NodePlace,
  key: Uint8Array,
  nodes: NodeReader,
  options: Cancel = {},
): FoundEntry | undefined | Promise<FoundEntry | undefined> {
  if (root.location === undefined) return undefined;
  const descent = new Descent(root, key);
  const found = descent.throughMemory(nodes);
  return found === "deeper" ? readOn(descent, nodes, options) : found;
}

async function readOn(descent: Descent, nodes: NodeReader, options: Cancel): Promise<FoundEntry | undefined> {
  for (;;) {
    let found = descent.enter(await nodes.btreeNode(descent.place, options));
    if (found === "deeper") found = descent.throughMemory(nodes);
    if (found !== "deeper") return found;
  }
}

/** The way down to one key. */
class Descent {
  /** The node to look into next. */
  place: NodePlace;
  readonly #key: Uint8Array;
  /** Bytes of the key that the path down to here implies. */
  #skip = 0;
  #parent: BtreeInterior | undefined;
  #child = 0;

  constructor(root: NodePlace, key: Uint8Array) {
    this.place = root;
    this.#key = key;
  }

  throughMemory(nodes: NodeReader): FoundEntry | undefined | "deeper" {
    for (;;) {
      const node = nodes.cachedBtreeNode(this.place);
      if (node === undefined) return "deeper";
      const found = this.enter(node);
      if (found !== "deeper") return found;
    }
  }

  /** Looks into the node of `place`. */
  enter(node: BtreeNode): FoundEntry | undefined | "deeper" {
    const key = this.#key;
    const skip = this.#skip;
    if (this.#parent !== undefined) checkChild(this.#parent, this.#child, node);
    if (!("children" in node)) {
      const index = lowerBound(node.keys, key, skip);
      return index < node.keys.length && isKeyAt(node.keys, index, key, skip) ? { leaf: node, index } : undefined;
    }
    const child = ownerOf(node, key, skip);
    if (child < 0) return undefined;
    this.#parent = node;
    this.#child = child;
    this.#skip += node.subtreePrefixLengths[child]!;
    this.place = node.children.placeAt(child);
    return "deeper";
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
