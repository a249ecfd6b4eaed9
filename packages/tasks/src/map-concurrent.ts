/**
 * Many asynchronous steps, a few at a time.
 * @module
 */
import { onAbort } from "./on-abort.ts";

export interface MapOptions {
  /** Yield results as they come instead of in the order of the items. */
  readonly unordered?: boolean;
  readonly signal?: AbortSignal;
}

type Step<Item, Result> = (
  item: Item,
  context: { readonly signal: AbortSignal; readonly index: number },
) => Result | Promise<Result>;

/**
 * Applies `step` to each item, at most `limit` at a time, and yields the results in the order of the items.
 *
 * Items are taken from the source only when there is room, and no more than `limit` results are held, started or waiting to be
 * yielded; so both source and consumer set the pace. On the first error, an abort, or when the consumer stops, the steps'
 * signal is aborted, all started steps are awaited, the source is closed, and only then does the iteration end, with the first
 * error.
 *
 * @example
 * for await (const chunk of mapConcurrent(keys, 8, (key, { signal }) => store.read(key, { signal }))) …
 */
export async function* mapConcurrent<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  step: Step<Item, Result>,
  options: MapOptions = {},
): AsyncGenerator<Result, void, undefined> {
  if (!(limit >= 1)) throw new RangeError(`limit must be at least 1, not ${limit}`);
  options.signal?.throwIfAborted();
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const window = new Window(source, limit, step);
  const unfollow = onAbort(options.signal, () => window.fail(options.signal!.reason));
  try {
    for (let index = 0; ; index++) {
      const result = await window.next(options.unordered ? undefined : index);
      if (result === undefined) return;
      yield result.value;
    }
  } finally {
    unfollow();
    await window.stop();
    await source.return?.();
  }
}

/** The items taken and not yet yielded. */
class Window<Item, Result> {
  readonly #source: Iterator<Item> | AsyncIterator<Item>;
  readonly #limit: number;
  readonly #step: Step<Item, Result>;
  readonly #stopping = new AbortController();
  readonly #finished = new Map<number, Result>();
  #taken = 0;
  #running = 0;
  #isPulling = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(source: Iterator<Item> | AsyncIterator<Item>, limit: number, step: Step<Item, Result>) {
    this.#source = source;
    this.#limit = limit;
    this.#step = step;
  }

  /** The result of item `wanted`, or of any item; `undefined` after the last. */
  async next(wanted: number | undefined): Promise<{ readonly value: Result } | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const [index] = wanted === undefined ? this.#finished.keys() : [wanted];
      if (index !== undefined && this.#finished.has(index)) {
        const value = this.#finished.get(index) as Result;
        this.#finished.delete(index);
        this.#pull();
        return { value };
      }
      this.#pull();
      if (this.#isExhausted && this.#running === 0 && this.#finished.size === 0) return undefined;
      await this.#change();
    }
  }

  /** Aborts the steps and ends the iteration with `error`, unless something failed before. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort(error);
    this.#wake();
  }

  /** Aborts the steps that run and waits for all of them. */
  async stop(): Promise<void> {
    this.#isExhausted = true;
    if (this.#running > 0 || this.#isPulling) {
      this.#stopping.abort(this.#failure?.error ?? new DOMException("the results are no longer wanted", "AbortError"));
    }
    while (this.#running > 0 || this.#isPulling) await this.#change();
  }

  #pull(): void {
    if (this.#isPulling || this.#isExhausted || this.#running + this.#finished.size >= this.#limit) return;
    this.#isPulling = true;
    void this.#take();
  }

  async #take(): Promise<void> {
    try {
      const next = await this.#source.next();
      if (next.done) this.#isExhausted = true;
      else if (!this.#isExhausted && this.#failure === undefined) void this.#run(next.value, this.#taken++);
    } catch (error) {
      this.#isExhausted = true;
      this.fail(error);
    } finally {
      this.#isPulling = false;
      this.#pull();
      this.#wake();
    }
  }

  async #run(item: Item, index: number): Promise<void> {
    this.#running++;
    try {
      this.#finished.set(index, await this.#step(item, { signal: this.#stopping.signal, index }));
    } catch (error) {
      this.fail(error);
    } finally {
      this.#running--;
      this.#wake();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
