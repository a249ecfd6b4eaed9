/**
 * Entries one at a time out of runs. An async generator would wait several turns for each; this waits for runs alone.
 * @module
 */
import type { ListEntry } from "@pcg/kvstore";
import { fullKey, type LeafRun } from "./leaf-runs.ts";

export function listEntries(
  runs: AsyncGenerator<LeafRun, void, undefined>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<ListEntry> {
  return new EntryIterator(runs, signal);
}

class EntryIterator implements AsyncIterableIterator<ListEntry> {
  readonly #runs: AsyncGenerator<LeafRun, void, undefined>;
  readonly #signal: AbortSignal | undefined;
  #run: LeafRun | undefined;
  #next = 0;
  /** Callers that do not wait for one entry before they ask for the next are served in turn. */
  #loading: Promise<IteratorResult<ListEntry>> | undefined;

  constructor(runs: AsyncGenerator<LeafRun, void, undefined>, signal: AbortSignal | undefined) {
    this.#runs = runs;
    this.#signal = signal;
  }

  next(): Promise<IteratorResult<ListEntry>> {
    if (this.#loading !== undefined) return this.#loading.then(() => this.next());
    if (this.#signal?.aborted) return this.#fail(this.#signal.reason);
    const run = this.#run;
    if (run !== undefined && this.#next < run.end) return Promise.resolve({ value: this.#take(run), done: false });
    this.#loading = this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async return(): Promise<IteratorResult<ListEntry>> {
    this.#run = undefined;
    await this.#runs.return();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take({ leaf, prefix }: LeafRun): ListEntry {
    const index = this.#next++;
    return { key: fullKey(leaf.keys, index, prefix), size: leaf.valueLengths[index]! };
  }

  async #load(): Promise<IteratorResult<ListEntry>> {
    const { value: run, done } = await this.#runs.next();
    if (done) {
      this.#run = undefined;
      return { value: undefined, done: true };
    }
    this.#run = run;
    this.#next = run.start;
    return { value: this.#take(run), done: false };
  }

  async #fail(reason: unknown): Promise<never> {
    await this.return();
    throw reason;
  }
}
