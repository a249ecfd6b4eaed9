import type { AnyReadOptions, Key, KvStore, ListEntry } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { vi } from "vitest";

/**
 * Lets calls of several stores happen one at a time, in an order that a seed decides. Delays pass when nothing else can
 * happen, so that a seed always gives the same run.
 */
export class Scheduler {
  readonly #random: Random;
  readonly #choose: (count: number) => number;
  readonly #waiting: (() => void)[] = [];

  /** @param choose which of `count` calls comes next; by the seed unless told. */
  constructor(seed: number, choose?: (count: number) => number) {
    this.#random = new Random(seed);
    this.#choose = choose ?? ((count) => this.#random.below(count));
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
        if (this.#waiting.length > 0) this.#waiting.splice(this.#choose(this.#waiting.length), 1)[0]!();
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

/** Runs `work` for every order in which its calls can happen, each time from the beginning. @returns how many there are */
export async function everySchedule(work: (scheduler: Scheduler) => Promise<void>): Promise<number> {
  let path: readonly number[] = [];
  for (let runs = 1; ; runs++) {
    const taken: { readonly choice: number; readonly count: number }[] = [];
    const choose = (count: number): number => {
      const choice = path[taken.length] ?? 0;
      taken.push({ choice, count });
      return choice;
    };
    await work(new Scheduler(1, choose));
    while (taken.length > 0 && taken.at(-1)!.choice === taken.at(-1)!.count - 1) taken.pop();
    if (taken.length === 0) return runs;
    path = taken.map(({ choice }, i) => (i === taken.length - 1 ? choice + 1 : choice));
  }
}

/** Until everything that can go on without a turn or a timer has. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
