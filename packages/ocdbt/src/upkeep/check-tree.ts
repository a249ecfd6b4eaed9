/**
 * Checks B+trees: every node can be read, is what its parent says, and refers to bytes that are there. A node that several versions
 * share is checked once.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { isOcdbtError } from "../errors.ts";
import {
  addStatistics,
  type BtreeInterior,
  type BtreeLeaf,
  type BtreeNode,
  type BtreeNodeReference,
  compareBytes,
  decodeBtreeNode,
  type IndirectReference,
  type KeyColumn,
  keyAt,
  MAX_KEY_BYTES,
  NO_STATISTICS,
  type NodeStatistics,
  nodeStatistics,
  pathToBytes,
  printablePath,
  sameStatistics,
} from "../format/index.ts";
import type { DecodeBudget } from "../io/decode-budget.ts";
import { fileName, locationName, storedBytes } from "../io/node-reader.ts";
import type { Semaphore } from "../io/semaphore.ts";
import type { FileUsage } from "./file-usage.ts";
import type { FindingCode, Findings } from "./findings.ts";

/** What is known of a subtree. */
interface SubtreeFacts {
  /** As they should be. */
  readonly statistics: NodeStatistics;
  /** Relative to the node. */
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  readonly longestKey: number;
  /** Everything in it can be read, and is in its place. */
  readonly isSound: boolean;
}

/** What a check of several trees shares. */
export interface TreeCheckContext {
  readonly store: KvStore;
  readonly requests: Semaphore;
  readonly budget: DecodeBudget;
  readonly findings: Findings;
  readonly usage: FileUsage;
  /** Sizes of files; asked for as needed. `undefined`: the file is gone. */
  readonly sizeOf: (path: string) => Promise<number | undefined>;
  readonly onNode?: () => void;
  readonly signal?: AbortSignal;
}

/** Checks trees that may share nodes. Memory grows with the number of nodes. */
export class TreeCheck {
  readonly #context: TreeCheckContext;
  readonly #checked = new Map<string, Promise<SubtreeFacts | undefined>>();
  readonly #told = new Set<string>();

  constructor(context: TreeCheckContext) {
    this.#context = context;
  }

  get nodes(): number {
    return this.#checked.size;
  }

  /** Whether the tree of a version is sound. */
  async check(root: BtreeNodeReference, generation: bigint): Promise<boolean> {
    if (root.location === undefined) {
      if (root.height !== 0 || !sameStatistics(root.statistics, NO_STATISTICS)) {
        this.#context.findings.add("statistics", `generation ${generation} is empty, but counts keys`, { generation });
      }
      return true;
    }
    const facts = await this.#subtree(root, generation);
    if (facts === undefined) return false;
    this.#compare(root, facts, generation);
    return this.#hasKeysInLimit(root, facts, generation) && facts.isSound;
  }

  #subtree(reference: BtreeNodeReference, generation: bigint): Promise<SubtreeFacts | undefined> {
    const location = reference.location!;
    const name = nodeName(reference);
    let checked = this.#checked.get(name);
    if (checked === undefined) {
      checked = this.#read(location, reference.height, generation);
      this.#checked.set(name, checked);
    }
    return checked;
  }

  async #read(location: IndirectReference, height: number, generation: bigint): Promise<SubtreeFacts | undefined> {
    const { budget, findings, usage, onNode, signal } = this.#context;
    signal?.throwIfAborted();
    const path = fileName(location.file);
    if (!(await this.#isThere(path, location.offset + location.length, generation))) return undefined;
    usage.add(path, location.offset, location.length);
    let node: BtreeNode;
    try {
      node = await budget.load(
        storedBytes(location),
        () => this.#bytes(path, location),
        (bytes) => decodeBtreeNode(bytes, { basePath: location.file.basePath, file: describe(location) }),
      );
    } catch (error) {
      if (!isOcdbtError(error)) throw error;
      findings.add("node-damaged", error.message, { file: printablePath(path), generation });
      return undefined;
    }
    onNode?.();
    // Heights fall on the way down, so no tree leads back to itself.
    if (node.height !== height) {
      const message = `${describe(location)} has height ${node.height} where one of ${height} is referred to`;
      findings.add("node-misplaced", message, { file: printablePath(path), generation });
      return undefined;
    }
    return "children" in node
      ? await this.#interior(node, location, generation)
      : await this.#leaf(node, location, generation);
  }

  async #leaf(leaf: BtreeLeaf, location: IndirectReference, generation: bigint): Promise<SubtreeFacts> {
    const { usage } = this.#context;
    const ends = new Float64Array(leaf.files.length);
    const paths = leaf.files.map(fileName);
    for (let i = 0; i < leaf.keys.length; i++) {
      const file = leaf.valueFiles[i]!;
      const length = leaf.valueLengths[i]!;
      if (file < 0 || length === 0) continue;
      const offset = leaf.valueOffsets[i]!;
      ends[file] = Math.max(ends[file]!, offset + length);
      usage.add(paths[file]!, offset, length);
    }
    let isSound = true;
    for (const [i, path] of paths.entries()) {
      if (ends[i]! > 0 && !(await this.#isThere(path, ends[i]!, generation))) isSound = false;
    }
    return {
      statistics: nodeStatistics(leaf, location.length),
      firstKey: keyAt(leaf.keys, 0).slice(),
      lastKey: keyAt(leaf.keys, leaf.keys.length - 1).slice(),
      longestKey: longest(leaf.keys),
      isSound,
    };
  }

  async #interior(node: BtreeInterior, location: IndirectReference, generation: bigint): Promise<SubtreeFacts> {
    const children = await this.#subtrees(node, generation);
    let statistics: NodeStatistics = { ...NO_STATISTICS, numTreeBytes: BigInt(location.length) };
    let isSound = true;
    let longestKey = longest(node.keys);
    for (const [i, facts] of children.entries()) {
      const reference = node.children.at(i);
      statistics = addStatistics(statistics, facts?.statistics ?? reference.statistics);
      if (facts === undefined) {
        isSound = false;
        continue;
      }
      longestKey = Math.max(longestKey, node.subtreePrefixLengths[i]! + facts.longestKey);
      this.#compare(reference, facts, generation);
      if (!facts.isSound || !this.#isPlaced(node, i, facts, generation)) isSound = false;
    }
    const last = node.keys.length - 1;
    const lastPrefix = keyAt(node.keys, last).subarray(0, node.subtreePrefixLengths[last]!);
    return {
      statistics,
      firstKey: keyAt(node.keys, 0).slice(),
      // Longer ones are a finding at the root; here they would only grow from level to level.
      lastKey: joined(
        lastPrefix,
        children[last]?.lastKey ?? keyAt(node.keys, last).subarray(lastPrefix.length),
      ).subarray(0, MAX_KEY_BYTES + 1),
      longestKey,
      isSound,
    };
  }

  /** Leaves are read many at a time, what is above them one after the other: so one node per level is in memory. */
  async #subtrees(node: BtreeInterior, generation: bigint): Promise<(SubtreeFacts | undefined)[]> {
    if (node.height === 1) {
      return await Promise.all(Array.from(node.children, (child) => this.#subtree(child, generation)));
    }
    const children: (SubtreeFacts | undefined)[] = [];
    for (const child of node.children) children.push(await this.#subtree(child, generation));
    return children;
  }

  /** Whether the keys of child `i` lie between its entry's and the next one's. */
  #isPlaced(node: BtreeInterior, i: number, facts: SubtreeFacts, generation: bigint): boolean {
    const reference = node.children.at(i);
    const where = describe(reference.location!);
    const key = keyAt(node.keys, i);
    const prefix = key.subarray(0, node.subtreePrefixLengths[i]!);
    let problem: string | undefined;
    if (compareBytes(facts.firstKey, key.subarray(prefix.length)) < 0) {
      problem = "begins before the key of its entry";
    } else if (i + 1 < node.keys.length && compareBytes(joined(prefix, facts.lastKey), keyAt(node.keys, i + 1)) >= 0) {
      problem = "reaches into its neighbour's keys";
    }
    if (problem === undefined) return true;
    const file = printablePath(fileName(reference.location!.file));
    this.#context.findings.add("node-misplaced", `${where} ${problem}`, { file, generation });
    return false;
  }

  #hasKeysInLimit({ location }: BtreeNodeReference, { longestKey }: SubtreeFacts, generation: bigint): boolean {
    if (longestKey <= MAX_KEY_BYTES) return true;
    const message = `below ${describe(location!)} a key is ${longestKey} bytes long, at most ${MAX_KEY_BYTES} are allowed`;
    this.#context.findings.add("node-misplaced", message, {
      file: printablePath(fileName(location!.file)),
      generation,
    });
    return false;
  }

  #compare(reference: BtreeNodeReference, facts: SubtreeFacts, generation: bigint): void {
    if (sameStatistics(reference.statistics, facts.statistics)) return;
    const { statistics: says } = reference;
    const { statistics: is } = facts;
    const numbers = (s: NodeStatistics): string =>
      `${s.numKeys} keys, ${s.numTreeBytes} tree bytes, ${s.numIndirectValueBytes} value bytes`;
    this.#context.findings.add(
      "statistics",
      `a reference to ${describe(reference.location!)} counts ${numbers(says)}; there are ${numbers(is)}`,
      { file: printablePath(fileName(reference.location!.file)), generation },
    );
  }

  async #isThere(path: string, end: number, generation: bigint): Promise<boolean> {
    const size = await this.#context.sizeOf(path);
    if (size !== undefined && end <= size) return true;
    const file = printablePath(path);
    if (size === undefined) {
      this.#tellOnce("file-missing", `data file ${file} is gone`, path, generation);
    } else {
      this.#tellOnce("out-of-bounds", `${file} has ${size} bytes, ${end} are referred to`, path, generation);
    }
    return false;
  }

  #tellOnce(code: FindingCode, message: string, path: string, generation: bigint): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#context.findings.add(code, message, { file: printablePath(path), generation });
  }

  async #bytes(path: string, { offset, length }: IndirectReference): Promise<Uint8Array> {
    const { store, requests, signal } = this.#context;
    const found = await requests.run(() =>
      store.read(pathToBytes(path), { range: { offset, length }, ...(signal && { signal }) }),
    );
    return found?.value ?? new Uint8Array(0);
  }
}

/** The same bytes mean something else when they are reached by another base path, or taken for another height. */
function nodeName({ location, height }: BtreeNodeReference): string {
  return `${height}:${location!.file.basePath.length}:${locationName(location!)}`;
}

export function describe({ file, offset, length }: IndirectReference): string {
  return `${printablePath(fileName(file))} at ${offset}+${length}`;
}

function longest({ length, offsets }: KeyColumn): number {
  let most = 0;
  for (let i = 0; i < length; i++) most = Math.max(most, offsets[i + 1]! - offsets[i]!);
  return most;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
