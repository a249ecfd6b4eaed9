import { type KvStore, memoryKvStore, withCounters } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { isOcdbtError, type OcdbtDatabase, type OcdbtTransaction, openOcdbt } from "../src/index.ts";
import { orphans } from "./support/files.ts";
import { bytesOf, contentsOf, latin1 } from "./support/model.ts";

const isConflict = (error: unknown): boolean => isOcdbtError(error, "conflict");

async function example(): Promise<{ store: KvStore; db: OcdbtDatabase }> {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: { maxInlineValueBytes: 10, maxDecodedNodeBytes: 200 } });
  const keys = ["a/1", "a/2", "a/3", "b/1", "b/2", "c"];
  await db.apply(keys.map((key) => ({ op: "put", key: bytesOf(key), value: bytesOf(key) })));
  return { store, db };
}

const textAt = async (store: Pick<KvStore, "read">, key: string): Promise<string | undefined> => {
  const found = await store.read(key);
  return found && latin1(found.value);
};

async function keysOf(store: Pick<KvStore, "list">, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list({ prefix })) keys.push(latin1(key));
  return keys;
}

test("reads, lists and conditions see the changes before, nobody else does until the commit", async () => {
  const { db } = await example();
  const transaction = await db.transaction();
  await transaction.write("a/2", bytesOf("new"));
  await transaction.write("a/9", bytesOf("a value in a data file"));
  await transaction.write("b/1", null);
  await transaction.deleteRange({ start: bytesOf("a/3"), end: bytesOf("a/4") });
  expect(await textAt(transaction, "a/2")).toBe("new");
  expect(await textAt(transaction, "a/3")).toBeUndefined();
  expect(await textAt(transaction, "b/1")).toBeUndefined();
  expect(await keysOf(transaction)).toEqual(["a/1", "a/2", "a/9", "b/2", "c"]);
  const level: string[] = [];
  for await (const entry of transaction.listLevel())
    level.push(latin1(entry.kind === "key" ? entry.key : entry.prefix));
  expect(level).toEqual(["a/", "b/", "c"]);
  const large = (await transaction.read("a/9", { range: { suffixLength: 4 } }))!;
  expect([latin1(large.value), large.size]).toEqual(["file", 22]);
  expect(await transaction.read("a/9", { ifNotGeneration: large.generation })).toBe("unchanged");
  expect(await transaction.write("a/9", null, { ifGeneration: "other" })).toEqual({
    written: false,
    generation: large.generation,
  });
  expect((await transaction.write("a/9", bytesOf("small"), { ifGeneration: large.generation })).written).toBe(true);
  expect((await transaction.write("b/1", bytesOf("again"), { ifGeneration: null })).written).toBe(true);

  expect(await keysOf(db)).toEqual(["a/1", "a/2", "a/3", "b/1", "b/2", "c"]);
  const { head } = await transaction.commit();
  expect(head?.generation).toBe(2n);
  expect(Object.fromEntries(await contentsOf(db))).toEqual({
    "a/1": "a/1",
    "a/2": "new",
    "a/9": "small",
    "b/1": "again",
    "b/2": "b/2",
    c: "c",
  });
});

describe("a commit that somebody else was faster than", () => {
  const uses: Record<string, (transaction: OcdbtTransaction) => Promise<unknown>> = {
    "read a key": (transaction) => transaction.read("a/2"),
    "read an absent key": (transaction) => transaction.read("a/7"),
    "listed a range": (transaction) => keysOf(transaction, "a/"),
    "compared a key": (transaction) => transaction.write("a/2", null, { ifGeneration: "other" }),
    "listed as far as a key": async (transaction) => {
      for await (const { key } of transaction.list()) if (latin1(key) === "a/2") break;
    },
    "only wrote": async () => {},
  };
  const changes: Record<string, (db: OcdbtDatabase) => Promise<unknown>> = {
    "changed that key": (db) => db.write("a/2", bytesOf("theirs")),
    "added a key beside": (db) => db.write("a/7", bytesOf("theirs")),
    "removed a range": (db) => db.deleteRange({ start: bytesOf("a/2"), end: bytesOf("a/4") }),
    "changed another key": (db) => db.write("b/1", bytesOf("theirs")),
    "changed it and changed it back": async (db) => {
      await db.write("a/2", bytesOf("x"));
      await db.write("a/2", bytesOf("a/2"));
    },
  };
  const conflicts: Record<string, readonly string[]> = {
    "read a key": ["changed that key", "removed a range"],
    "read an absent key": ["added a key beside"],
    "listed a range": ["changed that key", "added a key beside", "removed a range"],
    "compared a key": ["changed that key", "removed a range"],
    "listed as far as a key": ["changed that key", "removed a range"],
    "only wrote": [],
  };
  for (const [use, read] of Object.entries(uses)) {
    for (const [change, write] of Object.entries(changes)) {
      const isRefused = conflicts[use]!.includes(change);
      test(`${isRefused ? "fails" : "goes on"} when it ${use} and they ${change}`, async () => {
        const { store, db } = await example();
        const transaction = await db.transaction();
        await read(transaction);
        await transaction.write("c", bytesOf("mine"));
        await write(await openOcdbt(store));
        if (isRefused) {
          await expect(transaction.commit()).rejects.toSatisfy(isConflict);
          expect(await textAt(db, "c")).toBe("c");
        } else {
          await transaction.commit();
          expect(await textAt(db, "c")).toBe("mine");
        }
      });
    }
  }

  test("fails also against what waits in the same process", async () => {
    const { db } = await example();
    const [first, second] = await Promise.all([db.transaction(), db.transaction()]);
    for (const transaction of [first, second]) {
      const found = await textAt(transaction, "c");
      await transaction.write("c", bytesOf(`${found}+`));
    }
    const results = await Promise.allSettled([first.commit(), second.commit()]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await textAt(db, "c")).toBe("c+");
    expect((await db.head())?.generation).toBe(2n);
  });
});

test("a transaction reads the version it began at, whatever is committed meanwhile", async () => {
  const { db } = await example();
  const transaction = await db.transaction();
  await db.write("a/1", bytesOf("later"));
  expect(await textAt(transaction, "a/1")).toBe("a/1");
  expect((await transaction.version())?.generation).toBe(1n);
});

test("values beyond the budget are uploaded early, and removed when it comes to nothing", async () => {
  const store = memoryKvStore();
  const { store: counted, counts } = withCounters(store);
  const db = await openOcdbt(counted, { config: { maxInlineValueBytes: 10 }, maxStagedBytes: 5000 });
  await db.write("k", bytesOf("v"));
  for (const end of ["abort", "conflict", "commit"] as const) {
    counts.writes = 0;
    const transaction = await db.transaction();
    await transaction.read("k");
    const generations: unknown[] = [];
    for (let i = 0; i < 12; i++) {
      generations.push((await transaction.write(`large/${i}`, new Uint8Array(1000).fill(i))).generation);
    }
    expect(counts.writes, "uploads").toBe(2);
    expect(new Set(generations).size).toBe(12);
    expect((await transaction.read("large/3"))?.generation).toBe(generations[3]);
    expect((await transaction.read("large/3"))?.value[999]).toBe(3);
    if (end === "abort") await transaction.abort();
    else if (end === "conflict") {
      await db.write("k", bytesOf("theirs"));
      await expect(transaction.commit()).rejects.toSatisfy(isConflict);
    } else {
      await transaction.commit();
      expect((await db.read("large/11"))?.value).toEqual(new Uint8Array(1000).fill(11));
    }
    await db.parts.committer.commit([], { atomic: true });
    expect(await orphans(store, db), end).toEqual([]);
  }
});

test("an ended transaction is not used again; one without changes makes no version", async () => {
  const { db } = await example();
  const transaction = await db.transaction();
  await transaction.read("c");
  expect(await transaction.commit()).toMatchObject({ head: { generation: 1n }, applied: [] });
  for (const call of [transaction.read("c"), transaction.write("c", null), transaction.commit()]) {
    await expect(call).rejects.toSatisfy((error) => isOcdbtError(error, "closed"));
  }
  await transaction.close();
});

test("a transaction can begin before the database exists, and expects that nobody makes what it looked for", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store);
  const [first, second] = await Promise.all([db.transaction(), db.transaction()]);
  for (const transaction of [first, second]) {
    expect(await keysOf(transaction)).toEqual([]);
    await transaction.write("only", bytesOf("one"));
  }
  await first.commit();
  await expect(second.commit()).rejects.toSatisfy(isConflict);
  expect((await db.head())?.generation).toBe(1n);
});
