/**
 * Compaction: what the newest version needs of data files that are mostly unused is written once more, close together. It is done by normal
 * commits; the old files go when the versions before have expired and a sweep has come by.
 * @module
 */
import type { Mutation, OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import {
  type BtreeLeaf,
  type BtreeNodeReference,
  type IndirectReference,
  keyAt,
  type Manifest,
  pathToBytes,
} from "../format/index.ts";
import { fileName } from "../io/node-reader.ts";
import { generationOf, valueAt } from "../view/generation.ts";
import { TreeWalk } from "../view/tree-walk.ts";
import { changeHistory } from "./change-history.ts";
import { FileUsage } from "./file-usage.ts";
import { dataPrefixOf, ownPrefixes } from "./own-files.ts";
import type { UpkeepOptions } from "./progress.ts";
import { pruneVersions } from "./prune-versions.ts";

export interface CompactOptions extends UpkeepOptions {
  /** Files of which less than this part is needed by the newest version are emptied; 0 to 1, default 0.5. */
  readonly liveRatio?: number;
  /** Look only. */
  readonly dryRun?: boolean;
  /** Value bytes that are moved in one commit, and held in memory. Default 32 MiB. */
  readonly batchBytes?: number;
}

export interface CompactResult {
  /** Files of which the newest version, and the history, need nothing any more (or would not). */
  readonly files: number;
  /** Their size. */
  readonly fileBytes: number;
  /** Value bytes that were moved, or would be. */
  readonly movedBytes: number;
  /** Keys whose leaf was written anew. */
  readonly keys: number;
}

/**
 * Empties sparse files. Every commit is complete in itself: interrupted, what was moved stays moved. A key that somebody changes meanwhile is
 * left as they made it.
 *
 * @example await compact(db, { liveRatio: 0.3 })
 */
export async function compact(db: OcdbtDatabase, options: CompactOptions = {}): Promise<CompactResult> {
  const { liveRatio = 0.5, dryRun, signal } = options;
  if (!(liveRatio >= 0 && liveRatio <= 1)) {
    throw new OcdbtError("bad-spec", `liveRatio is ${liveRatio}, expected a number from 0 to 1`, {
      fields: { liveRatio },
    });
  }
  const stored = await db.parts.manifests.read({ maxStalenessMs: 0, ...(signal && { signal }) });
  const newest = stored?.manifest.versions.at(-1);
  if (stored === undefined || newest === undefined) return { files: 0, fileBytes: 0, movedBytes: 0, keys: 0 };
  const plan = new Compaction(db, options);
  const sparse = await plan.findSparse(stored.manifest, newest.root, liveRatio);
  const totals = { files: sparse.size, fileBytes: [...sparse.values()].reduce((sum, size) => sum + size, 0) };
  if (sparse.size > 0) {
    await plan.move(newest.root, sparse);
    if (!dryRun) await moveVersionNodes(db, sparse, signal);
  }
  return { ...totals, movedBytes: plan.movedBytes, keys: plan.keys };
}

class Compaction {
  movedBytes = 0;
  keys = 0;
  readonly #db: OcdbtDatabase;
  readonly #options: CompactOptions;
  #mutations: Mutation[] = [];
  #waiting: { readonly key: Uint8Array; readonly value: IndirectReference }[] = [];
  #waitingBytes = 0;

  constructor(db: OcdbtDatabase, options: CompactOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** Own files with too little in use, and their sizes. */
  async findSparse(
    manifest: Manifest,
    root: BtreeNodeReference,
    liveRatio: number,
  ): Promise<ReadonlyMap<string, number>> {
    const { parts } = this.#db;
    const { signal, onProgress } = this.#options;
    const usage = new FileUsage();
    const use = ({ file, offset, length }: IndirectReference): void => {
      // What is reached through a base path is another database's.
      if (file.basePath === "" && length > 0) usage.add(fileName(file), offset, length);
    };
    let keys = 0;
    await this.#leaves(root, new Uint8Array(0), use, async (leaf) => {
      for (let i = 0; i < leaf.keys.length; i++) {
        const value = valueAt(leaf, i);
        if (!(value instanceof Uint8Array)) use(value);
      }
      keys += leaf.keys.length;
      onProgress?.({ phase: "measuring", done: keys });
    });
    await this.#versionNodes(manifest, use);
    const prefixes = ownPrefixes(parts);
    const sparse = new Map<string, number>();
    for (const path of usage.paths) {
      const prefix = dataPrefixOf(path);
      if (prefix === undefined || !prefixes.has(prefix)) continue;
      const range = { offset: 0, length: 0 };
      const found = await parts.store.read(pathToBytes(path), { range, ...(signal && { signal }) });
      if (found !== undefined && usage.bytes(path) < found.size * liveRatio) sparse.set(path, found.size);
    }
    return sparse;
  }

  /** Moves what is in sparse files: values, and leaves with their nodes above, by writing one of their keys again. */
  async move(root: BtreeNodeReference, sparse: ReadonlyMap<string, number>): Promise<void> {
    const isSparse = ({ file }: IndirectReference): boolean => file.basePath === "" && sparse.has(fileName(file));
    const { batchBytes = 32 * 2 ** 20 } = this.#options;
    // The next leaf below a sparse interior node is rewritten, and with it all above.
    let nodeIsSparse = false;
    const onNode = (location: IndirectReference): void => {
      if (isSparse(location)) nodeIsSparse = true;
    };
    await this.#leaves(root, new Uint8Array(0), onNode, async (leaf, prefix) => {
      let touched = !nodeIsSparse;
      nodeIsSparse = false;
      for (let i = 0; i < leaf.keys.length; i++) {
        const value = valueAt(leaf, i);
        const moves = !(value instanceof Uint8Array) && value.length > 0 && isSparse(value);
        if (!moves) continue;
        touched = true;
        this.#waiting.push({ key: joined(prefix, keyAt(leaf.keys, i)), value });
        this.#waitingBytes += value.length;
      }
      if (!touched) this.#touch(leaf, prefix);
      if (this.#waitingBytes >= batchBytes || this.#mutations.length + this.#waiting.length >= 10_000)
        await this.#commit();
    });
    await this.#commit();
  }

  /** The same value once more: writes the leaf anew. */
  #touch(leaf: BtreeLeaf, prefix: Uint8Array): void {
    const value = valueAt(leaf, 0);
    const key = joined(prefix, keyAt(leaf.keys, 0));
    const copy = value instanceof Uint8Array ? value.slice() : value;
    this.#mutations.push({ op: "put", key, value: copy, ifGeneration: generationOf(value) });
  }

  async #commit(): Promise<void> {
    const { signal, dryRun, onProgress } = this.#options;
    const { parts } = this.#db;
    const waiting = this.#waiting;
    const mutations = this.#mutations;
    this.#waiting = [];
    this.#mutations = [];
    this.#waitingBytes = 0;
    this.keys += waiting.length + mutations.length;
    for (const { value } of waiting) this.movedBytes += value.length;
    if (dryRun || waiting.length + mutations.length === 0) return;
    const writer = parts.newDataFileWriter();
    for (const { key, value } of waiting) {
      const bytes = await parts.nodes.value(value, { ...(signal && { signal }) });
      mutations.push({ op: "put", key, value: writer.append(bytes, "value"), ifGeneration: generationOf(value) });
    }
    await writer.flush({ ...(signal && { signal }) });
    await parts.committer.commit(mutations, { atomic: false, ...(signal && { signal }) });
    onProgress?.({ phase: "moving", done: this.movedBytes });
  }

  /** Visits leaves in the order of their keys; `onNode` sees every node before what is below it. */
  async #leaves(
    reference: BtreeNodeReference,
    prefix: Uint8Array,
    onNode: (location: IndirectReference) => void,
    onLeaf: (leaf: BtreeLeaf, prefix: Uint8Array) => Promise<void>,
    walk: TreeWalk = new TreeWalk(reference, this.#options.signal),
  ): Promise<void> {
    if (reference.location === undefined) return;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    onNode(reference.location);
    const node = await this.#db.parts.nodes.btreeNode(reference, { ...(signal && { signal }) });
    await walk.visit(reference, node, prefix.length);
    if (!("children" in node)) {
      walk.expectAscending(reference, node, prefix);
      await onLeaf(node, prefix);
      return;
    }
    for (let i = 0; i < node.keys.length; i++) {
      const childPrefix = joined(prefix, keyAt(node.keys, i).subarray(0, node.subtreePrefixLengths[i]!));
      await this.#leaves(node.children.at(i), childPrefix, onNode, onLeaf, walk);
    }
  }

  async #versionNodes(manifest: Manifest, use: (location: IndirectReference) => void): Promise<void> {
    const { nodes } = this.#db.parts;
    const { signal } = this.#options;
    const pending = [...manifest.versionNodes];
    for (let reference = pending.pop(); reference !== undefined; reference = pending.pop()) {
      use(reference.location);
      if (reference.height === 0) continue;
      const node = await nodes.versionNode(reference, { ...(signal && { signal }) });
      if ("children" in node) pending.push(...node.children);
    }
  }
}

/** Version-tree nodes in sparse files, and those above them, are written anew. */
async function moveVersionNodes(
  db: OcdbtDatabase,
  sparse: ReadonlyMap<string, number>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { nodes } = db.parts;
  const rules = {
    keeps: () => true,
    decide: () => "all" as const,
    moves: ({ file }: IndirectReference) => file.basePath === "" && sparse.has(fileName(file)),
  };
  await changeHistory(
    db,
    async (current, writer) => await pruneVersions(current, rules, { nodes, writer, ...(signal && { signal }) }),
    { ...(signal && { signal }) },
  );
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
