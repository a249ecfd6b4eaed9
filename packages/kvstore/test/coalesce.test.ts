import { memoryKvStore, withCoalescedReads, withCounters, withFaults } from "@pcg/kvstore";
import fc from "fast-check";
import { expect, test } from "vitest";

const digits = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

async function filled() {
  const memory = memoryKvStore();
  await memory.write("key", digits);
  await memory.write("other", digits.subarray(0, 10));
  return withCounters(memory);
}

const at = (offset: number, length: number) => ({ range: { offset, length } });

test("ranges asked for at once are read together, if near enough", async () => {
  const { store, counts } = await filled();
  const coalesced = withCoalescedReads(store, { maxGapBytes: 10 });
  const offsets = [500, 0, 20, 40, 505, 41];
  const found = await Promise.all(offsets.map((offset) => coalesced.read("key", at(offset, 10))));
  expect(found.map((result) => [...result!.value])).toEqual(
    offsets.map((from) => [...digits.subarray(from, from + 10)]),
  );
  expect(counts).toMatchObject({ reads: 2, bytesRead: 51 + 15 });
});

test("no request grows beyond maxBytes, but a range larger than that is read", async () => {
  const { store, counts } = await filled();
  const coalesced = withCoalescedReads(store, { maxGapBytes: 1000, maxBytes: 100 });
  const reads = [at(0, 50), at(50, 50), at(100, 1), at(300, 200), at(299, 1)];
  const found = await Promise.all(reads.map((read) => coalesced.read("key", read)));
  expect(found.map((result) => result!.value.length)).toEqual([50, 50, 1, 200, 1]);
  expect(counts.reads).toBe(4);
});

test("while a request is under way the next ones gather, and other keys do not wait", async () => {
  const { store, counts } = await filled();
  const gates: (() => void)[] = [];
  const slow = withFaults(store, () => ({ kind: "delay", until: new Promise<void>((open) => gates.push(open)) }));
  const coalesced = withCoalescedReads(slow, { maxGapBytes: 1000 });
  const first = coalesced.read("key", at(0, 1));
  await expect.poll(() => gates.length).toBe(1);
  const next = [1, 2, 3, 4].map((offset) => coalesced.read("key", at(offset, 1)));
  const other = coalesced.read("other", at(0, 1));
  await expect.poll(() => gates.length).toBe(2);
  gates[1]!();
  await other;
  expect(gates.length).toBe(2);
  gates[0]!();
  await first;
  await expect.poll(() => gates.length).toBe(3);
  gates[2]!();
  expect((await Promise.all(next)).map((result) => result!.value[0])).toEqual([1, 2, 3, 4]);
  expect(counts).toMatchObject({ reads: 3, bytesRead: 6 });
});

test("one who aborts leaves the others alone; when all have, the request is aborted", async () => {
  const { store } = await filled();
  const signals: AbortSignal[] = [];
  const gates: (() => void)[] = [];
  const coalesced = withCoalescedReads(
    {
      ...store,
      read: (async (key: string, options: { signal: AbortSignal }) => {
        signals.push(options.signal);
        await new Promise<void>((open) => gates.push(open));
        options.signal.throwIfAborted();
        return await store.read(key, options);
      }) as typeof store.read,
    },
    { maxGapBytes: 1000 },
  );
  const [a, b] = [new AbortController(), new AbortController()];
  const one = coalesced.read("key", { ...at(0, 1), signal: a.signal });
  const two = coalesced.read("key", { ...at(5, 1), signal: b.signal });
  await expect.poll(() => gates.length).toBe(1);
  const queued = coalesced.read("key", { ...at(7, 1), signal: a.signal });
  a.abort(new Error("enough"));
  await expect(one).rejects.toThrow("enough");
  await expect(queued).rejects.toThrow("enough");
  expect(signals[0]!.aborted).toBe(false);
  gates[0]!();
  expect((await two)!.value).toEqual(digits.subarray(5, 6));
  expect(gates.length).toBe(1);

  const last = coalesced.read("key", { ...at(5, 1), signal: b.signal });
  await expect.poll(() => gates.length).toBe(2);
  b.abort(new Error("me too"));
  await expect(last).rejects.toThrow("me too");
  expect(signals[1]!.aborted).toBe(true);
  gates[1]!();
  const after = coalesced.read("key", at(3, 1));
  await expect.poll(() => gates.length).toBe(3);
  gates[2]!();
  expect((await after)!.value).toEqual(digits.subarray(3, 4));
});

test("a failure is told to those it concerns, and the next read is a new request", async () => {
  const { store } = await filled();
  let failing = true;
  const broken = withFaults(store, () => (failing ? { kind: "fail" } : undefined));
  const coalesced = withCoalescedReads(broken, { maxGapBytes: 0 });
  const ends = await Promise.allSettled([coalesced.read("key", at(0, 1)), coalesced.read("key", at(1, 1))]);
  expect(ends.map((end) => end.status)).toEqual(["rejected", "rejected"]);
  failing = false;
  expect((await coalesced.read("key", at(0, 2)))!.value).toEqual(digits.subarray(0, 2));
  expect(await coalesced.read("absent", at(0, 2))).toBeUndefined();
});

test("a read that starts after a write sees it", async () => {
  const { store } = await filled();
  const coalesced = withCoalescedReads(store, { maxGapBytes: 1000 });
  for (let i = 0; i < 50; i++) {
    const early = coalesced.read("key", at(0, 1));
    await coalesced.write("key", Uint8Array.of(i, i));
    const late = coalesced.read("key", at(1, 1));
    await early;
    expect((await late)!.value).toEqual(Uint8Array.of(i));
  }
});

test("any ranges come back as if read alone", async () => {
  const range = fc.record({ offset: fc.nat(1100), length: fc.nat(300) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(range, { maxLength: 20 }),
      fc.nat(50),
      fc.integer({ min: 1, max: 500 }),
      async (ranges, maxGapBytes, maxBytes) => {
        const { store } = await filled();
        const coalesced = withCoalescedReads(store, { maxGapBytes, maxBytes });
        const together = await Promise.all(ranges.map((one) => coalesced.read("key", { range: one })));
        const alone = await Promise.all(ranges.map((one) => store.read("key", { range: one })));
        expect(together).toEqual(alone);
      },
    ),
    { numRuns: 300 },
  );
});

test("refuses bounds that are none", () => {
  expect(() => withCoalescedReads(memoryKvStore(), { maxGapBytes: -1 })).toThrow(RangeError);
  expect(() => withCoalescedReads(memoryKvStore(), { maxGapBytes: 0, maxBytes: 0 })).toThrow(RangeError);
});
