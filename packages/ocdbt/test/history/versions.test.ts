import { memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { valueBytes } from "../../src/history/diff.ts";
import { keyHistory } from "../../src/history/key-history.ts";
import { log } from "../../src/history/log.ts";
import { versions } from "../../src/history/versions.ts";
import { openOcdbt } from "../../src/open.ts";
import { bytes, collect, put, recorded, text, tinyDatabase } from "./world.ts";

test("versions come newest first, and only those asked for are read", async () => {
  const base = memoryKvStore();
  const writer = await tinyDatabase(base);
  for (let i = 1; i <= 100; i++) await put(writer, { [`k${i % 7}`]: `value ${i}` });
  const newest = (await writer.head())!.generation;
  const { store, calls } = recorded(base);
  const db = await openOcdbt(store);
  const all = await collect(versions(db));
  expect(all.map(({ generation }) => generation)).toEqual(
    Array.from({ length: Number(newest) }, (_, i) => newest - BigInt(i)),
  );
  const times = all.map(({ commitTime }) => commitTime);
  expect(times).toEqual([...times].sort((a, b) => (a < b ? 1 : -1)));
  const before = calls.length;
  for await (const { generation } of versions(await openOcdbt(store))) if (generation === newest - 2n) break;
  expect(calls.length - before).toBeLessThan(6);
});

test("an empty database has no versions and an empty log", async () => {
  const db = await tinyDatabase();
  expect(await collect(versions(db))).toEqual([]);
  expect(await collect(log(db))).toEqual([]);
});

test("the log tells sizes, messages and authors", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" }, { message: "the first", author: "me" });
  const second = await put(db, { b: "a longer value" });
  const third = await put(db, { a: null, b: null }, { author: "you" });
  const entries = await collect(log(db, { minGeneration: first }));
  expect(entries.map(({ generation, numKeys, valueBytes: size }) => [generation, numKeys, size])).toEqual([
    [third, 0n, 0n],
    [second, 2n, 14n],
    [first, 1n, 0n],
  ]);
  expect(entries.map(({ message, author }) => [message, author])).toEqual([
    [undefined, "you"],
    [undefined, undefined],
    ["the first", "me"],
  ]);
  expect(entries[1]!.treeBytes).toBeGreaterThan(0n);
});

test("long logs find all their messages, and read a file for none that is not there", async () => {
  const base = memoryKvStore();
  const writer = await tinyDatabase(base);
  for (let i = 1; i <= 200; i++) await put(writer, { a: String(i) }, i % 50 === 0 ? { message: `round ${i}` } : {});
  const { store, calls } = recorded(base);
  const db = await openOcdbt(store);
  const entries = await collect(log(db));
  expect(entries.flatMap(({ message }) => message ?? [])).toEqual(["round 200", "round 150", "round 100", "round 50"]);
  const isMessage = ({ key }: { readonly key?: Uint8Array }) => text(key)?.startsWith("refs/log/");
  expect(calls.filter((call) => call.kind === "read" && isMessage(call)).length).toBe(4);
});

test("messages that are torn, or of a database that was here before, count as none", async () => {
  const base = memoryKvStore();
  const old = await tinyDatabase(base);
  await put(old, { a: "1" }, { message: "of old" });
  await put(old, { a: "2" }, { message: "of old, too" });
  await base.write("manifest.ocdbt", null);
  const db = await tinyDatabase(base);
  await put(db, { a: "1" });
  await put(db, { a: "2" }, { message: "of now" });
  const entries = await collect(log(db));
  expect(entries.flatMap(({ message }) => message ?? [])).toEqual(["of now"]);
  for (const { key } of await collect(base.list({ prefix: "refs/log/" }))) await base.write(key, bytes("{"));
  expect((await collect(log(db))).flatMap(({ message }) => message ?? [])).toEqual([]);
});

test("a message over the limit is refused before anything is written", async () => {
  const db = await tinyDatabase();
  await expect(put(db, { a: "1" }, { message: "x".repeat(9000) })).rejects.toMatchObject({
    code: "too-large",
    fields: { name: "message", length: 9000, limit: 8192 },
  });
  expect(await db.head()).toBeUndefined();
});

test("the history of a key tells when it was made, changed, removed and made again", async () => {
  const db = await tinyDatabase();
  for (let i = 0; i < 40; i++) await put(db, { [`other${i}`]: `value ${i}` });
  const made = await put(db, { k: "1" });
  await put(db, { other3: "x" });
  const changed = await put(db, { k: "a longer value" });
  await put(db, { other4: "x" });
  await put(db, { other5: null });
  const removed = await put(db, { k: null, other6: "z" });
  await put(db, { other7: null });
  const again = await put(db, { k: "1" });
  await put(db, { other8: null });
  const history = await collect(keyHistory(db, "k"));
  expect(history.map(({ kind, version }) => [kind, version.generation])).toEqual([
    ["added", again],
    ["removed", removed],
    ["changed", changed],
    ["added", made],
  ]);
  const values = await Promise.all(
    history.map(({ value }) => (value === undefined ? undefined : valueBytes(db.parts.nodes, value))),
  );
  expect(values.map((value) => text(value))).toEqual(["1", undefined, "a longer value", "1"]);
  expect((await collect(keyHistory(db, "k", { minGeneration: changed + 1n }))).at(-1)).toMatchObject({ kind: "kept" });
  expect(await collect(keyHistory(db, "never"))).toEqual([]);
});

test("the history of a key reads little of versions that change others", async () => {
  const base = memoryKvStore();
  const writer = await tinyDatabase(base);
  await put(writer, Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${10000 + i}`, `value ${i}`])));
  for (let i = 0; i < 50; i++) await put(writer, { k11999: `edit ${i}` });
  const { height } = (await writer.version())!.root;
  const { store, calls } = recorded(base);
  const history = await collect(keyHistory(await openOcdbt(store), "k10000"));
  expect(history.length).toBe(1);
  // The path of the first, then a root of each version, and the version nodes.
  expect(calls.length).toBeLessThan(50 + height + 60);
});
