import { memoryKvStore, prefixRange, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { log } from "../../src/history/log.ts";
import { restore, restoreKeys } from "../../src/history/restore.ts";
import { openOcdbt } from "../../src/open.ts";
import { bytes, collect, contents, put, recorded, tinyDatabase } from "./world.ts";

test("a restored version is the newest again, as one of its own, and goes on", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1", b: "a longer value" });
  const second = await put(db, { a: "2", b: null, c: "3" });
  const { head, written } = await restore(db, { generation: first }, { message: "back", author: "me" });
  expect(written).toBe(true);
  expect(head!.generation).toBe(second + 1n);
  expect(await contents(db)).toEqual({ a: "1", b: "a longer value" });
  expect(await contents(db, { generation: second })).toEqual({ a: "2", c: "3" });
  expect((await collect(log(db)))[0]).toMatchObject({ message: "back", author: "me" });
  await put(db, { d: "4" });
  expect(await contents(db)).toEqual({ a: "1", b: "a longer value", d: "4" });
});

test("restoring takes as many requests for many keys as for few", async () => {
  const counts: number[] = [];
  for (const keys of [10, 3000]) {
    const base = memoryKvStore();
    const writer = await tinyDatabase(base);
    const first = await put(
      writer,
      Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, `value ${i}`])),
    );
    await writer.deleteRange(prefixRange(""));
    const { store, calls } = recorded(base);
    const db = await openOcdbt(store);
    await restore(db, { generation: first });
    counts.push(calls.length);
    expect((await db.version())!.root.statistics.numKeys).toBe(BigInt(keys));
  }
  expect(counts[1]).toBe(counts[0]);
});

test("restoring what is there already makes no version", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" });
  await put(db, { a: "2" });
  const once = await restore(db, { generation: first });
  const twice = await restore(db, { generation: first });
  expect(twice).toEqual({ head: once.head, written: false });
});

test("with ifHead, a newer version stands in the way", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" });
  const head = (await db.head())!;
  const second = await put(db, { a: "2" });
  await expect(restore(db, { generation: first }, { ifHead: head })).rejects.toMatchObject({
    code: "conflict",
    fields: { expected: first, found: second },
  });
  expect((await restore(db, { generation: first }, { ifHead: (await db.head())! })).written).toBe(true);
});

test("unknown versions cannot be restored", async () => {
  const db = await tinyDatabase();
  await expect(restore(db, { generation: 5n })).rejects.toMatchObject({ code: "version-not-found" });
  await put(db, { a: "1" });
  await expect(restore(db, { generation: 5n })).rejects.toMatchObject({ code: "version-not-found" });
  await expect(restoreKeys(db, { tag: "none" }, { prefix: "" })).rejects.toMatchObject({ code: "version-not-found" });
});

test("keys, prefixes and ranges are restored by reference and nothing else changes", async () => {
  const base = memoryKvStore();
  const db = await tinyDatabase(base);
  const first = await put(db, { "x/1": "a longer value", "x/2": "22", "y/1": "another long value", z: "z" });
  await put(db, { "x/1": null, "x/2": "changed value", "x/3": "added", "y/1": "y", z: "zz" });
  const { store, calls } = recorded(base);
  const other = await openOcdbt(store);
  expect(await restoreKeys(other, { generation: first }, { prefix: "x/" })).toMatchObject({ written: true, keys: 3 });
  expect(await contents(db)).toEqual({ "x/1": "a longer value", "x/2": "22", "y/1": "y", z: "zz" });
  // No value was read; what was written are a node file and the manifest.
  expect(calls.filter(({ kind }) => kind === "write").length).toBe(2);
  expect(await restoreKeys(db, { generation: first }, { keys: ["z", "x/1", "none"] })).toMatchObject({ keys: 1 });
  expect(await contents(db)).toEqual({ "x/1": "a longer value", "x/2": "22", "y/1": "y", z: "z" });
  const range = { start: bytes("y"), end: bytes("z") };
  expect(await restoreKeys(db, { generation: first }, { range })).toMatchObject({ keys: 1 });
  expect(await restoreKeys(db, { generation: first }, { prefix: "" })).toMatchObject({ keys: 0, written: false });
});

test("who commits in between is seen: a restored prefix is what it was, all else stays", async () => {
  const base = memoryKvStore();
  const db = await tinyDatabase(base);
  const first = await put(db, { "x/1": "1", "y/1": "1" });
  await put(db, { "x/1": "2" });
  let intrude = true;
  const slow = await openOcdbt(
    withFaults(base, ({ kind, conditional, size }) => {
      if (!(intrude && kind === "write" && conditional && size! > 0)) return undefined;
      intrude = false;
      return { kind: "delay", until: put(db, { "x/9": "new", "y/9": "new" }) };
    }),
  );
  await restoreKeys(slow, { generation: first }, { prefix: "x/" });
  expect(intrude).toBe(false);
  expect(await contents(db)).toEqual({ "x/1": "1", "y/1": "1", "y/9": "new" });
});

test.each(["fail", "lose-ack", "duplicate"] as const)(
  "whatever I/O is the last (%s), the contents are the old or the restored, and trying again succeeds",
  async (kind) => {
    for (const partial of [false, true]) {
      for (let at = 0; ; at++) {
        const base = memoryKvStore();
        const db = await tinyDatabase(base);
        const first = await put(db, { a: "1", b: "a longer value" });
        for (let i = 0; i < 4; i++) await put(db, { a: `${i}`, b: null, c: "3" });
        const before = await contents(db);
        const after = { a: "1", b: "a longer value" };
        let reached = false;
        const faulty = withFaults(base, ({ index }) => {
          if (index !== at) return undefined;
          reached = true;
          return { kind, thenCrash: true };
        });
        const act = async (target: typeof db) =>
          partial
            ? await restoreKeys(target, { generation: first }, { prefix: "" })
            : await restore(target, { generation: first });
        const done = await openOcdbt(faulty)
          .then(act)
          .then(
            () => true,
            () => false,
          );
        const fresh = await openOcdbt(base);
        const found = await contents(fresh);
        expect([before, after]).toContainEqual(found);
        if (done) expect(found).toEqual(after);
        await act(fresh);
        expect(await contents(fresh)).toEqual(after);
        if (!reached) break;
      }
    }
  },
);
