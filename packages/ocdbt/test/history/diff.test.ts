import { memoryKvStore, withFaults } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { type Change, diff, diffBetween, valueBytes } from "../../src/history/diff.ts";
import { openOcdbt } from "../../src/open.ts";
import { bytes, collect, contents, put, recorded, text, tiny, tinyDatabase } from "./world.ts";

async function shown(db: OcdbtDatabase, changes: AsyncIterable<Change>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { kind, key, before, after } of changes) {
    const [a, b] = await Promise.all(
      [before, after].map(async (value) => (value === undefined ? "" : text(await valueBytes(db.parts.nodes, value))!)),
    );
    if (before !== undefined) expect(before.length).toBe(a!.length);
    if (after !== undefined) expect(after.length).toBe(b!.length);
    lines.push(`${kind} ${text(key)} ${a}>${b}`);
  }
  return lines;
}

function expected(a: Record<string, string>, b: Record<string, string>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().flatMap((key) => {
    if (a[key] === b[key]) return [];
    const kind = a[key] === undefined ? "added" : b[key] === undefined ? "removed" : "changed";
    return [`${kind} ${key} ${a[key] ?? ""}>${b[key] ?? ""}`];
  });
}

test("tells what was added, removed and changed, in order, with both values", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1", b: "a longer value", c: "3" });
  await put(db, { a: null, b: "another long value", d: "4" });
  expect(await shown(db, diff(db, { generation: first }))).toEqual([
    "removed a 1>",
    "changed b a longer value>another long value",
    "added d >4",
  ]);
  expect(await shown(db, diff(db, { ancestor: 0 }, { generation: first }))).toEqual([
    "added a >1",
    "changed b another long value>a longer value",
    "removed d 4>",
  ]);
  expect(await shown(db, diff(db, { generation: first }, { generation: first }))).toEqual([]);
});

test("equals the difference of the contents, whatever the shapes of the trees, and within ranges", async () => {
  const random = new Random(5);
  const db = await tinyDatabase();
  const states: { generation: bigint; contents: Record<string, string> }[] = [];
  await put(db, { "0": "v" });
  for (let step = 0; step < 40; step++) {
    const entries: Record<string, string | null> = {};
    // Now and then very many or nearly all, so that heights differ.
    const count = random.pick([1, 3, 20, 200]);
    for (let i = 0; i < count; i++) {
      const key = `${random.pick(["", "x/", "x/y/"])}${random.below(150)}`;
      entries[key] =
        random.below(3) === 0 || step % 10 === 9 ? null : `${random.pick(["v", "long value "])}${random.below(5)}`;
    }
    if (step % 10 === 9)
      for (const key of Object.keys(await contents(db))) if (random.below(20) > 0) entries[key] = null;
    states.push({ generation: await put(db, entries), contents: await contents(db) });
  }
  for (let round = 0; round < 60; round++) {
    const [a, b] = [random.pick(states), random.pick(states)];
    const versions = [{ generation: a.generation }, { generation: b.generation }] as const;
    const all = await shown(db, diff(db, ...versions, { compareBytes: true }));
    expect(all).toEqual(expected(a.contents, b.contents));
    const some = await shown(db, diff(db, ...versions, { prefix: "x/", compareBytes: true }));
    expect(some).toEqual(all.filter((line) => /^\w+ x\//.test(line)));
    const range = { start: bytes("2"), end: bytes("x/1") };
    expect(await shown(db, diff(db, ...versions, { range, compareBytes: true }))).toEqual(
      all.filter((line) => {
        const key = line.split(" ")[1]!;
        return key >= "2" && key < "x/1";
      }),
    );
  }
});

test("reads in proportion to what changed, not to the number of keys", async () => {
  const base = memoryKvStore();
  const writer = await tinyDatabase(base);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${10000 + i}`, `value ${i}`]));
  const before = await put(writer, many);
  await put(writer, { key12345: "other", key14999: null });
  const { store, calls } = recorded(base);
  const reader = await openOcdbt(store);
  const changes = await collect(diff(reader, { generation: before }));
  expect(changes.map(({ kind, key }) => `${kind} ${text(key)}`)).toEqual(["changed key12345", "removed key14999"]);
  expect(calls.length).toBeLessThan(60);
  const { height } = (await reader.version())!.root;
  expect(height).toBeGreaterThan(3);
});

test("nodes that differ are read ahead, those that are shared are not read at all", async () => {
  const base = memoryKvStore();
  const writer = await tinyDatabase(base, { config: { ...tiny, maxDecodedNodeBytes: 2500 } });
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key${10000 + i}`, `value ${i}`]));
  const before = await put(writer, many);
  await put(writer, Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${11000 + i}`, "other"])));
  let underWay = 0;
  let most = 0;
  let reads = 0;
  const slow = withFaults(base, ({ kind }) => {
    if (kind !== "read") return undefined;
    reads++;
    most = Math.max(most, ++underWay);
    const until = new Promise((resolve) => setImmediate(() => resolve(underWay--)));
    return { kind: "delay", until };
  });
  const reader = await openOcdbt(slow);
  expect((await collect(diff(reader, { generation: before }))).length).toBe(5000);
  expect(most).toBeGreaterThan(12);
  const apart = reads;
  reads = 0;
  await collect((await openOcdbt(slow)).list());
  // A quarter of the keys, in two versions, against all of them in one.
  expect(apart).toBeLessThan(reads * 0.7);
});

test("trees of different heights share what they share", async () => {
  const base = memoryKvStore();
  const db = await tinyDatabase(base);
  const some = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a${1000 + i}`, `value ${i}`]));
  const before = await put(db, some);
  const low = (await db.version())!.root.height;
  await put(db, Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`b${1000 + i}`, `v${i}`])));
  expect((await db.version())!.root.height).toBeGreaterThan(low);
  const { store, calls } = recorded(base);
  const reader = await openOcdbt(store);
  const changes = await collect(
    diff(reader, { generation: before }, undefined, { range: { start: bytes("a"), end: bytes("b") } }),
  );
  expect(changes).toEqual([]);
  expect(calls.length).toBeLessThan(20);
});

test("between databases without common files everything counts, equal bytes only where asked to compare", async () => {
  const [one, two] = [await tinyDatabase(), await tinyDatabase()];
  await put(one, { a: "1", b: "a longer value", c: "the same length" });
  await put(two, { a: "1", b: "a longer value", c: "the same LENGTH" });
  const keys = async (options: { compareBytes?: boolean }) =>
    (await collect(diffBetween({ db: one }, { db: two }, options))).map(({ key }) => text(key));
  expect(await keys({})).toEqual(["b", "c"]);
  expect(await keys({ compareBytes: true })).toEqual(["c"]);
});

test("stops with the signal's reason", async () => {
  const db = await tinyDatabase();
  const before = await put(db, { a: "1" });
  await put(db, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`b${i}`, "v"])));
  const stop = new AbortController();
  const changes = diff(db, { generation: before }, undefined, { signal: stop.signal });
  await changes.next();
  stop.abort(new Error("enough"));
  await expect(collect(changes)).rejects.toThrow("enough");
});

test("an unknown version is refused", async () => {
  const db = await tinyDatabase();
  await put(db, { a: "1" });
  await expect(collect(diff(db, { generation: 99n }))).rejects.toMatchObject({ code: "version-not-found" });
});
