/** One handle has read a manifest, another expires its versions and sweeps their files: whatever the first does next. */
import { type KvStore, keyText, memoryKvStore, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../src/contract.ts";
import { ocdbtGateway } from "../src/gateway.ts";
import { diff } from "../src/history/diff.ts";
import { keyHistory } from "../src/history/key-history.ts";
import { log } from "../src/history/log.ts";
import { restore } from "../src/history/restore.ts";
import { createTag } from "../src/history/tags.ts";
import { versions } from "../src/history/versions.ts";
import { openOcdbt } from "../src/open.ts";
import type { OpenOptions } from "../src/open-options.ts";
import { expire, fsck, sweep } from "../src/upkeep/index.ts";
import { bytes, collect, contents, text, tiny } from "./history/world.ts";

const KEYS = 20;
const kinds = ["single", "numbered"] as const;

/** Every key of each generation has its number as its value. */
async function commit(db: OcdbtDatabase, generation: number): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, i) => `k${String(i).padStart(2, "0")}`);
  await db.apply(keys.map((key) => ({ op: "put", key, value: bytes(`value ${generation}`) })));
}

/** Takes all versions but the newest out, and all files of theirs. */
async function clear(store: KvStore): Promise<void> {
  const other = await openOcdbt(store);
  await commit(other, 10);
  await expire(other, { keepLast: 1 });
  // Of a numbered database the older manifests hold the files.
  const newest = (await other.head())!.generation;
  if (other.config.manifestKind === "numbered") {
    for await (const { key } of store.list({ prefix: "manifest.0" })) {
      if (BigInt(`0x${keyText(key)!.slice("manifest.".length)}`) < newest) await store.write(key, null);
    }
  }
  expect((await sweep(other, { graceMs: 0 })).removed.length).toBeGreaterThan(0);
}

/** A handle that knows the database as it was before it was cleared, and has none of its nodes. */
async function behind(
  kind: (typeof kinds)[number] = "single",
  options: OpenOptions = {},
): Promise<{ readonly store: KvStore; readonly db: OcdbtDatabase }> {
  const store = memoryKvStore();
  const writer = await openOcdbt(store, { config: { ...tiny, manifestKind: kind } });
  for (let i = 1; i <= 8; i++) await commit(writer, i);
  const db = await openOcdbt(store, options);
  await clear(store);
  return { store, db };
}

const stale = { maxStalenessMs: 60_000 };
const gone = { code: "version-not-found" };

for (const kind of kinds) {
  test(`a read, a list, and a list of folders begin again on the newest version (${kind})`, async () => {
    const read = await behind(kind, stale);
    expect(text((await read.db.read("k07"))?.value)).toBe("value 10");
    const listed = await behind(kind, stale);
    expect(await collect(listed.db.list())).toHaveLength(KEYS);
    const level = await behind(kind, stale);
    expect(await collect(level.db.listLevel())).toHaveLength(KEYS);
    const zarr = await behind(kind, stale);
    expect(text(await zarr.db.asZarrStore().get("/k07"))).toBe("value 10");
  });

  test(`a write, an atomic commit and one with conditions are made on the newest version (${kind})`, async () => {
    // The eighth version fills a block, so the ninth folds version nodes that are gone.
    const { db, store } = await behind(kind);
    await db.write("k07", bytes("mine"));
    const all = await contents(db);
    expect([all["k07"], all["k08"]]).toEqual(["mine", "value 10"]);
    expect((await fsck(store)).findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    const other = (await behind(kind)).db;
    await other.apply([
      { op: "put", key: "k00", value: bytes("mine"), ifGeneration: (await other.read("k00"))!.generation },
      { op: "deleteRange", start: "k05", end: "k06" },
    ]);
    expect(Object.keys(await contents(other))).toHaveLength(KEYS - 1);
  });

  test(`the log and the history of a key begin with the newest version (${kind})`, async () => {
    const { db } = await behind(kind);
    const first = (await db.head())!.generation;
    expect((await collect(log(db)))[0]?.generation).toBe(first);
    expect((await collect(keyHistory((await behind(kind)).db, "k00")))[0]?.kind).toBe("kept");
  });

  test(`versions that are gone are said to be, by whatever asks for them (${kind})`, async () => {
    const { db, store } = await behind(kind);
    // Known to this handle, so that nothing is asked for before it is read.
    const view = await db.at({ generation: 7n });
    await expect(view.read("k00")).rejects.toMatchObject({
      ...gone,
      fields: { generation: 7n },
      cause: { code: "not-found" },
    });
    await expect(view.read("k00")).rejects.toThrow(/generation 7 of memory:.* has expired/);
    const asked: readonly ((late: OcdbtDatabase) => Promise<unknown>)[] = [
      async (late) => await collect((await late.at({ generation: 8n })).list()),
      async (late) => await collect((await late.at({ generation: 8n })).listLevel()),
      async (late) => await collect(diff(late, { generation: 7n }, { generation: 8n })),
      async (late) => await collect(diff(late, { generation: 8n })),
      async (late) => await restore(late, { generation: 7n }),
      async (late) => await createTag(late, "t", { generation: 7n }),
      // In a version node.
      async (late) => await late.at({ generation: 1n }),
    ];
    for (const ask of asked) await expect(ask((await behind(kind)).db), String(ask)).rejects.toMatchObject(gone);
    const handle = ocdbtGateway({ database: () => db });
    const response = await handle(new Request("http://localhost/x/v7/files/k00"));
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ error: { code: "version-not-found" } });
    expect((await fsck(store)).isSound).toBe(true);
  });

  test(`a transaction whose version is gone says so (${kind})`, async () => {
    const store = memoryKvStore();
    const writer = await openOcdbt(store, { config: { ...tiny, manifestKind: kind } });
    for (let i = 1; i <= 8; i++) await commit(writer, i);
    const db = await openOcdbt(store);
    const transaction = await db.transaction();
    await clear(store);
    await expect(transaction.read("k00")).rejects.toMatchObject(gone);
    await expect(collect(transaction.list())).rejects.toMatchObject(gone);
  });
}

test("a list that has begun does not go on with another version", async () => {
  const store = memoryKvStore();
  const writer = await openOcdbt(store, { config: { ...tiny, maxDecodedNodeBytes: 80 } });
  for (let i = 0; i < 200; i++) await writer.write(`k${i}`, bytes(String(i)));
  const db = await openOcdbt(store, { cacheBytes: 0 });
  const entries = db.list()[Symbol.asyncIterator]();
  await entries.next();
  await clear(store);
  const rest = async (): Promise<void> => {
    while (!(await entries.next()).done);
  };
  await expect(rest()).rejects.toMatchObject(gone);
});

test("the log goes on with what is left when versions expire while it is read", async () => {
  const store = memoryKvStore();
  const writer = await openOcdbt(store, { config: tiny });
  for (let i = 1; i <= 40; i++) await commit(writer, i);
  await createTag(writer, "kept", { generation: 5n });
  const db = await openOcdbt(store);
  const walk = versions(db);
  const seen = [(await walk.next()).value!.generation];
  await clear(store);
  for await (const { generation } of walk) seen.push(generation);
  expect(seen[0]).toBe(40n);
  expect(seen).toContain(5n);
  expect(seen.length).toBeLessThan(20);
  expect([...seen].sort((a, b) => Number(b - a))).toEqual(seen);
});

test("a file that is gone though its version is there stays damage, told once", async () => {
  const store = memoryKvStore();
  const writer = await openOcdbt(store, { config: tiny });
  for (let i = 1; i <= 4; i++) await commit(writer, i);
  const { root } = (await writer.version())!;
  let reads = 0;
  const counted = withFaults(store, ({ kind, key }) => {
    if (kind === "read" && keyText(key!)!.startsWith("d/")) reads++;
    return undefined;
  });
  const db = await openOcdbt(counted);
  const pinned = await db.at({ ancestor: 0 });
  await store.write(root.location!.file.relativePath, null);
  for (const work of [
    () => db.read("k00"),
    () => collect(db.list()),
    () => pinned.read("k00"),
    () => collect(diff(db, { ancestor: 0 }, { ancestor: 1 })),
    () => db.write("k00", bytes("x")),
  ]) {
    reads = 0;
    await expect(work()).rejects.toMatchObject({
      code: "not-found",
      fields: { file: JSON.stringify(root.location!.file.relativePath) },
    });
    expect(reads).toBeLessThanOrEqual(3);
  }
});
