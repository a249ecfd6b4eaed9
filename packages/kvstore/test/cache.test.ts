import { type FaultOperation, type KvStore, memoryKvStore, readValue, withCache, withFaults } from "@pcg/kvstore";
import { beforeEach, expect, test, vi } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
let base: KvStore;
let calls: FaultOperation[];
let counted: KvStore;
beforeEach(() => {
  base = memoryKvStore();
  calls = [];
  counted = withFaults(base, (operation) => {
    calls.push(operation);
    return undefined;
  });
});

test("what was read once is not asked for again: whole values, their ranges, absences", async () => {
  const cache = withCache(counted, { maxBytes: 1e6 });
  await base.write("a", bytes("0123456789"));
  await base.write("b", bytes("0123456789"));
  for (let i = 0; i < 3; i++) {
    expect(await readValue(cache, "a")).toEqual(bytes("0123456789"));
    expect(await readValue(cache, "a", { range: { offset: 2, length: 3 } })).toEqual(bytes("234"));
    expect(await cache.read("a", { range: { suffixLength: 2 } })).toMatchObject({ value: bytes("89"), size: 10 });
    expect(await readValue(cache, "b", { range: { offset: 4, length: 2 } })).toEqual(bytes("45"));
    expect(await readValue(cache, "none")).toBeUndefined();
    expect(await readValue(cache, "none", { range: { offset: 1 } })).toBeUndefined();
  }
  expect(calls.length).toBe(3);
});

test("reads of the same thing at the same time share one request", async () => {
  await base.write("a", bytes("x"));
  const cache = withCache(counted, { maxBytes: 0 });
  await Promise.all(Array.from({ length: 10 }, () => cache.read("a")));
  expect(calls.length).toBe(1);
  await cache.read("a");
  expect(calls.length).toBe(2);
});

test("one who leaves does not disturb those who wait; when all have left the request is aborted", async () => {
  const aborted = vi.fn();
  let answer = (_: undefined): void => {};
  const slow: KvStore = {
    ...base,
    capabilities: base.capabilities,
    url: base.url,
    read: ((_key: string, options: { signal: AbortSignal }) =>
      new Promise((resolve, reject) => {
        answer = resolve;
        options.signal.addEventListener("abort", () => {
          aborted();
          reject(options.signal.reason);
        });
      })) as KvStore["read"],
  };
  const cache = withCache(slow, { maxBytes: 1e6 });
  const one = new AbortController();
  const leaving = cache.read("a", { signal: one.signal });
  const staying = cache.read("a");
  one.abort("left");
  await expect(leaving).rejects.toBe("left");
  expect(aborted).not.toHaveBeenCalled();
  answer(undefined);
  expect(await staying).toBeUndefined();
  const two = new AbortController();
  const alone = cache.read("b", { signal: two.signal });
  two.abort("left too");
  await expect(alone).rejects.toBe("left too");
  expect(aborted).toHaveBeenCalledOnce();
});

test("a failed request is not remembered", async () => {
  let fail = true;
  const failing = withFaults(base, () => (fail ? { kind: "fail" } : undefined));
  const cache = withCache(failing, { maxBytes: 1e6 });
  await expect(cache.read("a")).rejects.toMatchObject({ code: "transient" });
  fail = false;
  expect(await cache.read("a")).toBeUndefined();
});

test("own writes are seen at once, also by reads that share a key with one under way", async () => {
  await base.write("a", bytes("old"));
  let go = (): void => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  // The first read gets the old value, but its answer takes long.
  let reads = 0;
  const slow: KvStore = {
    capabilities: base.capabilities,
    url: base.url,
    write: base.write.bind(base),
    list: base.list.bind(base),
    deleteRange: base.deleteRange.bind(base),
    close: base.close.bind(base),
    read: (async (key: string, options: object) => {
      const result = await base.read(key, options);
      if (reads++ === 0) await until;
      return result;
    }) as KvStore["read"],
  };
  const cache = withCache(slow, { maxBytes: 1e6 });
  const early = readValue(cache, "a");
  await cache.write("a", bytes("new"));
  expect(await readValue(cache, "a")).toEqual(bytes("new"));
  go();
  expect(await early).toEqual(bytes("old"));
  expect(await readValue(cache, "a")).toEqual(bytes("new"));
  await cache.deleteRange({ start: bytes("a") });
  expect(await readValue(cache, "a")).toBeUndefined();
});

test("a write that fails leaves nothing stale either", async () => {
  await base.write("a", bytes("old"));
  const losing = withFaults(base, ({ kind }) => (kind === "write" ? { kind: "lose-ack" } : undefined));
  const cache = withCache(losing, { maxBytes: 1e6 });
  await cache.read("a");
  await expect(cache.write("a", bytes("new"))).rejects.toMatchObject({ code: "transient" });
  expect(await readValue(cache, "a")).toEqual(bytes("new"));
});

test("others' writes are seen when the answer is older than maxAgeMs; the unchanged is only revalidated", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const cache = withCache(counted, { maxBytes: 1e6, maxAgeMs: 1000 });
    await base.write("a", bytes("1"));
    await cache.read("a");
    await base.write("a", bytes("2"));
    vi.advanceTimersByTime(900);
    expect(await readValue(cache, "a")).toEqual(bytes("1"));
    vi.advanceTimersByTime(200);
    expect(await readValue(cache, "a")).toEqual(bytes("2"));
    vi.advanceTimersByTime(1100);
    expect(await readValue(cache, "a")).toEqual(bytes("2"));
    expect(calls.length).toBe(3);
    vi.advanceTimersByTime(900);
    expect(await readValue(cache, "a")).toEqual(bytes("2"));
    expect(calls.length).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

test("keeps the most recently used within its bytes", async () => {
  const cache = withCache(counted, { maxBytes: 3 * (1000 + 256 + 1) });
  for (const key of ["a", "b", "c", "d"]) await base.write(key, new Uint8Array(1000));
  for (const key of ["a", "b", "c", "a", "d", "a", "b"]) await cache.read(key);
  expect(calls.map(({ key }) => new TextDecoder().decode(key)).join("")).toBe("abcdb");
  await base.write("huge", new Uint8Array(1e6));
  await cache.read("huge");
  await cache.read("a");
  expect(calls.length).toBe(6);
});

test("the caller may do with the bytes what it wants", async () => {
  await base.write("a", bytes("abc"));
  const cache = withCache(base, { maxBytes: 1e6 });
  const first = (await readValue(cache, "a"))!;
  structuredClone(first, { transfer: [first.buffer] });
  (await readValue(cache, "a"))!.fill(0);
  expect(await readValue(cache, "a")).toEqual(bytes("abc"));
});
