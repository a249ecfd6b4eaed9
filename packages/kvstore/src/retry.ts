/**
 * A store that tries again.
 * @module
 */
import type {
  AnyReadOptions,
  Generation,
  Key,
  KvStore,
  ListEntry,
  ListOptions,
  ReadResult,
  WriteOptions,
  WriteResult,
} from "./contract.ts";
import { isKvStoreError, KvStoreError } from "./errors.ts";
import { intersectRanges, isEmptyRange, joinKeys, keyBytes, listRange, printKey } from "./keys.ts";
import { passOptional } from "./pass-optional.ts";
import { pause } from "./pause.ts";

/** One failed attempt that is followed by another. */
export interface RetryRecord {
  readonly operation: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

export interface RetryOptions {
  /** Tries in all; 6 unless told, which with the delays below spans some six seconds. */
  readonly attempts?: number;
  /** Mean delay after the first failure, in ms; 200 unless told. It doubles each time; each delay is random, 0 to twice that. */
  readonly baseDelayMs?: number;
  /** Longest delay, in ms; 10 000 unless told. A longer wait demanded by the server (`Retry-After`) is honoured. */
  readonly maxDelayMs?: number;
  /** Which errors pass by themselves; {@link KvStoreError} `transient` unless told. */
  readonly isTransient?: (error: unknown) => boolean;
  /**
   * The caller promises that no two conditional writes to a key carry equal bytes (each holds an id of its own), so that finding
   * one's bytes after a lost answer proves success.
   */
  readonly uniqueValues?: boolean;
  readonly onRetry?: (record: RetryRecord) => void;
}

/**
 * `store` with transient failures tried again, with jittered exponential delays.
 *
 * - Reads and `deleteRange` repeat; a list goes on after the last key it yielded.
 * - An unconditional write repeats, since the same bytes written twice are the same bytes. When it was applied before its
 *   answer was lost, a write of somebody else in between is overwritten again.
 * - A conditional write whose answer is lost is never guessed about. The key is read back: still at the expected generation,
 *   the write is tried again; bytes that only this call can have written ({@link RetryOptions.uniqueValues}) are success;
 *   anything else rejects with `ambiguous`, and the caller must look for its write by its own means.
 */
export function withRetry(store: KvStore, options: RetryOptions = {}): KvStore {
  const retry = new Retry(store, options);
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: ((key: Key, read: AnyReadOptions = {}) =>
      retry.run(`read of ${printKey(key)}`, read.signal, () => store.read(key, read))) as KvStore["read"],
    write: (key, value, write = {}) =>
      write.ifGeneration === undefined
        ? retry.run(`write of ${printKey(key)}`, write.signal, () => store.write(key, value, write))
        : retry.writeIf(key, value, { ...write, ifGeneration: write.ifGeneration }),
    list: (list) => retry.list(list),
    deleteRange: (range, { signal } = {}) =>
      retry.run("deleteRange", signal, () => store.deleteRange(range, signal === undefined ? {} : { signal })),
    ...passOptional(store),
    close: () => store.close(),
  };
}

class Retry {
  readonly #store: KvStore;
  readonly #options: Required<Omit<RetryOptions, "onRetry">> & Pick<RetryOptions, "onRetry">;

  constructor(store: KvStore, options: RetryOptions) {
    this.#store = store;
    this.#options = {
      attempts: 6,
      baseDelayMs: 200,
      maxDelayMs: 10_000,
      isTransient: (error) => isKvStoreError(error, "transient"),
      uniqueValues: false,
      ...options,
    };
    if (!(this.#options.attempts >= 1)) throw new RangeError(`attempts must be at least 1, not ${options.attempts}`);
  }

  async run<T>(operation: string, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        await this.#pauseOrThrow(operation, tries, error, signal);
      }
    }
  }

  async writeIf(
    key: Key,
    value: Uint8Array | null,
    options: WriteOptions & { readonly ifGeneration: Generation | null },
  ): Promise<WriteResult> {
    const { ifGeneration, signal } = options;
    const operation = `conditional write of ${printKey(key)}`;
    let mayBeApplied = false;
    for (let tries = 1; ; tries++) {
      let failure: unknown;
      try {
        const result = await this.#store.write(key, value, options);
        if (result.written || !mayBeApplied) return result;
      } catch (error) {
        if (!this.#options.isTransient(error)) {
          if (mayBeApplied && !signal?.aborted) throw this.#ambiguous(key, error);
          throw error;
        }
        mayBeApplied = true;
        failure = error;
      }
      const found = await this.#readBack(key, signal);
      if (failure !== undefined && (found?.generation ?? null) === ifGeneration) {
        await this.#pauseOrThrow(operation, tries, failure, signal);
        continue;
      }
      const isOurs = this.#options.uniqueValues && found !== undefined && value !== null && equal(found.value, value);
      if (!isOurs) throw this.#ambiguous(key, failure);
      return { written: true, generation: found.generation };
    }
  }

  async #readBack(key: Key, signal: AbortSignal | undefined): Promise<ReadResult | undefined> {
    const aside = signal === undefined ? {} : { signal };
    try {
      return await this.run(`read back of ${printKey(key)}`, signal, () => this.#store.read(key, aside));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#ambiguous(key, error);
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
    const { prefix: _prefix, ...rest } = options;
    let range = listRange(options);
    for (let tries = 1; !isEmptyRange(range); tries++) {
      try {
        for await (const entry of this.#store.list({ ...rest, range })) {
          range = intersectRanges(range, { start: joinKeys(entry.key, Uint8Array.of(0)) });
          tries = 0;
          yield entry;
        }
        return;
      } catch (error) {
        await this.#pauseOrThrow("list", Math.max(1, tries), error, options.signal);
      }
    }
  }

  async #pauseOrThrow(operation: string, attempt: number, error: unknown, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { attempts, baseDelayMs, maxDelayMs, isTransient, onRetry } = this.#options;
    if (attempt >= attempts || !isTransient(error)) throw error;
    const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1)) * 2 * Math.random();
    const delayMs = Math.max(backoff, isKvStoreError(error) ? (error.retryAfterMs ?? 0) : 0);
    onRetry?.({ operation, attempt, delayMs, error });
    await pause(delayMs, signal);
  }

  #ambiguous(key: Key, cause: unknown): KvStoreError {
    const { url } = this.#store;
    return new KvStoreError(
      "ambiguous",
      `conditional write of ${printKey(key)} in ${url}: its answer was lost, and it cannot be told whether it was ` +
        "applied; read the key and look for what was written",
      { url, key: printKey(keyBytes(key)), cause },
    );
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
