/**
 * What a scale needs from the place its encoded chunks lie in, sharded or not.
 * @module
 */
import type { Xyz } from "./chunk-grid.ts";

/** One chunk to be stored; `null` deletes it. */
export interface EncodedChunk {
  readonly position: Xyz;
  readonly bytes: Uint8Array | null;
}

/** The chunks that are stored, and so written, as one object. */
export interface StorageUnit {
  /** Key of the object. */
  readonly key: string;
  /** Its chunks inside the grid, present or not. */
  readonly positions: readonly Xyz[];
}

export interface ChunkStore {
  /** Key of the object that holds the chunk. */
  keyOf(position: Xyz): string;
  /** Encoded bytes without any outer compression, or `undefined` when absent. */
  read(position: Xyz, signal: AbortSignal | undefined): Promise<Uint8Array | undefined>;
  has(position: Xyz, signal: AbortSignal | undefined): Promise<boolean>;
  write(chunks: AsyncIterable<EncodedChunk>, signal: AbortSignal | undefined): Promise<void>;
  /** Positions of the chunks that are present, in no particular order. */
  list(signal: AbortSignal | undefined): AsyncIterable<Xyz>;
  units(): Iterable<StorageUnit>;
}
