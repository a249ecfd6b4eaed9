/**
 * What keeps a walk through a tree from going wrong where the tree is not what it should be: keys out of place, and nodes that lead to the
 * same node again and again.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { compareKeyAt, MAX_KEY_BYTES, printablePath } from "../format/index.ts";
import type { BtreeInterior, BtreeNode, BtreeNodeReference, IndirectReference } from "../format/types.ts";
import { fileName, locationName } from "../io/node-reader.ts";

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
  #keys = 0;
  #turn: number = performance.now();
  /** Nodes seen since the walk passed the count. */
  #seen: Set<string> | undefined;

  constructor(root: BtreeNodeReference, signal?: AbortSignal) {
    this.#limit = Number(root.statistics.numKeys);
    this.#signal = signal;
  }

  /** To be called with each node of the walk. @throws `OcdbtError` `corrupt`, or the signal's reason */
  async visit(reference: BtreeNodeReference, node: BtreeNode): Promise<void> {
    if (performance.now() - this.#turn > TURN_MS) {
      await nextTurn();
      this.#turn = performance.now();
    }
    this.#signal?.throwIfAborted();
    if (!("children" in node)) this.#keys += node.keys.length;
    if (this.#keys <= this.#limit) return;
    this.#seen ??= new Set();
    const name = locationName(reference.location!);
    if (this.#seen.has(name)) {
      const problem = `its tree leads to it again and again, beyond the ${this.#limit} keys that the root counts; see fsck`;
      throw misplaced(reference.location!, problem);
    }
    this.#seen.add(name);
  }
}

/**
 * Checks that the keys of child `index` lie between its entry's and the next one's.
 *
 * @param prefixLength bytes in front of all keys of `parent`
 * @throws `OcdbtError` `corrupt`
 */
export function checkChild(parent: BtreeInterior, index: number, child: BtreeNode, prefixLength: number): void {
  const { keys } = parent;
  const shared = parent.subtreePrefixLengths[index]!;
  const { location } = parent.children[index]!;
  if (compareKeyAt(child.keys, 0, keys.bytes.subarray(keys.offsets[index]!, keys.offsets[index + 1]!), shared) < 0) {
    throw misplaced(location!, "the node begins before the key by which it is referred to");
  }
  if (index + 1 < keys.length && hasSamePrefix(parent, index, shared)) {
    const next = keys.bytes.subarray(keys.offsets[index + 1]!, keys.offsets[index + 2]!);
    if (compareKeyAt(child.keys, child.keys.length - 1, next, shared) >= 0) {
      throw misplaced(location!, "the node reaches into its neighbour's keys");
    }
  }
  checkKeyLengths(location!, child, prefixLength + shared);
}

function checkKeyLengths(location: IndirectReference, { keys }: BtreeNode, prefixLength: number): void {
  const { offsets } = keys;
  if (prefixLength + offsets[keys.length]! <= MAX_KEY_BYTES) return;
  for (const index of [0, keys.length - 1]) {
    const length = prefixLength + offsets[index + 1]! - offsets[index]!;
    if (length <= MAX_KEY_BYTES) continue;
    throw misplaced(location, `a key has ${length} bytes with what leads to it, at most ${MAX_KEY_BYTES} are allowed`);
  }
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
