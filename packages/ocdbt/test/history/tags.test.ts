import { memoryKvStore, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { createTag, deleteTag, listTags, readTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire } from "../../src/upkeep/expire.ts";
import { bytes, collect, contents, put, text, tinyDatabase } from "./world.ts";

test("a tag names a version for good, and is a version everywhere", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" });
  await createTag(db, "reviewed", { generation: first }, { message: "looked at", author: "me" });
  await put(db, { a: "2" });
  expect(await contents(db, { tag: "reviewed" })).toEqual({ a: "1" });
  expect(await readTag(db.parts.store, db.uuid, "reviewed")).toMatchObject({
    name: "reviewed",
    uuid: db.uuid,
    generation: first,
    message: "looked at",
    author: "me",
  });
});

test("making the same tag again changes nothing; it moves only by force", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" });
  const second = await put(db, { a: "2" });
  const made = await createTag(db, "t", { generation: first });
  expect(await createTag(db, "t", { generation: first })).toEqual(made);
  await expect(createTag(db, "t")).rejects.toMatchObject({
    code: "already-exists",
    fields: { name: "t", generation: first, wanted: second },
  });
  expect((await createTag(db, "t", undefined, { force: true })).generation).toBe(second);
  expect(await contents(db, { tag: "t" })).toEqual({ a: "2" });
});

test("a version that expires while it is tagged leaves no tag", async () => {
  const base = memoryKvStore();
  const db = await tinyDatabase(base);
  const first = await put(db, { a: "1" });
  for (let i = 0; i < 9; i++) await put(db, { a: String(i) });
  const slow = await openOcdbt(
    withFaults(base, ({ kind, key }) =>
      kind === "write" && text(key)!.startsWith("refs/tags/")
        ? { kind: "delay", until: expire(db, { keepLast: 1 }) }
        : undefined,
    ),
  );
  await expect(createTag(slow, "t", { generation: first })).rejects.toMatchObject({ code: "version-not-found" });
  expect(await collect(listTags(base, db.uuid))).toEqual([]);
});

test("of many who make a tag at once one succeeds", async () => {
  const db = await tinyDatabase();
  const generations = [];
  for (let i = 0; i < 5; i++) generations.push(await put(db, { a: String(i) }));
  const results = await Promise.allSettled(generations.map((generation) => createTag(db, "t", { generation })));
  expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason.code).toBe("already-exists");
});

test("a deleted tag is gone, its version is not", async () => {
  const db = await tinyDatabase();
  const first = await put(db, { a: "1" });
  await createTag(db, "t");
  expect(await deleteTag(db, "t")).toBe(true);
  expect(await deleteTag(db, "t")).toBe(false);
  await expect(db.at({ tag: "t" })).rejects.toMatchObject({ code: "version-not-found" });
  expect(await contents(db, { generation: first })).toEqual({ a: "1" });
});

test.each(["", "v12", "12", "HEAD", "2026-04-24T00:00:00Z", "a/b", "../x", ".hidden", "a b", "ä", "x".repeat(101)])(
  "%j cannot name a tag",
  async (name) => {
    const db = await tinyDatabase();
    await put(db, { a: "1" });
    await expect(createTag(db, name)).rejects.toMatchObject({ code: "bad-spec", fields: { name } });
  },
);

test("an unknown version cannot be tagged, nor one of an empty database", async () => {
  const db = await tinyDatabase();
  await put(db, { a: "1" });
  await expect(createTag(db, "t", { generation: 77n })).rejects.toMatchObject({ code: "version-not-found" });
  expect(await collect(listTags(db.parts.store, db.uuid))).toEqual([]);
});

test("torn and foreign files are told by name, and listed; force replaces them, deletion removes them", async () => {
  const db = await tinyDatabase();
  const generation = await put(db, { a: "1" });
  const { store } = db.parts;
  await createTag(db, "good");
  const sound = (await store.read("refs/tags/good.json"))!.value;
  const damage: Record<string, Uint8Array> = {
    empty: bytes(""),
    torn: sound.subarray(0, sound.length >> 1),
    latin: Uint8Array.of(0x22, 0xff, 0x22),
    list: bytes("[]"),
    foreign: bytes('{"name": "x"}'),
    kind: bytes('{"schema": 1, "kind": "fork"}'),
    members: bytes('{"schema": 1, "kind": "tag"}'),
    zero: bytes(new TextDecoder().decode(sound).replace(/"generation": "\d+"/, '"generation": "0"')),
    number: bytes(new TextDecoder().decode(sound).replace(/"generation": "\d+"/, '"generation": 3')),
    huge: new Uint8Array(70_000).fill(0x20),
  };
  for (const [name, value] of Object.entries(damage)) await store.write(`refs/tags/${name}.json`, value);
  await store.write("refs/tags/later.json", bytes('{"schema": 2, "kind": "tag"}'));
  await store.write("refs/tags/.DS_Store", bytes("x"));
  for (const name of Object.keys(damage)) {
    await expect(readTag(store, db.uuid, name), name).rejects.toMatchObject({
      code: "corrupt",
      fields: { file: `"refs/tags/${name}.json"` },
    });
  }
  await expect(readTag(store, db.uuid, "later")).rejects.toMatchObject({ code: "unsupported" });
  const listed = await collect(listTags(store, db.uuid));
  expect(listed.map(({ name }) => name)).toEqual([...Object.keys(damage), "good", "later"].sort());
  expect(listed.filter(({ tag }) => tag !== undefined).map(({ name }) => name)).toEqual(["good"]);
  await expect(createTag(db, "torn")).rejects.toMatchObject({ code: "corrupt" });
  expect((await createTag(db, "torn", undefined, { force: true })).generation).toBe(generation);
  expect(await deleteTag(db, "huge")).toBe(true);
});

test("a tag of the database that was here before is not one of this", async () => {
  const store = memoryKvStore();
  const old = await tinyDatabase(store);
  await put(old, { a: "1" });
  await createTag(old, "t");
  await store.write("manifest.ocdbt", null);
  const db = await tinyDatabase(store);
  await put(db, { a: "2" });
  await expect(db.at({ tag: "t" })).rejects.toMatchObject({ code: "version-not-found" });
  expect((await collect(listTags(store, db.uuid)))[0]?.error?.code).toBe("version-not-found");
});

test("whatever I/O fails or is the last, there is the old tag, or the new, and trying again succeeds", async () => {
  for (const kind of ["fail", "lose-ack", "tear"] as const) {
    for (let at = 0; at < 12; at++) {
      const base = memoryKvStore();
      const db = await tinyDatabase(base);
      const first = await put(db, { a: "1" });
      await createTag(db, "t");
      const second = await put(db, { a: "2" });
      const faulty = await openOcdbt(
        withFaults(base, ({ index }) =>
          index === at ? { ...(kind === "tear" ? { kind, bytes: 10 } : { kind }), thenCrash: true } : undefined,
        ),
      ).catch(() => undefined);
      (await faulty) && (await createTag(faulty!, "t", undefined, { force: true }).catch(() => {}));
      const found = await readTag(base, db.uuid, "t").catch((error: { code: string }) => error.code);
      // A store that tears writes leaves a torn tag, which is told as such.
      if (typeof found === "string") expect([kind, found]).toEqual(["tear", "corrupt"]);
      else expect([first, second]).toContain(found!.generation);
      expect((await createTag(db, "t", undefined, { force: true })).generation).toBe(second);
    }
  }
});
