import { mapConcurrent } from "@pcg/tasks";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";

const turns = async (n: number): Promise<void> => {
  for (; n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
};

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

test("yields results in the order of the items, or as they come", async () => {
  const step = async (n: number): Promise<number> => {
    await turns(n);
    return n;
  };
  expect(await collect(mapConcurrent([9, 1, 5], 3, step))).toEqual([9, 1, 5]);
  expect(await collect(mapConcurrent([9, 1, 5], 3, step, { unordered: true }))).toEqual([1, 5, 9]);
  expect(await collect(mapConcurrent([], 3, step))).toEqual([]);
  expect(await collect(mapConcurrent([1], 1, () => undefined))).toEqual([undefined]);
});

test("holds no more than the limit, however slow the consumer is, and takes no item early", async () => {
  let taken = 0;
  async function* source(): AsyncGenerator<number> {
    for (let i = 0; i < 50; i++) {
      taken++;
      yield i;
    }
  }
  let yielded = 0;
  for await (const _ of mapConcurrent(source(), 4, async (n) => n)) {
    yielded++;
    await turns(5);
    expect(taken - yielded).toBeLessThanOrEqual(4);
  }
  expect(yielded).toBe(50);
});

test.each([false, true])(
  "the first error aborts the rest, waits for it, and closes the source (unordered %s)",
  async (unordered) => {
    let running = 0;
    let closed = false;
    const aborted: number[] = [];
    async function* source(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    const error = new Error("third");
    const results = mapConcurrent(
      source(),
      4,
      async (n, { signal }) => {
        running++;
        await turns(n === 3 ? 3 : 8);
        running--;
        if (signal.aborted) aborted.push(n);
        if (n === 3) throw error;
        return n;
      },
      { unordered },
    );
    await expect(collect(results)).rejects.toBe(error);
    expect(running).toBe(0);
    expect(closed).toBe(true);
    expect(aborted).toContain(0);
  },
);

test("an abort of the caller ends the iteration with its reason after the steps have stopped", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let running = 0;
  const results = collect(
    mapConcurrent(
      [1, 2, 3],
      2,
      (_, { signal }) =>
        new Promise((_, reject) => {
          running++;
          signal.addEventListener("abort", () => {
            running--;
            reject(signal.reason);
          });
        }),
      { signal: controller.signal },
    ),
  );
  await turns(3);
  controller.abort(reason);
  await expect(results).rejects.toBe(reason);
  expect(running).toBe(0);
  await expect(collect(mapConcurrent([1], 1, () => 1, { signal: controller.signal }))).rejects.toBe(reason);
});

test("a consumer that stops early stops the steps and closes the source", async () => {
  let running = 0;
  let closed = false;
  function* source(): Generator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      closed = true;
    }
  }
  for await (const n of mapConcurrent(source(), 3, async (n, { signal }) => {
    running++;
    for (let i = 0; i < n * 100 && !signal.aborted; i++) await turns(1);
    running--;
    return n;
  })) {
    expect(n).toBe(0);
    break;
  }
  expect(running).toBe(0);
  expect(closed).toBe(true);
});

test("an error of the source comes through after the steps have ended", async () => {
  const error = new Error("no more");
  let running = 0;
  async function* source(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw error;
  }
  const results = mapConcurrent(source(), 5, async () => {
    running++;
    await turns(4);
    running--;
  });
  await expect(collect(results)).rejects.toBe(error);
  expect(running).toBe(0);
});

test("equals a plain map for any items, limits and timings", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(5), { maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (items, limit, unordered) => {
        const random = new Random(items.length + limit);
        let running = 0;
        const results = await collect(
          mapConcurrent(
            items,
            limit,
            async (n, { index }) => {
              expect(++running).toBeLessThanOrEqual(limit);
              await turns(random.below(4));
              running--;
              return n * 100 + index;
            },
            { unordered },
          ),
        );
        const plain = items.map((n, index) => n * 100 + index);
        expect(unordered ? results.sort((a, b) => (a % 100) - (b % 100)) : results).toEqual(plain);
      },
    ),
    { numRuns: 60 },
  );
});
