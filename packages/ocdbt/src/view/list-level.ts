/**
 * One level of the keys as a folder tree. Subtrees whose keys all lie in one folder are not read.
 * @module
 */
import {
  compareKeys,
  hasPrefix,
  isEmptyRange,
  type KeyRange,
  type ListEntry,
  prefixRange,
  prefixSuccessor,
} from "@pcg/kvstore";
import type { LevelEntry } from "../contract.ts";
import { lowerBound } from "../format/index.ts";
import type { BtreeNode, BtreeNodeReference } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { childPrefix, childrenWithin, fullKey, sideOf } from "./leaf-runs.ts";
import { checkChild, TreeWalk } from "./tree-walk.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** The same for anything that lists ranges: after each folder, the list goes on behind it. */
export async function* listLevelBySeeking(
  list: (range: KeyRange) => AsyncIterable<ListEntry>,
  prefix: Uint8Array,
  delimiter: Uint8Array,
): AsyncGenerator<LevelEntry, void, undefined> {
  checkDelimiter(delimiter);
  let range: KeyRange | undefined = prefixRange(prefix);
  while (range !== undefined && !isEmptyRange(range)) {
    let folder: Uint8Array | undefined;
    for await (const entry of list(range)) {
      folder = folderOf(entry.key, prefix, delimiter);
      if (folder !== undefined) break;
      yield { kind: "key", ...entry };
    }
    if (folder === undefined) return;
    range = behind(folder, range);
    yield { kind: "prefix", prefix: folder };
  }
}

/** What lies directly below `prefix`; folders end in `delimiter`. */
export async function* listLevel(
  root: BtreeNodeReference,
  prefix: Uint8Array,
  delimiter: Uint8Array,
  nodes: NodeReader,
  options: Cancel = {},
): AsyncGenerator<LevelEntry, void, undefined> {
  checkDelimiter(delimiter);
  if (root.location === undefined) return;
  const level = new Level(prefix, delimiter, nodes, new TreeWalk(root, options.signal), options);
  yield* level.visit(root, new Uint8Array(0), undefined);
}

class Level {
  readonly #base: Uint8Array;
  readonly #delimiter: Uint8Array;
  readonly #nodes: NodeReader;
  readonly #options: Cancel;
  readonly #walk: TreeWalk;
  /** What is left: each folder that was yielded moves the start behind it. */
  #range: KeyRange;

  constructor(base: Uint8Array, delimiter: Uint8Array, nodes: NodeReader, walk: TreeWalk, options: Cancel) {
    this.#base = base;
    this.#delimiter = delimiter;
    this.#nodes = nodes;
    this.#walk = walk;
    this.#options = options;
    this.#range = prefixRange(base);
  }

  async *visit(
    reference: BtreeNodeReference,
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    check?: (node: BtreeNode) => void,
  ): AsyncGenerator<LevelEntry, void, undefined> {
    if (isEmptyRange(this.#range) || (end !== undefined && compareKeys(end, this.#range.start) <= 0)) return;
    const folder = this.#folderOf(prefix);
    if (folder !== undefined) {
      if (sideOf(prefix, this.#range.start) <= 0) yield* this.#leave(folder);
      return;
    }
    const node = await this.#nodes.btreeNode(reference, this.#options);
    check?.(node);
    await this.#walk.visit(reference, node, prefix.length);
    if (!("children" in node)) {
      this.#walk.expectAscending(reference, node, prefix);
      yield* this.#leaf(node, prefix);
      return;
    }
    const [first, last] = childrenWithin(node.keys, prefix, this.#range);
    for (let i = first; i < last; i++) {
      const childEnd = i + 1 < node.keys.length ? fullKey(node.keys, i + 1, prefix) : end;
      const check = (child: BtreeNode): void => checkChild(node, i, child);
      yield* this.visit(node.children.at(i), childPrefix(node, i, prefix), childEnd, check);
    }
  }

  *#leaf(node: Extract<BtreeNode, { height: 0 }>, prefix: Uint8Array): Generator<LevelEntry> {
    const at = (): number => {
      const side = sideOf(prefix, this.#range.start);
      return side === 0 ? lowerBound(node.keys, this.#range.start, prefix.length) : side < 0 ? 0 : node.keys.length;
    };
    for (let i = at(); i < node.keys.length; ) {
      const key = fullKey(node.keys, i, prefix);
      if (isEmptyRange(this.#range) || (this.#range.end !== undefined && compareKeys(key, this.#range.end) >= 0))
        return;
      const folder = this.#folderOf(key);
      if (folder === undefined) {
        yield { kind: "key", key, size: node.valueLengths[i]! };
        i++;
      } else {
        yield* this.#leave(folder);
        i = at();
      }
    }
  }

  *#leave(folder: Uint8Array): Generator<LevelEntry> {
    this.#range = behind(folder, this.#range) ?? { start: folder, end: folder };
    yield { kind: "prefix", prefix: folder };
  }

  #folderOf(key: Uint8Array): Uint8Array | undefined {
    return folderOf(key, this.#base, this.#delimiter);
  }
}

function checkDelimiter(delimiter: Uint8Array): void {
  if (delimiter.length === 0) throw new RangeError("a delimiter has at least one byte");
}

/** What is left of a range behind a folder; `undefined` when nothing can be. */
function behind(folder: Uint8Array, { end }: KeyRange): KeyRange | undefined {
  const start = prefixSuccessor(folder);
  if (start === undefined) return undefined;
  return end === undefined ? { start } : { start, end };
}

/** The folder below `base` that `key` lies in, its delimiter included. */
function folderOf(key: Uint8Array, base: Uint8Array, delimiter: Uint8Array): Uint8Array | undefined {
  const last = key.length - delimiter.length;
  if (last < base.length || !hasPrefix(key, base)) return undefined;
  for (let i = base.length; i <= last; i++) {
    let k = 0;
    while (k < delimiter.length && key[i + k] === delimiter[k]) k++;
    if (k === delimiter.length) return key.slice(0, i + k);
  }
  return undefined;
}
