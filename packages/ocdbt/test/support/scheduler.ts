import type { AnyReadOptions, Key, KvStore, ListEntry } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { vi } from "vitest";

/**
 * Lets calls of several stores happen one at a time, in an order that a seed decides. Delays pass when nothing else can
 * happen, so that a seed always gives the same run.
 */
export class Scheduler {
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** `store`, each of whose calls waits to be picked, and then happens at once. */
  wrap(store: KvStore): KvStore {
    const turn = (): Promise<void> => new Promise((resolve) => this.#waiting.push(resolve));
    return {
      capabilities: store.capabilities,
      url: store.url,
      read: (async (key: Key, options?: AnyReadOptions) => {
        await turn();
        return await store.read(key, options as AnyReadOptions);
      }) as KvStore["read"],
      async write(key, value, options) {
        await turn();
        return await store.write(key, value, options);
      },
      async *list(options): AsyncGenerator<ListEntry> {
        await turn();
        yield* store.list(options);
      },
      async deleteRange(range, options) {
        await turn();
        await store.deleteRange(range, options);
      },
      async close() {},
    };
  }

  /** Runs until `work` is done. */
  async run<T>(work: (random: Random) => Promise<T>): Promise<T> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const random = vi.spyOn(Math, "random").mockImplementation(() => this.#random.below(1 << 30) / (1 << 30));
    try {
      let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
      work(this.#random).then(
        (value) => {
          outcome = { value };
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
      while (outcome === undefined) {
        await settled();
        if (this.#waiting.length > 0) this.#waiting.splice(this.#random.below(this.#waiting.length), 1)[0]!();
        else if (outcome === undefined) vi.advanceTimersToNextTimer();
      }
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    } finally {
      random.mockRestore();
      vi.useRealTimers();
    }
  }
}

/** Until everything that can go on without a turn or a timer has. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
