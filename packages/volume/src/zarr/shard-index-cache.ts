import type { Generation } from "@pcg/kvstore";
import type { ByteSource } from "./byte-source.ts";
import type { ShardCodec } from "./chunk-codec.ts";
import { ShardIndex, shardIndexLength } from "./shard-index.ts";

/** An index and the state of the shard it was read from. */
export interface LoadedIndex {
  readonly index: ShardIndex;
  readonly generation: Generation;
  /** Read now, not remembered: what it says of absent chunks holds. */
  readonly fresh: boolean;
}

/**
 * Shard indexes by name of their source, least recently used ones dropped beyond a number of bytes; simultaneous loads of
 * one index are one request.
 */
export class ShardIndexCache {
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #entries = new Map<string, LoadedIndex>();
  readonly #loads = new Map<string, Promise<LoadedIndex | undefined>>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The index of the shard in `source`, or `undefined` when there is no shard (which is not remembered). */
  async load(codec: ShardCodec, source: ByteSource): Promise<LoadedIndex | undefined> {
    const { name } = source;
    const cached = this.#entries.get(name);
    if (cached !== undefined) {
      this.#entries.delete(name);
      this.#entries.set(name, cached);
      return cached;
    }
    let load = this.#loads.get(name);
    if (load === undefined) {
      load = this.#read(codec, source).finally(() => this.#loads.delete(name));
      this.#loads.set(name, load);
    }
    return load;
  }

  /** Reads the index again, and tells whether it is still this one. */
  async confirm(codec: ShardCodec, source: ByteSource, index: ShardIndex): Promise<boolean> {
    return (await this.#read(codec, source))?.index.equals(index) ?? false;
  }

  /** Forgets the indexes of a stored object, also of shards inside it. */
  forget(key: string): void {
    for (const [name, { index }] of this.#entries) {
      if (name !== key && !name.startsWith(`${key} `)) continue;
      this.#entries.delete(name);
      this.#bytes -= index.byteLength;
    }
    for (const name of this.#loads.keys()) if (name === key || name.startsWith(`${key} `)) this.#loads.delete(name);
  }

  /** Without a signal: several callers may wait for the same load. */
  async #read(codec: ShardCodec, source: ByteSource): Promise<LoadedIndex | undefined> {
    const length = shardIndexLength(codec);
    const part = await source.read(codec.indexAtStart ? { offset: 0, length } : { suffixLength: length }, undefined);
    if (part === undefined) return undefined;
    const index = new ShardIndex(codec, part.value, part.size, source.name);
    const loaded = { index, generation: part.generation };
    this.#remember(source.name, { ...loaded, fresh: false });
    return { ...loaded, fresh: true };
  }

  #remember(name: string, loaded: LoadedIndex): void {
    const previous = this.#entries.get(name);
    if (previous !== undefined) this.#bytes -= previous.index.byteLength;
    this.#entries.delete(name);
    this.#entries.set(name, loaded);
    this.#bytes += loaded.index.byteLength;
    for (const [oldest, { index }] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= index.byteLength;
    }
  }
}
