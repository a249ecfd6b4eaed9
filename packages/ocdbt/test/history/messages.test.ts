import { type KvStore, keyText, memoryKvStore, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { fork } from "../../src/fork/create.ts";
import { merge } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { log } from "../../src/history/log.ts";
import { restore } from "../../src/history/restore.ts";
import { openOcdbt } from "../../src/open.ts";
import { compact, expire, rebuild, sweep } from "../../src/upkeep/index.ts";
import { atEveryCall, TINY } from "../upkeep/world.ts";
import { collect, put, tinyDatabase } from "./world.ts";

async function messagesOf(store: KvStore): Promise<(string | undefined)[]> {
  return (await collect(log(await openOcdbt(store)))).map(({ message }) => message).reverse();
}

async function messageFiles(store: KvStore): Promise<string[]> {
  return (await collect(store.list({ prefix: "refs/log/" }))).map(({ key }) => keyText(key)!);
}

for (const manifestKind of ["single", "numbered"] as const) {
  test(`whatever call is the last, a version that is seen has its message (${manifestKind})`, async () => {
    // New trees, a tree that lies elsewhere, an empty one, one among others' commits, and values in files of their own.
    const work = async (faulty: KvStore): Promise<void> => {
      const db = await openOcdbt(faulty, { config: { ...TINY, manifestKind } });
      await put(db, { a: "1" }, { message: "message 1" });
      await put(db, { a: "a longer value" }, { message: "message 2" });
      await restore(db, { generation: 1n }, { message: "message 3" });
      await put(db, { a: null }, { message: "message 4" });
      await Promise.all([put(db, { b: "1" }, { message: "message 5" }), put(db, { c: "1" }, { message: "message 6" })]);
    };
    const check = async (left: KvStore): Promise<void> => {
      const found = await messagesOf(left);
      expect(found).toEqual(found.map((_, i) => `message ${i + 1}`));
    };
    const calls = await atEveryCall(memoryKvStore(), work, check);
    expect(calls).toBeGreaterThan(18);
  });
}

test("a commit whose message cannot be kept is not made", async () => {
  const store = memoryKvStore();
  await put(await tinyDatabase(store), { a: "1" });
  const db = await openOcdbt(
    withFaults(store, ({ kind, key }) =>
      kind === "write" && keyText(key!)!.startsWith("refs/log/")
        ? { kind: "fail", error: new Error("full") }
        : undefined,
    ),
  );
  await expect(put(db, { a: "2" }, { message: "lost" })).rejects.toThrow("full");
  expect((await db.head())?.generation).toBe(1n);
});

test("of writers that race for one generation each keeps its message, and none is left over", async () => {
  const store = memoryKvStore();
  const now = (): bigint => 5n;
  const writers = await Promise.all(Array.from({ length: 4 }, () => tinyDatabase(store, { now })));
  const expected: string[] = [];
  await Promise.all(
    writers.map(async (db, i) => {
      for (let round = 0; round < 5; round++) {
        const generation = await put(db, { [`k${i}`]: `${round}` }, { message: `${i} ${round}` });
        expected[Number(generation) - 1] = `${i} ${round}`;
      }
    }),
  );
  expect(await messagesOf(store)).toEqual(expected);
  await Promise.all(writers.map((db) => db.parts.committer.close()));
  expect(await messageFiles(store)).toHaveLength(20);
});

test("what an attempt left that came to nothing belongs to no version, and sweep removes it when it cannot come to one any more", async () => {
  const store = memoryKvStore();
  const db = await tinyDatabase(store);
  await put(db, { a: "1" }, { message: "one" });
  const dying = await openOcdbt(
    withFaults(store, ({ kind, key }) =>
      kind === "write" && keyText(key!) === "manifest.ocdbt" ? { kind: "fail", thenCrash: true } : undefined,
    ),
  );
  await expect(put(dying, { a: "2" }, { message: "never was" })).rejects.toThrow();
  expect(await messageFiles(store)).toHaveLength(2);
  // It could be about to be committed.
  expect((await sweep(db, { graceMs: 0 })).messages).toBe(0);
  await put(db, { a: "2" }, { message: "two" });
  expect(await messagesOf(store)).toEqual(["one", "two"]);
  expect((await sweep(db, { graceMs: 0 })).messages).toBe(1);
  expect(await messagesOf(store)).toEqual(["one", "two"]);
});

test("messages outlive compaction, rebuilding, expiry of others, and are seen through forks and merges", async () => {
  const store = memoryKvStore();
  const db = await tinyDatabase(store);
  for (let i = 1; i <= 12; i++) await put(db, { a: `value ${i}`, [`b${i}`]: "x" }, { message: `message ${i}` });
  await fork(db, "f");
  const mine = await openFork(store, "f");
  await put(mine, { mine: "1" }, { message: "in the fork" });
  await merge(db, "f", { message: "merged", author: "me" });
  await compact(db, { liveRatio: 1 });
  await rebuild(db);
  await expire(db, { keepLast: 8 });
  await sweep(db, { graceMs: 0 });
  const kept = await collect(log(db));
  expect(kept.length).toBeLessThan(15);
  for (const { generation, message, author } of kept) {
    if (generation <= 12n) expect(message).toBe(`message ${generation}`);
    if (generation === 13n) expect([message, author]).toEqual(["merged", "me"]);
  }
  expect((await collect(log(mine))).map(({ message }) => message)[0]).toBe("in the fork");
  expect((await collect(log(mine)))[1]?.message).toBe("message 12");
});
