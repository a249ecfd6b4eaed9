/**
 * The chunks of a sharded scale. A chunk's id is its compressed Morton code; a shard is one object and one write.
 * @module
 */
import { compressedMorton, mortonBits, mortonPosition } from "@pcg/codecs/morton";
import type { KvStore } from "@pcg/kvstore";
import type { ChunkGrid, Xyz } from "../chunk-grid.ts";
import type { ChunkStore, EncodedChunk, StorageUnit } from "../chunk-store.ts";
import { corrupt, namingKey, PrecomputedError } from "../errors.ts";
import { signalOf } from "../stored-files.ts";
import { ShardBuilder, storedValues } from "./builder.ts";
import { shardBox, shardShape, shardsOf } from "./geometry.ts";
import { ShardedReader } from "./reader.ts";
import { locate, type ShardingSpec } from "./spec.ts";

/** How often others may win the race for a shard; each loss means that one of them got on. */
const MAX_ATTEMPTS = 100;

/** Chunks of one shard on their way into it. */
interface Changes {
  readonly shard: bigint;
  readonly builder: ShardBuilder;
  readonly deleted: Set<bigint>;
  /** Chunks of the grid in this shard, when that is known. */
  readonly wanted: number | undefined;
}

export class ShardedChunks implements ChunkStore {
  private readonly store: KvStore;
  private readonly grid: ChunkGrid;
  private readonly spec: ShardingSpec;
  private readonly maxBytes: (size: Xyz) => number;
  private readonly reader: ShardedReader;
  private readonly shape: Xyz | undefined;
  /** Last change of each shard under way, so that our own writers queue instead of racing each other. */
  private readonly merging = new Map<bigint, Promise<void>>();

  constructor(
    store: KvStore,
    folder: string,
    grid: ChunkGrid,
    spec: ShardingSpec,
    maxBytes: (size: Xyz) => number,
    indexCacheBytes: number | undefined,
  ) {
    mortonBits(grid.shape);
    this.store = store;
    this.grid = grid;
    this.spec = spec;
    this.maxBytes = maxBytes;
    this.reader = new ShardedReader(store, folder, spec, { indexCacheBytes });
    this.shape = shardShape(grid.shape, spec);
  }

  keyOf(position: Xyz): string {
    return this.reader.shardKey(locate(this.spec, this.idOf(position)).shard);
  }

  read(position: Xyz, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return this.reader.read(this.idOf(position), this.maxBytes(this.grid.chunkShape(position)), { signal });
  }

  has(position: Xyz, signal: AbortSignal | undefined): Promise<boolean> {
    return this.reader.has(this.idOf(position), { signal });
  }

  async *list(signal: AbortSignal | undefined): AsyncIterable<Xyz> {
    for await (const id of this.reader.list({ signal })) {
      let position: Xyz;
      try {
        position = mortonPosition(this.grid.shape, id);
      } catch (cause) {
        throw corrupt(
          `shards hold chunk id ${id}, which the grid of ${this.grid.shape.join(" x ")} chunks has not`,
          {},
          cause,
        );
      }
      yield position;
    }
  }

  *units(): Iterable<StorageUnit> {
    for (const { shard, positions } of shardsOf(this.grid, this.spec)) {
      yield { key: this.reader.shardKey(shard), positions };
    }
  }

  async write(chunks: AsyncIterable<EncodedChunk>, signal: AbortSignal | undefined): Promise<void> {
    const open = new Map<bigint, Changes>();
    for await (const { position, bytes } of chunks) {
      const id = this.idOf(position);
      const { shard } = locate(this.spec, id);
      let changes = open.get(shard);
      if (changes === undefined) {
        const wanted = this.chunksInShard(position);
        changes = { shard, builder: new ShardBuilder(this.spec, shard), deleted: new Set(), wanted };
        open.set(shard, changes);
      }
      if (bytes === null) {
        changes.builder.delete(id);
        changes.deleted.add(id);
      } else {
        changes.deleted.delete(id);
        changes.builder.add(id, bytes);
      }
      if (changes.builder.size + changes.deleted.size === changes.wanted) {
        open.delete(shard);
        await this.publish(changes, signal);
      }
    }
    for (const changes of open.values()) await this.publish(changes, signal);
  }

  private idOf(position: Xyz): bigint {
    return compressedMorton(this.grid.shape, position);
  }

  private chunksInShard(position: Xyz): number | undefined {
    if (this.shape === undefined) return undefined;
    const { begin, end } = shardBox(this.grid.shape, this.shape, position);
    return (end[0] - begin[0]) * (end[1] - begin[1]) * (end[2] - begin[2]);
  }

  private publish(changes: Changes, signal: AbortSignal | undefined): Promise<void> {
    const { shard } = changes;
    const before = this.merging.get(shard) ?? Promise.resolve();
    const mine = before.then(
      () => this.publishNow(changes, signal),
      () => this.publishNow(changes, signal),
    );
    this.merging.set(shard, mine);
    return mine.finally(() => {
      if (this.merging.get(shard) === mine) this.merging.delete(shard);
    });
  }

  private async publishNow(
    { shard, builder, deleted, wanted }: Changes,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    const key = this.reader.shardKey(shard);
    try {
      if (builder.size + deleted.size === wanted) {
        await this.store.write(key, builder.size === 0 ? null : builder.build(), signalOf(signal));
      } else {
        await this.merge(key, shard, builder, deleted, signal);
      }
    } finally {
      this.reader.forget(shard);
    }
  }

  /** Puts the changes into the shard as it is, unless it changes meanwhile: then into that. */
  private async merge(
    key: string,
    shard: bigint,
    changes: ShardBuilder,
    deleted: ReadonlySet<bigint>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.store.capabilities.conditionalWrites !== true) {
      throw new PrecomputedError(
        "UNSUPPORTED",
        `${key}: changing part of a shard needs a store with conditional writes, ${this.store.url} has none; write all chunks of the shard in one call`,
        { key },
      );
    }
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const current = await this.store.read(key, signalOf(signal));
      if (current === undefined) await this.refuseLegacy(key, signal);
      const merged = new ShardBuilder(this.spec, shard);
      if (current !== undefined) this.addExisting(merged, key, current.value);
      for (const id of deleted) merged.delete(id);
      for (const { id, stored } of changes.values()) merged.addStored(id, stored);
      if (current === undefined && merged.size === 0) return;
      const { written } = await this.store.write(key, merged.size === 0 ? null : merged.build(), {
        ifGeneration: current?.generation ?? null,
        ...signalOf(signal),
      });
      if (written) return;
    }
    throw new PrecomputedError(
      "CONFLICT",
      `${key}: changed by others ${MAX_ATTEMPTS} times while we tried to add to it; ours was not written`,
      { key },
    );
  }

  private addExisting(merged: ShardBuilder, key: string, file: Uint8Array): void {
    try {
      for (const { id, stored } of storedValues(this.spec, file)) {
        if (locate(this.spec, id).shard !== merged.shard) throw corrupt(`value ${id} does not belong into this shard`);
        merged.addStored(id, stored);
      }
    } catch (error) {
      throw namingKey(error, key);
    }
  }

  private async refuseLegacy(key: string, signal: AbortSignal | undefined): Promise<void> {
    const legacy = key.replace(/\.shard$/, ".index");
    if ((await this.store.read(legacy, { range: { offset: 0, length: 1 }, ...signalOf(signal) })) === undefined) return;
    throw new PrecomputedError(
      "UNSUPPORTED",
      `${legacy}: shards in the old layout (.index and .data) are only read; write all chunks of the shard in one call to replace it`,
      { key: legacy },
    );
  }
}
