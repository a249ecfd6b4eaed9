/**
 * Chunks as one file each: `<scale key>/x0-x1_y0-y1_z0-z1`.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { ChunkGrid, Xyz } from "./chunk-grid.ts";
import type { ChunkStore, EncodedChunk, StorageUnit } from "./chunk-store.ts";
import { StoredFiles } from "./stored-files.ts";

/** Files in flight at a time while writing. */
const WRITES_IN_FLIGHT = 8;

export class UnshardedChunks implements ChunkStore {
  private readonly files: StoredFiles;
  private readonly folder: string;
  private readonly grid: ChunkGrid;
  private readonly maxBytes: (size: Xyz) => number;
  private readonly isRaw: boolean;

  /** @param maxBytes most bytes a chunk of this many voxels can have; exact when `isRaw` */
  constructor(store: KvStore, folder: string, grid: ChunkGrid, maxBytes: (size: Xyz) => number, isRaw: boolean) {
    this.files = new StoredFiles(store);
    this.folder = folder;
    this.grid = grid;
    this.maxBytes = maxBytes;
    this.isRaw = isRaw;
  }

  keyOf(position: Xyz): string {
    return this.folder + this.grid.chunkName(position);
  }

  async read(position: Xyz, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const maxBytes = this.maxBytes(this.grid.chunkShape(position));
    // Raw voxels may begin like gzip by chance, but then the length is right; no other encoding begins like that.
    const mayBeGzip = (length: number): boolean => !this.isRaw || length !== maxBytes;
    return (await this.files.read(this.keyOf(position), maxBytes, { signal, mayBeGzip }))?.bytes;
  }

  has(position: Xyz, signal: AbortSignal | undefined): Promise<boolean> {
    return this.files.has(this.keyOf(position), signal);
  }

  async write(chunks: AsyncIterable<EncodedChunk>, signal: AbortSignal | undefined): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    try {
      for await (const { position, bytes } of chunks) {
        signal?.throwIfAborted();
        const job: Promise<void> = this.files
          .write(this.keyOf(position), bytes, { signal })
          .then(
            () => undefined,
            (error: unknown) => {
              failure ??= { error };
            },
          )
          .finally(() => inFlight.delete(job));
        inFlight.add(job);
        if (inFlight.size >= WRITES_IN_FLIGHT) await Promise.race(inFlight);
        if (failure !== undefined) break;
      }
    } finally {
      // Also when the source fails: nothing may be written once the caller knows.
      await Promise.all(inFlight);
    }
    if (failure !== undefined) throw failure.error;
  }

  async *list(signal: AbortSignal | undefined): AsyncIterable<Xyz> {
    let previous: string | undefined;
    for await (const name of this.files.list(this.folder, signal)) {
      // The plain and the compressed file of one chunk follow each other.
      if (name === previous) continue;
      previous = name;
      const position = this.grid.parseChunkName(name);
      if (position !== undefined) yield position;
    }
  }

  *units(): Iterable<StorageUnit> {
    for (const position of this.grid.chunks()) yield { key: this.keyOf(position), positions: [position] };
  }
}
