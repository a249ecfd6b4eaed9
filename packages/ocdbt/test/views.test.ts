import {
  type AnyReadOptions,
  type FaultOperation,
  type Key,
  type KvStore,
  keyBytes,
  memoryKvStore,
  withCounters,
  withFaults,
  withPrefix,
} from "@pcg/kvstore";
import { expect, test } from "vitest";
import { isOcdbtError, type LevelEntry, type Mutation, openOcdbt, parseCommitTime, restore } from "../src/index.ts";
import { bytesOf, contentsOf, latin1 } from "./support/model.ts";

const put = (key: string, value = key): Mutation => ({ op: "put", key: bytesOf(key), value: bytesOf(value) });

test("versions are found by generation, time and ancestor, in the manifest and in nodes of every height", async () => {
  const store = memoryKvStore();
  const start = parseCommitTime("2026-01-01T00:00:00Z")!;
  const second = 1_000_000_000n;
  let now = start;
  const writer = await openOcdbt(store, { now: () => now, config: { versionTreeArityLog2: 1, compression: null } });
  const count = 70;
  for (let i = 1; i <= count; i++) {
    now = start + BigInt(i) * second;
    await writer.write("k", bytesOf(String(i)));
  }
  const { versionNodes } = (await writer.parts.manifests.read())!.manifest;
  expect(versionNodes.length).toBeGreaterThan(2);
  const db = await openOcdbt(store);
  const at = async (spec: Parameters<typeof db.at>[0]): Promise<string> =>
    latin1((await (await db.at(spec)).read("k"))!.value);
  for (let i = 1; i <= count; i++) {
    expect(await at({ generation: BigInt(i) })).toBe(String(i));
    expect(await at({ ancestor: count - i })).toBe(String(i));
    expect(await at({ time: start + BigInt(i) * second })).toBe(String(i));
    expect(await at({ time: start + BigInt(i) * second + second / 2n })).toBe(String(i));
  }
  expect(await at({ time: "2026-01-01T00:00:33.999999999Z" })).toBe("33");
  expect(await at({ time: "2027-01-01T00:00:00Z" })).toBe(String(count));
  for (const spec of [
    { generation: BigInt(count + 1) },
    { ancestor: count },
    { time: "2026-01-01T00:00:00.5Z" },
    { tag: "none" },
  ]) {
    await expect(db.at(spec)).rejects.toSatisfy((error) => isOcdbtError(error, "version-not-found"));
  }
  for (const spec of [{ generation: 0n }, { ancestor: -1 }, { ancestor: 0.5 }, { time: "2026-02-30T00:00:00Z" }]) {
    await expect(db.at(spec)).rejects.toSatisfy((error) => isOcdbtError(error, "bad-spec"));
  }
});

test("a pin of a version that is newer than what is known asks again", async () => {
  const store = memoryKvStore();
  const reader = await openOcdbt(store, { maxStalenessMs: 1_000_000 });
  const writer = await openOcdbt(store);
  await writer.write("k", bytesOf("1"));
  expect(latin1((await reader.read("k"))!.value)).toBe("1");
  await writer.write("k", bytesOf("2"));
  expect(latin1((await reader.read("k"))!.value)).toBe("1");
  expect(latin1((await (await reader.at({ generation: 2n })).read("k"))!.value)).toBe("2");
  expect(latin1((await reader.read("k"))!.value)).toBe("2");
});

test("warm reads ask for nothing but the manifest, and for that only when it may be too old", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: { maxDecodedNodeBytes: 300 } });
  await made.apply(Array.from({ length: 200 }, (_, i) => put(`k${i}`)));
  const { store: counted, counts } = withCounters(store);
  const strict = await openOcdbt(counted);
  const lax = await openOcdbt(counted, { maxStalenessMs: 60_000 });
  for (const db of [strict, lax]) await contentsOf(db);
  counts.reads = 0;
  for (let i = 0; i < 10; i++) await strict.read(`k${i}`);
  expect(counts.reads).toBe(10);
  counts.reads = 0;
  await Promise.all(Array.from({ length: 10 }, (_, i) => strict.read(`k${i}`)));
  expect(counts.reads).toBe(1);
  counts.reads = 0;
  const pinned = await strict.at({ generation: 1n });
  for (let i = 0; i < 10; i++) await Promise.all([lax.read(`k${i}`), pinned.read(`k${i}`)]);
  expect(counts.reads).toBe(0);
});

test("reads of one node at the same time share a request, and requests are bounded in number", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: { maxDecodedNodeBytes: 300 } });
  await made.apply(Array.from({ length: 500 }, (_, i) => put(`k${i}`)));
  let running = 0;
  let most = 0;
  const slow = withFaults(store, ({ kind, key }: FaultOperation) => {
    if (kind !== "read" || !latin1(key!).startsWith("d/")) return undefined;
    most = Math.max(most, ++running);
    const until = new Promise<void>((resolve) => setTimeout(resolve, 1)).then(() => {
      running--;
    });
    return { kind: "delay", until };
  });
  const { store: counted, counts } = withCounters(slow);
  const db = await openOcdbt(counted, { concurrency: 4, maxStalenessMs: 60_000 });
  await Promise.all(Array.from({ length: 50 }, () => db.read("k1")));
  expect(counts.reads).toBe(2 + (await made.version())!.root.height);
  expect((await contentsOf(db)).size).toBe(500);
  expect(most).toBe(4);
});

test("a store that makes few requests of many reads is asked for all of them at once", async () => {
  const base = memoryKvStore();
  const made = await openOcdbt(base, { config: { maxInlineValueBytes: 0 } });
  await made.apply(Array.from({ length: 200 }, (_, i) => put(`k${i}`)));
  const mostAtOnce = async (store: KvStore): Promise<number> => {
    let running = 0;
    let most = 0;
    const read = async (...args: Parameters<KvStore["read"]>): ReturnType<KvStore["read"]> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return await base.read(...args);
    };
    const db = await openOcdbt({ ...store, read: read as KvStore["read"] });
    await db.read("k0");
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => db.read(`k${i}`)));
    expect(results.map((result) => latin1(result!.value))).toEqual(Array.from({ length: 200 }, (_, i) => `k${i}`));
    return most;
  };
  expect(await mostAtOnce(base)).toBe(32);
  expect(await mostAtOnce({ ...base, capabilities: { ...base.capabilities, batchesReads: true } })).toBe(200);
});

test("one level of folders is listed without reading what is inside them", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: { maxDecodedNodeBytes: 300 } });
  const keys = [
    "0",
    "a",
    "a/",
    "z",
    ...["a", "b", "b/x", "c"].flatMap((f) => Array.from({ length: 150 }, (_, i) => `${f}/${i}`)),
  ];
  await made.apply(keys.map((key) => put(key)));
  const { store: counted, counts } = withCounters(store);
  const db = await openOcdbt(counted);
  const level = async (prefix?: string, delimiter?: string): Promise<string[]> => {
    const found: string[] = [];
    const show = (entry: LevelEntry): string => (entry.kind === "key" ? latin1(entry.key) : `${latin1(entry.prefix)}…`);
    for await (const entry of db.listLevel(prefix, delimiter === undefined ? {} : { delimiter }))
      found.push(show(entry));
    return found;
  };
  expect(await level()).toEqual(["0", "a", "a/…", "b/…", "c/…", "z"]);
  expect(counts.reads).toBeLessThan(30);
  expect(await level("c/14")).toEqual(Array.from({ length: 11 }, (_, i) => `c/14${i === 0 ? "" : i - 1}`));
  expect(await level("b/")).toEqual([...Array.from({ length: 150 }, (_, i) => `b/${i}`).sort(), "b/x/…"]);
  expect(await level("b/x/149")).toEqual(["b/x/149"]);
  expect(await level("nothing/")).toEqual([]);
  expect(await level("", "/1")).toContain("a/1…");
  await expect(level("", "")).rejects.toThrow(RangeError);
});

test("a list shows the version it began at", async () => {
  const db = await openOcdbt(memoryKvStore(), { config: { maxDecodedNodeBytes: 100 } });
  await db.apply(Array.from({ length: 50 }, (_, i) => put(`k${String(i).padStart(2, "0")}`)));
  const seen: string[] = [];
  for await (const { key } of db.list()) {
    if (seen.length === 3) await db.deleteRange({ start: new Uint8Array(0) });
    seen.push(latin1(key));
  }
  expect(seen.length).toBe(50);
  expect((await contentsOf(db)).size).toBe(0);
});

test("a value keeps its generation through neighbours' changes, restores and other handles", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: { maxInlineValueBytes: 4 } });
  await db.apply([put("in", "1"), put("out", "a value in a data file")]);
  const generations = async (): Promise<unknown[]> => {
    const other = await openOcdbt(store);
    return [(await other.read("in"))!.generation, (await other.read("out"))!.generation];
  };
  const before = await generations();
  await db.write("beside", bytesOf("x"));
  expect(await generations()).toEqual(before);
  await db.apply([put("in", "2"), put("out", "another value")]);
  const changed = await generations();
  expect(changed[0]).not.toBe(before[0]);
  expect(changed[1]).not.toBe(before[1]);
  await restore(db, { generation: 1n });
  expect(await generations()).toEqual(before);
});

test("an answer that was overtaken by a write of one's own does not hide it", async () => {
  const store = memoryKvStore();
  await (await openOcdbt(store)).write("k", bytesOf("1"));
  let answer!: () => void;
  let isHeld = false;
  const held: KvStore = {
    ...withPrefix(store, ""),
    read: (async (key: Key, options?: AnyReadOptions) => {
      const found = await store.read(key, options as AnyReadOptions);
      if (isHeld && latin1(keyBytes(key)) === "manifest.ocdbt") {
        isHeld = false;
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
      return found;
    }) as KvStore["read"],
  };
  const db = await openOcdbt(held, { maxStalenessMs: 60_000 });
  isHeld = true;
  const reading = db.head();
  await expect.poll(() => isHeld).toBe(false);
  await db.write("k", bytesOf("2"));
  answer();
  await reading;
  expect(latin1((await db.read("k"))!.value)).toBe("2");
});
