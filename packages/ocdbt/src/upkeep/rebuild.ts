/**
 * The newest tree written anew: as the configuration has it, without gaps and half-empty nodes, with exact statistics. Values stay where
 * they are.
 * @module
 */
import type { Head, OcdbtDatabase } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import {
  type BtreeLeaf,
  type BtreeNode,
  type BtreeNodeReference,
  bytesToPath,
  compareBytes,
  keyAt,
  pathToBytes,
} from "../format/index.ts";
import { type CommittedTree, commitTree } from "../history/commit-tree.ts";
import { fileName, locationName } from "../io/node-reader.ts";
import type { DataFileWriter } from "../parts.ts";
import { TreeWalk } from "../view/tree-walk.ts";
import type { UpkeepOptions } from "./progress.ts";
import { TreeBuilder } from "./tree-builder.ts";

export interface RebuildOptions extends UpkeepOptions {
  /**
   * Leave out what cannot be read: damaged nodes, and keys whose values are gone. Data is lost by that, in the new version alone. Otherwise
   * the rebuild fails there.
   */
  readonly skipUnreadable?: boolean;
  /** Only count; nothing is written. */
  readonly dryRun?: boolean;
  readonly message?: string;
}

export interface RebuildResult {
  /** The new version; of a dry run the newest there is. */
  readonly head: Head | undefined;
  readonly keys: number;
  /** Keys that were left out, as far as they are counted. */
  readonly lostKeys: bigint;
}

/** Data that waits in memory to be written. */
const PENDING_BYTES = 64 * 2 ** 20;

/** Rebuilds the newest tree as a version. @throws {@link OcdbtError} `corrupt`, `not-found` unless `skipUnreadable` */
export async function rebuild(db: OcdbtDatabase, options: RebuildOptions = {}): Promise<RebuildResult> {
  const { message, signal } = options;
  let pass: Rebuild | undefined;
  const committed: CommittedTree = await commitTree(
    db,
    async (current, writer) => {
      pass = new Rebuild(db, writer, options);
      const root = await pass.run(current.root);
      return options.dryRun ? undefined : root;
    },
    { ...(message === undefined ? {} : { message }), ...(signal && { signal }) },
  );
  return { head: committed.head, keys: pass?.keys ?? 0, lostKeys: pass?.lostKeys ?? 0n };
}

class Rebuild {
  keys = 0;
  lostKeys = 0n;
  readonly #db: OcdbtDatabase;
  readonly #writer: DataFileWriter;
  readonly #options: RebuildOptions;
  readonly #builder: TreeBuilder;
  readonly #sizes = new Map<string, number>();
  readonly #visited = new Set<string>();
  #last: Uint8Array | undefined;

  constructor(db: OcdbtDatabase, writer: DataFileWriter, options: RebuildOptions) {
    this.#db = db;
    this.#writer = writer;
    this.#options = options;
    this.#builder = new TreeBuilder(db.config, writer);
  }

  async run(root: BtreeNodeReference): Promise<BtreeNodeReference> {
    const walk = new TreeWalk(root, this.#options.signal);
    if (root.location !== undefined) await this.#visit(root, new Uint8Array(0), walk);
    return await this.#builder.finish();
  }

  async #visit(reference: BtreeNodeReference, prefix: Uint8Array, walk: TreeWalk): Promise<void> {
    const { onProgress, signal } = this.#options;
    signal?.throwIfAborted();
    const node = this.#isTwice(reference, prefix) ? undefined : await this.#read(reference, prefix, walk);
    if (node === undefined) {
      this.lostKeys += reference.statistics.numKeys;
      return;
    }
    if ("children" in node) {
      for (let i = 0; i < node.keys.length; i++) {
        const shared = keyAt(node.keys, i).subarray(0, node.subtreePrefixLengths[i]!);
        await this.#visit(node.children.at(i), joined(prefix, shared), walk);
      }
      return;
    }
    await this.#leaf(node, prefix);
    if (this.#writer.pendingBytes > PENDING_BYTES) await this.#writer.flush({ ...(signal && { signal }) });
    onProgress?.({ phase: "rebuilding", done: this.keys });
  }

  async #leaf(leaf: BtreeLeaf, prefix: Uint8Array): Promise<void> {
    const count = leaf.keys.length;
    let start = 0;
    for (let i = 0; i <= count; i++) {
      if (i < count && (await this.#isUsable(leaf, i, prefix))) continue;
      if (i > start) {
        if (!this.#options.dryRun) await this.#builder.copy(leaf, start, i, prefix);
        this.keys += i - start;
        this.#last = joined(prefix, keyAt(leaf.keys, i - 1));
      }
      if (i < count) this.lostKeys++;
      start = i + 1;
    }
  }

  /** Whether an entry's key lies above all before, and, if what is lost is to be left out, whether its value is there. */
  async #isUsable(leaf: BtreeLeaf, i: number, prefix: Uint8Array): Promise<boolean> {
    const { skipUnreadable } = this.#options;
    // Within a leaf keys rise.
    if (this.#last !== undefined && compareBytes(joined(prefix, keyAt(leaf.keys, i)), this.#last) <= 0) {
      if (skipUnreadable) return false;
      throw new OcdbtError("corrupt", `a leaf of ${this.#db.url} holds keys that belong before it; see fsck`);
    }
    const file = leaf.files[leaf.valueFiles[i]!];
    if (!skipUnreadable || file === undefined) return true;
    return leaf.valueOffsets[i]! + leaf.valueLengths[i]! <= (await this.#sizeOf(fileName(file)));
  }

  async #sizeOf(path: string): Promise<number> {
    let size = this.#sizes.get(path);
    if (size === undefined) {
      const { signal } = this.#options;
      const range = { offset: 0, length: 0 };
      size = (await this.#db.parts.store.read(pathToBytes(path), { range, ...(signal && { signal }) }))?.size ?? -1;
      this.#sizes.set(path, size);
    }
    return size;
  }

  async #read(reference: BtreeNodeReference, prefix: Uint8Array, walk: TreeWalk): Promise<BtreeNode | undefined> {
    const { signal, skipUnreadable } = this.#options;
    try {
      const node = await this.#db.parts.nodes.btreeNode(reference, { ...(signal && { signal }) });
      await walk.visit(reference, node, prefix.length);
      return node;
    } catch (error) {
      if (!skipUnreadable || !isOcdbtError(error, "corrupt", "not-found", "unsupported", "too-large")) throw error;
      return undefined;
    }
  }

  /** A damaged tree may lead to the same node again and again; nothing more is to be had from it. */
  #isTwice({ location }: BtreeNodeReference, prefix: Uint8Array): boolean {
    if (!this.#options.skipUnreadable) return false;
    const name = `${locationName(location!)}:${bytesToPath(prefix)}`;
    const isTwice = this.#visited.has(name);
    this.#visited.add(name);
    return isTwice;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
