/**
 * Bytes that can be read in parts: a stored object, a part of one, or bytes in memory. Decoding a shard inside a shard is
 * then the same as decoding a shard.
 * @module
 */
import { type ByteRange, type Generation, type KvStore, resolveByteRange } from "@pcg/kvstore";

interface SourceBytes {
  readonly value: Uint8Array;
  /** Length of the whole source. */
  readonly size: number;
  /** Changes with the stored object. */
  readonly generation: Generation;
}

export interface ByteSource {
  /** Key of the stored object, with the part of it; for messages, and unique within a store and generation. */
  readonly name: string;
  /** @returns `undefined` when the object is absent. */
  read(range: ByteRange | undefined, signal: AbortSignal | undefined): Promise<SourceBytes | undefined>;
}

/** The stored object was replaced between two reads that belong together; the reader starts again. */
export class ReplacedError extends Error {}

export function objectSource(store: KvStore, key: string): ByteSource {
  return {
    name: key,
    read: (range, signal) => store.read(key, { ...(range && { range }), ...(signal && { signal }) }),
  };
}

export function memorySource(name: string, bytes: Uint8Array, generation: Generation): ByteSource {
  return {
    name,
    read: async (range) => ({ value: cut(bytes, range), size: bytes.length, generation }),
  };
}

/**
 * Part of a source, which must still have this generation, or be `confirm`ed after it was read: otherwise `read` throws
 * ReplacedError.
 */
export function sliceSource(
  whole: ByteSource,
  offset: number,
  length: number,
  generation: Generation,
  confirm: (() => Promise<boolean>) | undefined,
): ByteSource {
  return {
    name: `${whole.name} (bytes ${offset} to ${offset + length})`,
    async read(range, signal) {
      const { start, end } = resolveByteRange(range, length);
      const part = await whole.read({ offset: offset + start, length: end - start }, signal);
      if (part === undefined) throw new ReplacedError(whole.name);
      if (part.generation !== generation && !(await confirm?.())) throw new ReplacedError(whole.name);
      return { value: part.value, size: length, generation };
    },
  };
}

function cut(bytes: Uint8Array, range: ByteRange | undefined): Uint8Array {
  const { start, end } = resolveByteRange(range, bytes.length);
  return bytes.subarray(start, end);
}
