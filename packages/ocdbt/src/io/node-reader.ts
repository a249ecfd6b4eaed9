/**
 * Nodes and values by reference. Nodes never change, so decoded ones are kept (least recently used dropped, by bytes) and
 * need no revalidation; readers of the same node at the same time share one request; requests are bounded in number.
 * @module
 */
import { type KvStore, printKey, type ReadResult } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import {
  type DecodeNodeOptions,
  decodeBtreeNode,
  decodeVersionNode,
  MAX_NODE_BYTES,
  pathToBytes,
  printablePath,
} from "../format/index.ts";
import type {
  BtreeNode,
  DataFileId,
  IndirectReference,
  NodePlace,
  VersionNode,
  VersionNodeReference,
} from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { ByteLru } from "./byte-lru.ts";
import type { DecodeBudget } from "./decode-budget.ts";
import { nodeBytes } from "./node-bytes.ts";
import type { Semaphore } from "./semaphore.ts";
import { SharedReads } from "./shared-reads.ts";

export interface NodeReaderOptions {
  /** Decoded nodes kept in memory. */
  readonly cacheBytes: number;
  /** Bounds the requests under way. */
  readonly requests: Semaphore;
  /** Bounds the memory of nodes that are read and decoded at a time. */
  readonly budget: DecodeBudget;
}

interface Cancel {
  readonly signal?: AbortSignal;
}

export function createNodeReader(store: KvStore, options: NodeReaderOptions): NodeReader {
  return new Reader(store, options);
}

class Reader implements NodeReader {
  readonly #store: KvStore;
  readonly #requests: Semaphore;
  readonly #budget: DecodeBudget;
  readonly #cache: ByteLru<BtreeNode | VersionNode>;
  readonly #reads = new SharedReads<BtreeNode | VersionNode>();
  readonly #keys = new WeakMap<DataFileId, Uint8Array>();

  constructor(store: KvStore, options: NodeReaderOptions) {
    this.#store = store;
    this.#requests = options.requests;
    this.#budget = options.budget;
    this.#cache = new ByteLru(options.cacheBytes);
  }

  cachedBtreeNode(place: NodePlace): BtreeNode | undefined {
    const { location } = place;
    if (location === undefined) return undefined;
    const node = this.#cache.get(nodeName(location)) as BtreeNode | undefined;
    if (node !== undefined) checkHeight(node, place.height, location);
    return node;
  }

  keep({ location }: NodePlace, node: BtreeNode): void {
    if (location !== undefined) this.#cache.set(nodeName(location), node, nodeBytes(node));
  }

  async btreeNode(place: NodePlace, { signal }: Cancel = {}): Promise<BtreeNode> {
    return await this.#btreeNode(place, signal, (location) =>
      this.#budget.load(storedBytes(location), () => this.#read(location), decoderOf(location, decodeBtreeNode)),
    );
  }

  ahead(place: NodePlace): (options?: Cancel) => Promise<BtreeNode> {
    const { location } = place;
    if (location === undefined || this.cachedBtreeNode(place) !== undefined || this.#reads.has(nodeName(location))) {
      return (options) => this.btreeNode(place, options);
    }
    const stored = this.#budget.read(storedBytes(location), () => this.#read(location));
    // When nobody asks for the node, nobody is to be told.
    stored.catch(() => {});
    return ({ signal } = {}) =>
      this.#btreeNode(place, signal, async () =>
        this.#budget.decode(await stored, decoderOf(location, decodeBtreeNode)),
      );
  }

  async #btreeNode(
    { location, height }: NodePlace,
    signal: AbortSignal | undefined,
    load: (location: IndirectReference) => Promise<BtreeNode>,
  ): Promise<BtreeNode> {
    if (location === undefined) throw new TypeError("the empty tree has no node to read");
    const node = (await this.#node(location, signal, load)) as BtreeNode;
    checkHeight(node, height, location);
    return node;
  }

  /** The node from memory, or by `load`, for all who ask for it meanwhile. */
  async #node<T extends BtreeNode | VersionNode>(
    location: IndirectReference,
    signal: AbortSignal | undefined,
    load: (location: IndirectReference) => Promise<T>,
  ): Promise<BtreeNode | VersionNode> {
    const name = nodeName(location);
    return (
      this.#cache.get(name) ??
      (await this.#reads.join(name, signal, async () => {
        const node = await load(location);
        this.#cache.set(name, node, nodeBytes(node));
        return node;
      }))
    );
  }

  async versionNode(reference: VersionNodeReference, { signal }: Cancel = {}): Promise<VersionNode> {
    const { location, height, generation, arityLog2 } = reference;
    const node = (await this.#node(location, signal, () =>
      this.#budget.load(storedBytes(location), () => this.#read(location), decoderOf(location, decodeVersionNode)),
    )) as VersionNode;
    if (node.height !== height) {
      throw corrupt(location, `the version node has height ${node.height}, but ${height} where it is referred to`);
    }
    if (node.arityLog2 !== arityLog2) {
      throw corrupt(
        location,
        `the version node has arity 2^${node.arityLog2}, but 2^${arityLog2} where it is referred to`,
      );
    }
    const last = "versions" in node ? node.versions.at(-1)?.generation : node.children.at(-1)?.generation;
    if (last !== generation) {
      throw corrupt(
        location,
        `the version node ends at generation ${last}, but at ${generation} where it is referred to`,
      );
    }
    return node;
  }

  value(
    reference: IndirectReference,
    { range, signal }: Cancel & { readonly range?: { readonly offset: number; readonly length: number } } = {},
  ): Promise<Uint8Array> {
    if (range === undefined) return this.#read(reference, signal);
    const { offset, length } = range;
    if (!(offset >= 0 && length >= 0 && offset + length <= reference.length)) {
      const problem = `bytes ${offset}+${length} are not within a value of ${reference.length} bytes`;
      return Promise.reject(new RangeError(problem));
    }
    return this.#read({ file: reference.file, offset: reference.offset + offset, length }, signal);
  }

  /** The key of a data file, made once for all that is read of it. */
  #keyOf(file: DataFileId): Uint8Array {
    let key = this.#keys.get(file);
    if (key === undefined) {
      key = pathToBytes(fileName(file));
      this.#keys.set(file, key);
    }
    return key;
  }

  async #read({ file, offset, length }: IndirectReference, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    const key = this.#keyOf(file);
    const range = { offset, length };
    const options = signal === undefined ? { range } : { range, signal };
    if (!this.#requests.tryEnter()) await this.#requests.enter();
    let found: ReadResult | undefined;
    try {
      found = await this.#store.read(key, options);
    } finally {
      this.#requests.leave();
    }
    if (found === undefined) {
      throw new OcdbtError(
        "not-found",
        `data file ${printKey(key)} in ${this.#store.url} is gone, but a version of the database needs it: it was ` +
          "removed from outside, or the version expired while it was being read",
        { fields: { file: printKey(key) } },
      );
    }
    if (found.value.length !== length) {
      throw corrupt(
        { file, offset, length },
        `only ${found.value.length} of these bytes exist, the file has ${found.size}`,
      );
    }
    return found.value;
  }
}

/** Heights fall on every way down, so no tree leads back to itself: whether the node was in memory or not. */
function checkHeight(node: BtreeNode, height: number, location: IndirectReference): void {
  if (node.height === height) return;
  throw corrupt(location, `the node has height ${node.height}, but ${height} where it is referred to`);
}

/** Stored length of a node, which says how much memory reading it takes. @throws `OcdbtError` `too-large` */
export function storedBytes(location: IndirectReference): number {
  const { length } = location;
  if (length <= MAX_NODE_BYTES) return length;
  throw new OcdbtError("too-large", `${describe(location)}: a node has at most ${MAX_NODE_BYTES} bytes`, {
    fields: { length, limit: MAX_NODE_BYTES },
  });
}

function decoderOf<T>(
  location: IndirectReference,
  decode: (bytes: Uint8Array, options: DecodeNodeOptions) => Promise<T>,
): (bytes: Uint8Array) => Promise<T> {
  return (bytes) => decode(bytes, { basePath: location.file.basePath, file: describe(location) });
}

/** Names a decoded node: what its references mean depends on the base path that it is reached by. */
function nodeName(location: IndirectReference): string {
  return `${location.file.basePath.length}:${locationName(location)}`;
}

/** Names bytes of a data file. */
export function locationName({ file, offset, length }: IndirectReference): string {
  return `${file.basePath}${file.relativePath}:${offset}:${length}`;
}

export function fileName(file: DataFileId): string {
  return file.basePath + file.relativePath;
}

function describe(location: IndirectReference): string {
  return `${printablePath(fileName(location.file))} at ${location.offset}+${location.length}`;
}

function corrupt(location: IndirectReference, problem: string): OcdbtError {
  const { file, offset, length } = location;
  return new OcdbtError("corrupt", `${describe(location)}: ${problem}`, {
    fields: { file: printablePath(fileName(file)), offset, length },
  });
}
