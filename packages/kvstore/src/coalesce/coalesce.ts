/**
 * A store that reads neighbouring ranges in one request.
 * @module
 */
import { checkByteRange, resolveByteRange } from "../byte-range.ts";
import type { AnyReadOptions, ByteRange, Key, KvStore, ReadResult } from "../contract.ts";
import { keyBytes, keyName } from "../keys.ts";
import { onAbort } from "../on-abort.ts";
import { passOptional } from "../pass-optional.ts";
import { type MergedSpan, mergeSpans, type Span } from "./merge-ranges.ts";

export interface CoalesceOptions {
  /** Largest hole between two ranges that are read together, whose bytes are read in vain. */
  readonly maxGapBytes: number;
  /** Largest request that ranges are merged into; a range larger than that is read alone. 16 MiB unless told. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 16 << 20;

/**
 * `store` with ranges of one key read together: those asked for at once, and those that gather while a request for that key is
 * under way, sorted, merged, and cut up again. Made for many small reads of few large files over a slow connection.
 *
 * Reads with an `offset` and a `length` take part; whole values, suffixes and conditional reads go straight through. A caller who
 * aborts leaves the others alone; a request is aborted when all who wait for it are. Memory: the merged bytes, and a copy for each
 * caller.
 */
export function withCoalescedReads(store: KvStore, options: CoalesceOptions): KvStore {
  const { maxGapBytes, maxBytes = defaultMaxBytes } = options;
  if (!(maxGapBytes >= 0)) throw new RangeError(`maxGapBytes must be at least 0, not ${maxGapBytes}`);
  if (!(maxBytes >= 1)) throw new RangeError(`maxBytes must be at least 1, not ${maxBytes}`);
  const queues = new Map<string, KeyQueue>();
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: (async (key: Key, read: AnyReadOptions = {}) => {
      const { range, signal, ifNotGeneration } = read;
      if (ifNotGeneration !== undefined || !isBounded(range)) return await store.read(key, read as AnyReadOptions);
      signal?.throwIfAborted();
      checkByteRange(range);
      const bytes = keyBytes(key);
      const name = keyName(bytes);
      let queue = queues.get(name);
      if (queue === undefined) {
        queue = new KeyQueue(store, bytes.slice(), maxGapBytes, maxBytes, () => queues.delete(name));
        queues.set(name, queue);
      }
      return await queue.read(range, signal);
    }) as KvStore["read"],
    write: (key, value, write) => store.write(key, value, write),
    list: (list) => store.list(list),
    deleteRange: (range, deletion) => store.deleteRange(range, deletion),
    ...passOptional(store),
    close: () => store.close(),
  };
}

type BoundedRange = { readonly offset: number; readonly length: number };

function isBounded(range: ByteRange | undefined): range is BoundedRange {
  return range !== undefined && "offset" in range && range.length !== undefined;
}

/** One caller's part of a request. */
interface Waiting extends Span {
  readonly range: BoundedRange;
  readonly resolve: (result: ReadResult | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Called when the caller has aborted; set anew when its request departs. */
  leave: () => void;
  unfollow: () => void;
}

/** The reads of one key. */
class KeyQueue {
  readonly #store: KvStore;
  readonly #key: Uint8Array;
  readonly #maxGapBytes: number;
  readonly #maxBytes: number;
  readonly #onIdle: () => void;
  readonly #waiting = new Set<Waiting>();
  #isRunning = false;

  constructor(store: KvStore, key: Uint8Array, maxGapBytes: number, maxBytes: number, onIdle: () => void) {
    this.#store = store;
    this.#key = key;
    this.#maxGapBytes = maxGapBytes;
    this.#maxBytes = maxBytes;
    this.#onIdle = onIdle;
  }

  read(range: BoundedRange, signal: AbortSignal | undefined): Promise<ReadResult | undefined> {
    return new Promise((resolve, reject) => {
      const end = Math.min(Number.MAX_SAFE_INTEGER, range.offset + range.length);
      const one: Waiting = {
        start: range.offset,
        end,
        range,
        resolve,
        reject,
        leave: () => this.#waiting.delete(one),
        unfollow: () => {},
      };
      this.#waiting.add(one);
      one.unfollow = onAbort(signal, () => {
        one.leave();
        reject(signal!.reason);
      });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Never rejects: every failure is told to those who wait for that request. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    // Those who ask at the same time travel together.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const merged = mergeSpans([...this.#waiting], this.#maxGapBytes, this.#maxBytes);
      this.#waiting.clear();
      await Promise.all(merged.map((span) => this.#request(span)));
    }
    this.#isRunning = false;
    this.#onIdle();
  }

  async #request({ start, end, parts }: MergedSpan<Waiting>): Promise<void> {
    const controller = new AbortController();
    let left = parts.length;
    for (const part of parts) {
      part.leave = () => {
        if (--left === 0) controller.abort();
      };
    }
    try {
      const range = { offset: start, length: end - start };
      const found = await this.#store.read(this.#key, { range, signal: controller.signal });
      for (const part of parts)
        part.resolve(found === undefined ? undefined : cut(found, part.range, start, parts.length));
    } catch (error) {
      for (const part of parts) part.reject(error);
    } finally {
      for (const part of parts) part.unfollow();
    }
  }
}

/** A caller's bytes, copied unless they are all that was read. */
function cut(found: ReadResult, range: BoundedRange, offset: number, callers: number): ReadResult {
  const { start, end } = resolveByteRange(range, found.size);
  if (callers === 1) return found;
  // Beyond the end of the value there is nothing, wherever the request began.
  const value = start === end ? new Uint8Array(0) : found.value.slice(start - offset, end - offset);
  return { ...found, value };
}
