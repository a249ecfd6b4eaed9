import {
  type Fault,
  type FaultOperation,
  type KvStore,
  KvStoreError,
  memoryKvStore,
  type RetryRecord,
  readValue,
  withFaults,
  withRetry,
} from "@pcg/kvstore";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
const quick = { baseDelayMs: 0 };

/** Faults for the first calls that match. */
const first = (faults: readonly Fault[], matches: (operation: FaultOperation) => boolean = () => true) => {
  let next = 0;
  return (operation: FaultOperation) => (matches(operation) ? faults[next++] : undefined);
};

let base: KvStore;
beforeEach(() => {
  base = memoryKvStore();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("tries transient failures again and reports each", async () => {
  const records: RetryRecord[] = [];
  const store = withRetry(withFaults(base, first([{ kind: "fail" }, { kind: "fail" }])), {
    ...quick,
    onRetry: (record) => records.push(record),
  });
  await base.write("a", bytes("x"));
  expect(await readValue(store, "a")).toEqual(bytes("x"));
  expect(records.map(({ operation, attempt }) => `${operation} ${attempt}`)).toEqual([
    'read of "a" 1',
    'read of "a" 2',
  ]);
});

test("gives up after its attempts with the last error, and at once on other errors", async () => {
  let calls = 0;
  const failing = withRetry(
    withFaults(base, () => {
      calls++;
      return { kind: "fail" };
    }),
    { ...quick, attempts: 4 },
  );
  await expect(failing.read("a")).rejects.toMatchObject({ code: "transient" });
  expect(calls).toBe(4);
  calls = 0;
  const error = new KvStoreError("permission", "no");
  const refused = withRetry(
    withFaults(base, () => {
      calls++;
      return { kind: "fail", error };
    }),
    quick,
  );
  await expect(refused.read("a")).rejects.toBe(error);
  expect(calls).toBe(1);
});

test("waits twice as long each time, jittered and bounded, and as long as the server says", async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  const delays: number[] = [];
  const busy = new KvStoreError("transient", "busy", { retryAfterMs: 7000 });
  const store = withRetry(
    withFaults(base, first([...Array(4).fill({ kind: "fail" }), { kind: "fail", error: busy }])),
    { baseDelayMs: 100, maxDelayMs: 500, onRetry: ({ delayMs }) => delays.push(delayMs) },
  );
  const reading = store.read("a");
  await vi.runAllTimersAsync();
  expect(await reading).toBeUndefined();
  expect(delays).toEqual([100, 200, 400, 500, 7000]);
});

test("an abort ends the waiting with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const store = withRetry(
    withFaults(base, () => ({ kind: "fail" })),
    // The waiting begins right after the record.
    { baseDelayMs: 1e6, maxDelayMs: 1e6, onRetry: () => queueMicrotask(() => controller.abort(reason)) },
  );
  const reading = store.read("a", { signal: controller.signal });
  await expect(reading).rejects.toBe(reason);
});

test("a list goes on where it broke off", async () => {
  for (const key of ["a", "b", "c", "d"]) await base.write(key, bytes(key));
  const broken = withFaults(base, first([{ kind: "tear", bytes: 1 }, { kind: "fail" }, { kind: "tear", bytes: 2 }]));
  const keys: string[] = [];
  for await (const { key } of withRetry(broken, quick).list()) keys.push(new TextDecoder().decode(key));
  expect(keys).toEqual(["a", "b", "c", "d"]);
});

test("an unconditional write whose answer was lost is written again", async () => {
  const store = withRetry(withFaults(base, first([{ kind: "lose-ack" }])), quick);
  expect((await store.write("a", bytes("x"))).written).toBe(true);
  expect(await readValue(base, "a")).toEqual(bytes("x"));
});

test("a conditional write that failed before it was applied is tried again", async () => {
  const store = withRetry(withFaults(base, first([{ kind: "fail" }])), quick);
  const { generation } = await store.write("a", bytes("x"), { ifGeneration: null });
  expect(generation).not.toBeNull();
  expect(await store.read("a")).toMatchObject({ generation, value: bytes("x") });
});

test("a conditional write whose answer was lost is surfaced as ambiguous, not guessed", async () => {
  const { generation } = await base.write("a", bytes("old"));
  for (const value of [bytes("new"), null]) {
    const current = (await base.read("a"))!.generation;
    const store = withRetry(withFaults(base, first([{ kind: "lose-ack" }])), quick);
    await expect(store.write("a", value, { ifGeneration: current })).rejects.toMatchObject({
      code: "ambiguous",
      cause: { code: "transient" },
    });
  }
  expect(await readValue(base, "a")).toBeUndefined();
  expect(generation).not.toBeNull();
});

test("with unique values, finding one's own bytes is success with their generation", async () => {
  const store = withRetry(withFaults(base, first([{ kind: "lose-ack" }])), { ...quick, uniqueValues: true });
  const result = await store.write("a", bytes("id 17"), { ifGeneration: null });
  expect(result).toEqual({ written: true, generation: (await base.read("a"))!.generation });
});

test("with unique values, finding another's bytes is still ambiguous: one's own may have come and gone", async () => {
  const faulty = withFaults(base, ({ index }) => (index === 0 ? { kind: "fail" } : undefined));
  const meddling: KvStore = {
    ...faulty,
    write: async (key, value, options) => {
      try {
        return await faulty.write(key, value, options);
      } finally {
        await base.write("a", bytes("another's"));
      }
    },
  };
  const store = withRetry(meddling, { ...quick, uniqueValues: true });
  await expect(store.write("a", bytes("id 18"), { ifGeneration: null })).rejects.toMatchObject({ code: "ambiguous" });
});

test("a condition that fails without any lost answer is a plain result", async () => {
  const { generation } = await base.write("a", bytes("x"));
  expect(await withRetry(base, quick).write("a", bytes("y"), { ifGeneration: null })).toEqual({
    written: false,
    generation,
  });
});

test("when the key cannot be read back either, the outcome is ambiguous", async () => {
  const store = withRetry(
    withFaults(base, ({ kind }) => (kind === "write" ? { kind: "lose-ack" } : { kind: "fail" })),
    quick,
  );
  await expect(store.write("a", bytes("x"), { ifGeneration: null })).rejects.toMatchObject({ code: "ambiguous" });
});

test("exhaustively: whatever happens to the first calls, a success is true and a result of not written is too", async () => {
  const kinds: (Fault | undefined)[] = [undefined, { kind: "fail" }, { kind: "lose-ack" }];
  for (let script = 0; script < 3 ** 4; script++) {
    const faults = [0, 1, 2, 3].map((digit) => kinds[Math.floor(script / 3 ** digit) % 3]);
    for (const taken of [false, true]) {
      const under = memoryKvStore();
      if (taken) await under.write("a", bytes("another's"));
      const store = withRetry(
        withFaults(under, ({ index }) => faults[index]),
        { ...quick, uniqueValues: true },
      );
      const outcome = await store
        .write("a", bytes("mine"), { ifGeneration: null })
        .catch((error: KvStoreError) => error);
      const value = new TextDecoder().decode((await under.read("a"))!.value);
      if (outcome instanceof Error) expect(outcome.code).toBe("ambiguous");
      else expect(value).toBe(outcome.written ? "mine" : "another's");
      expect(value === "mine").toBe(!taken);
    }
  }
});
