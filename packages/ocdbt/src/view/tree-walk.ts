/**
 * What keeps a walk through a tree from going wrong where the tree is not what it should be: keys out of place, and nodes that lead to the
 * same node again and again.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { compareBytes, compareKeyAt, keyAt, MAX_KEY_BYTES, printablePath } from "../format/index.ts";
import type { BtreeInterior, BtreeNode, BtreeNodeReference, IndirectReference } from "../format/types.ts";
import { nodeBytes } from "../io/node-bytes.ts";
import { fileName, locationName } from "../io/node-reader.ts";
import { nextTurn } from "../next-turn.ts";

/** Most memory of the nodes on the way from a root down to a leaf; a real one takes some MiB. */
const MAX_PATH_BYTES = 512 << 20;

/** Longest time other work has to wait, ms. */
const TURN_MS = 20;

/**
 * One walk through a tree. A node may stand in a tree more than once, under several prefixes, as long as the root's count of keys covers
 * that; otherwise a file of some kilobytes could hold 2^60 keys. Nodes out of memory come without the event loop getting a turn, so the
 * walk gives it one now and then.
 */
export class TreeWalk {
  readonly #limit: number;
  readonly #signal: AbortSignal | undefined;
  /** Memory of the nodes on the way down, by height. */
  readonly #path: number[] = [];
  #keys = 0;
  #last: Uint8Array | undefined;
  #turn: number = performance.now();
  /** Nodes seen since the walk passed the count. */
  #seen: Set<string> | undefined;

  constructor(root: BtreeNodeReference, signal?: AbortSignal) {
    this.#limit = Number(root.statistics.numKeys);
    this.#signal = signal;
  }

  /**
   * To be called with each node of the walk.
   *
   * @param prefixLength bytes in front of all keys of the node
   * @throws `OcdbtError` `corrupt`, or the signal's reason
   */
  async visit(reference: BtreeNodeReference, node: BtreeNode, prefixLength: number): Promise<void> {
    if (performance.now() - this.#turn > TURN_MS) {
      await nextTurn();
      this.#turn = performance.now();
    }
    this.#signal?.throwIfAborted();
    checkKeyLengths(reference.location!, node, prefixLength);
    if ("children" in node) this.#descend(reference, node);
    else this.#keys += node.keys.length;
    if (this.#keys <= this.#limit) return;
    this.#seen ??= new Set();
    const name = locationName(reference.location!);
    if (this.#seen.has(name)) {
      const problem = `its tree leads to it again and again, beyond the ${this.#limit} keys that the root counts; see fsck`;
      throw misplaced(reference.location!, problem);
    }
    this.#seen.add(name);
  }

  #descend(reference: BtreeNodeReference, node: BtreeInterior): void {
    this.#path[node.height] = nodeBytes(node);
    let bytes = 0;
    for (let height = node.height; height < this.#path.length; height++) bytes += this.#path[height] ?? 0;
    if (bytes <= MAX_PATH_BYTES) return;
    const { file, offset, length } = reference.location!;
    const path = printablePath(fileName(file));
    throw new OcdbtError(
      "too-large",
      `${path} at ${offset}+${length}: the nodes from the root to this one take ${bytes} bytes of memory, at most ${MAX_PATH_BYTES} are allowed`,
      { fields: { file: path, offset, length, bytes, limit: MAX_PATH_BYTES } },
    );
  }

  /** To be called with each leaf of a walk in the order of keys. @throws `OcdbtError` `corrupt` */
  expectAscending(reference: BtreeNodeReference, { keys }: BtreeNode, prefix: Uint8Array): void {
    const last = this.#last;
    if (last !== undefined && compareBytes(joined(prefix, keyAt(keys, 0)), last) <= 0) {
      throw misplaced(reference.location!, "the node holds keys that belong before it");
    }
    this.#last = joined(prefix, keyAt(keys, keys.length - 1));
  }
}

/**
 * Checks that the keys of child `index` lie between its entry's and the next one's.
 *
 * @throws `OcdbtError` `corrupt`
 */
export function checkChild(parent: BtreeInterior, index: number, child: BtreeNode): void {
  const { keys } = parent;
  const shared = parent.subtreePrefixLengths[index]!;
  if (compareKeyAt(child.keys, 0, keys.bytes.subarray(keys.offsets[index]!, keys.offsets[index + 1]!), shared) < 0) {
    throw misplaced(
      parent.children.placeAt(index).location,
      "the node begins before the key by which it is referred to",
    );
  }
  if (index + 1 < keys.length && hasSamePrefix(parent, index, shared)) {
    const next = keys.bytes.subarray(keys.offsets[index + 1]!, keys.offsets[index + 2]!);
    if (compareKeyAt(child.keys, child.keys.length - 1, next, shared) >= 0) {
      throw misplaced(parent.children.placeAt(index).location, "the node reaches into its neighbour's keys");
    }
  }
}

function checkKeyLengths(location: IndirectReference, { keys }: BtreeNode, prefixLength: number): void {
  const { offsets } = keys;
  // The decoder checks what is in the node alone.
  if (prefixLength === 0 || prefixLength + offsets[keys.length]! <= MAX_KEY_BYTES) return;
  for (let i = 0; i < keys.length; i++) checkKeyLength(location, prefixLength + offsets[i + 1]! - offsets[i]!);
}

/** @throws `OcdbtError` `corrupt` when the way down to a node makes a key, or what keys begin with, too long */
export function checkKeyLength(location: IndirectReference, length: number): void {
  if (length <= MAX_KEY_BYTES) return;
  throw misplaced(location, `a key has ${length} bytes with what leads to it, at most ${MAX_KEY_BYTES} are allowed`);
}

/** Whether the entry behind `index` begins as the child's keys do; if not, it lies behind all of them. */
function hasSamePrefix({ keys: { bytes, offsets } }: BtreeInterior, index: number, shared: number): boolean {
  const own = offsets[index]!;
  const next = offsets[index + 1]!;
  if (offsets[index + 2]! - next < shared) return false;
  for (let i = 0; i < shared; i++) if (bytes[own + i] !== bytes[next + i]) return false;
  return true;
}

function misplaced(location: IndirectReference, problem: string): OcdbtError {
  const { file, offset, length } = location;
  const path = printablePath(fileName(file));
  return new OcdbtError("corrupt", `${path} at ${offset}+${length}: ${problem}`, {
    fields: { file: path, offset, length },
  });
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
