/**
 * One pass through the entries of a tree in key order, a subtree at a time: whoever walks decides of each subtree whether to
 * look inside or to step over it unread.
 * @module
 */
import { compareKeys, isEmptyRange, type KeyRange } from "@pcg/kvstore";
import type { BtreeInterior, BtreeNode, BtreeNodeReference, IndirectReference } from "../format/types.ts";
import { locationName } from "../io/node-reader.ts";
import type { NodeReader } from "../parts.ts";
import { valueAt } from "../view/generation.ts";
import { fullKey } from "../view/leaf-runs.ts";
import { checkChild, TreeWalk } from "../view/tree-walk.ts";

/** A value as a leaf holds it: its bytes, or where they lie. `length` is its size either way. */
export type StoredValue = Uint8Array | IndirectReference;

/** A tree, and who reads its nodes. */
export interface Tree {
  readonly nodes: NodeReader;
  readonly root: BtreeNodeReference;
}

/** What a cursor stands at. */
export type TreeItem =
  | {
      readonly kind: "subtree";
      readonly reference: BtreeNodeReference & { readonly location: IndirectReference };
      /** What is in front of the keys stored in the node. */
      readonly prefix: Uint8Array;
      /** Keys are from here … */
      readonly lower: Uint8Array;
      /** … and before this; `undefined`: no limit. */
      readonly upper: Uint8Array | undefined;
    }
  | { readonly kind: "entry"; readonly key: Uint8Array; readonly value: StoredValue };

interface Frame {
  readonly node: BtreeNode;
  readonly prefix: Uint8Array;
  readonly upper: Uint8Array | undefined;
  /** Children that will be stepped over; `undefined`: not known, so none is read before it is asked for. */
  readonly passed: ReadonlySet<string> | undefined;
  next: number;
  /** Children before this one have been asked for, if they will be looked into. */
  readAhead: number;
}

/** Nodes of one level that are read before they are needed. */
const readAhead = 16;
const none: ReadonlySet<string> = new Set();

const nothing = new Uint8Array(0);

/** Stands before the first item of a tree within a range. Holds one node per level. */
export class TreeCursor {
  readonly #nodes: NodeReader;
  readonly #range: KeyRange;
  readonly #walk: TreeWalk;
  readonly #frames: Frame[] = [];
  #item: TreeItem | undefined;

  constructor(tree: Tree, range: KeyRange) {
    this.#nodes = tree.nodes;
    this.#range = range;
    this.#walk = new TreeWalk(tree.root);
    const { location } = tree.root;
    if (location === undefined || isEmptyRange(range)) return;
    const reference = { ...tree.root, location };
    this.#item = { kind: "subtree", reference, prefix: nothing, lower: nothing, upper: undefined };
  }

  /** `undefined` at the end. */
  get item(): TreeItem | undefined {
    return this.#item;
  }

  /** Steps over the item. */
  skip(): void {
    let item = this.#step();
    while (item !== undefined && this.#isBefore(item)) item = this.#step();
    this.#item = item !== undefined && this.#isBehind(item) ? undefined : item;
  }

  /** The node of the subtree it stands at. */
  async read(signal: AbortSignal | undefined): Promise<BtreeNode> {
    const { reference, prefix } = this.#subtree();
    const node = await this.#nodes.btreeNode(reference, { ...(signal && { signal }) });
    const frame = this.#frames.at(-1);
    if (frame !== undefined) checkChild(frame.node as BtreeInterior, frame.next - 1, node);
    await this.#walk.visit(reference, node, prefix.length);
    if (!("children" in node)) this.#walk.expectAscending(reference, node, prefix);
    signal?.throwIfAborted();
    return node;
  }

  /**
   * Looks into the subtree it stands at: goes to its first item.
   *
   * @param passed children that will be stepped over, see {@link childNames}; all others are read ahead. Without it none
   * are.
   */
  enter(node: BtreeNode, passed?: ReadonlySet<string>): void {
    const { prefix, upper } = this.#subtree();
    this.#frames.push({ node, prefix, upper, passed, next: 0, readAhead: 0 });
    this.skip();
  }

  /** Looks into the subtree it stands at, all of which will be walked. */
  async expand(signal: AbortSignal | undefined): Promise<void> {
    this.enter(await this.read(signal), none);
  }

  #subtree(): TreeItem & { kind: "subtree" } {
    if (this.#item?.kind === "subtree") return this.#item;
    throw new TypeError("only a subtree can be looked into");
  }

  #step(): TreeItem | undefined {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return undefined;
      if (frame.next < frame.node.keys.length) {
        const item = itemAt(frame, frame.next++);
        if (!this.#isBefore(item)) this.#readAhead(frame);
        return item;
      }
      this.#frames.pop();
    }
  }

  #readAhead(frame: Frame): void {
    const { node, prefix, passed, next } = frame;
    if (passed === undefined || !("children" in node)) return;
    const end = Math.min(node.children.length, next + readAhead);
    for (let i = Math.max(next, frame.readAhead); i < end; i++) {
      if (this.#isBeyond(fullKey(node.keys, i, prefix))) break;
      const reference = node.children.at(i);
      frame.readAhead = i + 1;
      // Whoever needs the node asks for it again, and is told of a failure.
      if (!passed.has(childName(reference))) this.#nodes.btreeNode(reference).catch(() => {});
    }
  }

  #isBeyond(start: Uint8Array): boolean {
    const { end } = this.#range;
    return end !== undefined && compareKeys(start, end) >= 0;
  }

  #isBefore(item: TreeItem): boolean {
    const { start } = this.#range;
    if (item.kind === "entry") return compareKeys(item.key, start) < 0;
    return item.upper !== undefined && compareKeys(item.upper, start) <= 0;
  }

  #isBehind(item: TreeItem): boolean {
    return this.#isBeyond(item.kind === "entry" ? item.key : item.lower);
  }
}

/** Names of the children of a node, by which another node can tell which it shares. */
export function childNames(node: BtreeNode): ReadonlySet<string> {
  return "children" in node ? new Set(Array.from(node.children, childName)) : none;
}

function childName({ location }: BtreeNodeReference): string {
  return location === undefined ? "" : locationName(location);
}

/** Whether two subtrees hold the same entries because they are the same bytes in the same place. */
export function isSameSubtree(a: TreeItem, b: TreeItem): boolean {
  return (
    a.kind === "subtree" &&
    b.kind === "subtree" &&
    isSameReference(a.reference.location, b.reference.location) &&
    a.reference.location.file.basePath === b.reference.location.file.basePath &&
    compareKeys(a.prefix, b.prefix) === 0
  );
}

/** Whether two values are the same: equal bytes in leaves, or the same bytes of the same file. */
export function isSameValue(a: StoredValue, b: StoredValue): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareKeys(a, b) === 0;
  return !(b instanceof Uint8Array) && isSameReference(a, b);
}

function isSameReference(a: IndirectReference, b: IndirectReference): boolean {
  return (
    a.offset === b.offset &&
    a.length === b.length &&
    (a.file === b.file || a.file.basePath + a.file.relativePath === b.file.basePath + b.file.relativePath)
  );
}

/** The range of exactly one key. */
export function justBy(key: Uint8Array): KeyRange {
  const end = new Uint8Array(key.length + 1);
  end.set(key);
  return { start: key, end };
}

function itemAt(frame: Frame, index: number): TreeItem {
  const { node, prefix } = frame;
  const key = fullKey(node.keys, index, prefix);
  if ("files" in node) return { kind: "entry", key, value: valueAt(node, index) };
  const reference = node.children.at(index);
  const shared = prefix.length + node.subtreePrefixLengths[index]!;
  return {
    kind: "subtree",
    // An entry of an interior node always names a node; only roots may be missing.
    reference: { ...reference, location: reference.location! },
    prefix: key.subarray(0, shared),
    lower: key,
    upper: index + 1 < node.keys.length ? fullKey(node.keys, index + 1, prefix) : frame.upper,
  };
}
