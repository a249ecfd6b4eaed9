import { expect, test } from "vitest";
import { isOcdbtError } from "../../src/errors.ts";
import { openOcdbt } from "../../src/open.ts";
import { compact, expire, rebuild, sweep } from "../../src/upkeep/index.ts";
import { atEveryCall, bytes, contentsOf, expectHistory, expectSound, filesOf, grow, TINY, withPast } from "./world.ts";

const now0 = { graceMs: 0 };

async function bytesIn(store: Parameters<typeof filesOf>[0], prefix = "d/"): Promise<number> {
  let sum = 0;
  for await (const { size } of store.list({ prefix })) sum += size ?? 0;
  return sum;
}

test("sparse files are emptied, all versions stay as they were, and the room comes back after expiry and a sweep", async () => {
  const { store, db, history } = await withPast(40);
  const newest = await contentsOf(db, (await db.head())!.generation);
  const result = await compact(db, { liveRatio: 0.6 });
  expect(result.files).toBeGreaterThan(3);
  expect(result.movedBytes).toBeGreaterThan(0);
  expect(await contentsOf(db, (await db.head())!.generation)).toEqual(newest);
  await expectHistory(db, history);
  await expectSound(store);

  const without = await withPast(40);
  await expire(without.db, { keepLast: 1 });
  await sweep(without.db, now0);
  await expire(db, { keepLast: 1 });
  await sweep(db, now0);
  expect(await contentsOf(db, (await db.head())!.generation)).toEqual(newest);
  expect((await filesOf(store)).length).toBeLessThan((await filesOf(without.store)).length / 2);
  expect(await bytesIn(store)).toBeLessThan(await bytesIn(without.store));
  await expectSound(store);
});

test("nodes of both trees that lie in a large file of unneeded values are moved, too", async () => {
  const { store, db, history } = await withPast(12);
  for (let i = 0; i < 6; i++) {
    // The commit's nodes come to lie in the same file, and stay there when the value is gone.
    await db.apply([
      { op: "put", key: bytes(`z${i}`), value: new Uint8Array(20_000) },
      { op: "put", key: bytes(`${"a".repeat(i)}`), value: bytes("inline".slice(0, 4)) },
    ]);
  }
  await db.deleteRange({ start: bytes("z") });
  const newest = await contentsOf(db, (await db.head())!.generation);
  const first = await compact(db, { liveRatio: 0.2 });
  expect(first.fileBytes).toBeGreaterThan(5 * 20_000);
  // Files that the moving itself made sparse.
  expect((await compact(db, { liveRatio: 0.2 })).fileBytes).toBeLessThan(first.fileBytes / 10);
  expect(await contentsOf(db, (await db.head())!.generation)).toEqual(newest);
  await expectHistory(db, history);
  await expectSound(store);
  await expire(db, { keepLast: 1 });
  await sweep(db, now0);
  // Versions that end blocks may keep some of the large files.
  expect(await bytesIn(store)).toBeLessThan(70_000);
  await expectSound(store);
});

test("a dry run says what would be moved, and moves nothing", async () => {
  const { store, db } = await withPast(20);
  const before = await filesOf(store, "");
  const planned = await compact(db, { dryRun: true, liveRatio: 0.7 });
  expect(await filesOf(store, "")).toEqual(before);
  expect(await compact(db, { liveRatio: 0.7 })).toEqual(planned);
});

test("what others change meanwhile is left as they made it", async () => {
  const { store, db, history } = await withPast(25);
  const writer = await openOcdbt(store);
  await Promise.all([compact(db, { liveRatio: 0.9, batchBytes: 50 }), grow(writer, 20, 8, history)]);
  await expectHistory(db, history);
  const newest = [...history.values()].at(-1)!;
  expect(await contentsOf(db, (await db.head())!.generation)).toEqual(newest);
  await expectSound(store);
});

test("numbered databases are compacted, too", async () => {
  const { store, db, history } = await withPast(12, { config: { ...TINY, manifestKind: "numbered" } });
  await compact(db, { liveRatio: 0.8 });
  await expectHistory(db, history);
  expect(await contentsOf(db, (await db.head())!.generation)).toEqual([...history.values()].at(-1));
  await expectSound(store);
});

test("an empty database, and a ratio that is none", async () => {
  const db = await openOcdbt((await withPast(0)).store);
  expect(await compact(db)).toEqual({ files: 0, fileBytes: 0, movedBytes: 0, keys: 0 });
  await expect(compact(db, { liveRatio: 2 })).rejects.toSatisfy((error) => isOcdbtError(error, "bad-spec"));
});

test("a rebuilt tree holds the same in fewer, fuller nodes", async () => {
  const { store, db, history } = await withPast(1, { config: { ...TINY, maxDecodedNodeBytes: 2000 } });
  const puts = Array.from({ length: 400 }, (_, i) => ({
    op: "put" as const,
    key: bytes(`key/${String(i).padStart(4, "0")}`),
    value: bytes(i % 3 === 0 ? "a longer value" : "v"),
  }));
  await db.apply(puts);
  await db.apply(puts.filter((_, i) => i % 5 !== 0).map(({ key }) => ({ op: "delete" as const, key })));
  const before = await contentsOf(db, (await db.head())!.generation);
  const { numTreeBytes } = (await db.version())!.root.statistics;
  const { keys, lostKeys, head } = await rebuild(db);
  expect([keys, lostKeys]).toEqual([before.size, 0n]);
  expect(await contentsOf(db, head!.generation)).toEqual(before);
  expect((await db.version())!.root.statistics.numTreeBytes).toBeLessThanOrEqual(numTreeBytes);
  await expectHistory(db, history);
  await expectSound(store);
  await db.deleteRange({ start: new Uint8Array(0) });
  expect((await rebuild(db)).keys).toBe(0);
});

test("a rebuilt tree of many levels is parted as if it had been made at once", async () => {
  const { store, db } = await withPast(0);
  const entries = Array.from({ length: 3000 }, (_, i) => bytes(String(i * 7919).padStart(8, "0")));
  await db.apply(entries.map((key) => ({ op: "put", key, value: key.subarray(4) })));
  const atOnce = (await db.version())!.root;
  await rebuild(db);
  const rebuilt = (await db.version())!.root;
  expect(rebuilt.height).toBe(atOnce.height);
  expect(rebuilt.statistics).toEqual(atOnce.statistics);
  await expectSound(store);
});

test("a breakdown at any call of a compaction leaves every version whole, and another run finishes", async () => {
  const { store, history } = await withPast(5);
  const calls = await atEveryCall(
    store,
    async (faulty) => {
      await compact(await openOcdbt(faulty), { liveRatio: 0.8, batchBytes: 100 });
    },
    async (left) => {
      const db = await openOcdbt(left);
      await expectHistory(db, history);
      expect(await contentsOf(db, (await db.head())!.generation)).toEqual([...history.values()].at(-1));
      await expectSound(left);
    },
    [{ kind: "fail", thenCrash: true }, { kind: "lose-ack", thenCrash: true }, { kind: "lose-ack" }],
  );
  expect(calls).toBeGreaterThan(20);
});

test("a breakdown at any call of a rebuild leaves the old tree or the new one, and every version whole", async () => {
  const { store, history } = await withPast(5);
  await atEveryCall(
    store,
    async (faulty) => {
      await rebuild(await openOcdbt(faulty));
    },
    async (left) => {
      const db = await openOcdbt(left);
      await expectHistory(db, history);
      expect(await contentsOf(db, (await db.head())!.generation)).toEqual([...history.values()].at(-1));
      await expectSound(left);
    },
  );
});

test("aborts are heeded", async () => {
  const { db } = await withPast(5);
  const reason = new Error("enough");
  await expect(compact(db, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(rebuild(db, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
