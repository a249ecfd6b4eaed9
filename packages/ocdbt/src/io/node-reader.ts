/**
 * Nodes and values by reference. Nodes never change, so decoded ones are kept (least recently used dropped, by bytes) and
 * need no revalidation; readers of the same node at the same time share one request; requests are bounded in number.
 * @module
 */
import { type KvStore, printKey } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { decodeBtreeNode, decodeVersionNode, pathToBytes, printablePath } from "../format/index.ts";
import type {
  BtreeNode,
  BtreeNodeReference,
  DataFileId,
  IndirectReference,
  VersionNode,
  VersionNodeReference,
} from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { ByteLru } from "./byte-lru.ts";
import type { Semaphore } from "./semaphore.ts";
import { SharedReads } from "./shared-reads.ts";

export interface NodeReaderOptions {
  /** Decoded nodes kept in memory. */
  readonly cacheBytes: number;
  /** Bounds the requests under way. */
  readonly requests: Semaphore;
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
  readonly #cache: ByteLru<BtreeNode | VersionNode>;
  readonly #reads = new SharedReads<BtreeNode | VersionNode>();

  constructor(store: KvStore, options: NodeReaderOptions) {
    this.#store = store;
    this.#requests = options.requests;
    this.#cache = new ByteLru(options.cacheBytes);
  }

  cachedBtreeNode(reference: BtreeNodeReference): BtreeNode | undefined {
    const { location } = reference;
    if (location === undefined) return undefined;
    const node = this.#cache.get(nodeName(location)) as BtreeNode | undefined;
    if (node !== undefined) checkHeight(node, reference.height, location);
    return node;
  }

  keep({ location }: BtreeNodeReference, node: BtreeNode): void {
    if (location !== undefined) this.#cache.set(nodeName(location), node, btreeNodeBytes(node));
  }

  async btreeNode(reference: BtreeNodeReference, { signal }: Cancel = {}): Promise<BtreeNode> {
    const { location } = reference;
    if (location === undefined) throw new TypeError("the empty tree has no node to read");
    const name = nodeName(location);
    const node = (this.#cache.get(name) ??
      (await this.#reads.join(name, signal, async () => {
        const bytes = await this.#read(location);
        const decoded = await decodeBtreeNode(bytes, { basePath: location.file.basePath, file: describe(location) });
        this.#cache.set(name, decoded, btreeNodeBytes(decoded));
        return decoded;
      }))) as BtreeNode;
    checkHeight(node, reference.height, location);
    return node;
  }

  async versionNode(reference: VersionNodeReference, { signal }: Cancel = {}): Promise<VersionNode> {
    const { location, height, generation } = reference;
    const name = nodeName(location);
    const node = (this.#cache.get(name) ??
      (await this.#reads.join(name, signal, async () => {
        const bytes = await this.#read(location);
        const decoded = await decodeVersionNode(bytes, { basePath: location.file.basePath, file: describe(location) });
        this.#cache.set(name, decoded, versionNodeBytes(decoded));
        return decoded;
      }))) as VersionNode;
    if (node.height !== height) {
      throw corrupt(location, `the version node has height ${node.height}, but ${height} where it is referred to`);
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

  async value(
    reference: IndirectReference,
    { range, signal }: Cancel & { readonly range?: { readonly offset: number; readonly length: number } } = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (range === undefined) return await this.#read(reference, signal);
    const { offset, length } = range;
    if (!(offset >= 0 && length >= 0 && offset + length <= reference.length)) {
      throw new RangeError(`bytes ${offset}+${length} are not within a value of ${reference.length} bytes`);
    }
    return await this.#read({ file: reference.file, offset: reference.offset + offset, length }, signal);
  }

  async #read({ file, offset, length }: IndirectReference, signal?: AbortSignal): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    const key = pathToBytes(file.basePath + file.relativePath);
    const found = await this.#requests.run(() =>
      this.#store.read(key, { range: { offset, length }, ...(signal === undefined ? {} : { signal }) }),
    );
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

/** Memory of a decoded node, roughly. */
function btreeNodeBytes(node: BtreeNode): number {
  const keys = node.keys.bytes.byteLength + node.keys.offsets.byteLength;
  if (node.height === 0) {
    const leaf = node as Extract<BtreeNode, { height: 0 }>;
    return keys + leaf.inline.byteLength + leaf.keys.length * 20 + leaf.files.length * 100;
  }
  return keys + node.keys.length * 300;
}

function versionNodeBytes(node: VersionNode): number {
  return ("versions" in node ? node.versions.length : node.children.length) * 400;
}
