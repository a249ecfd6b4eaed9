import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KvStore, kvStack, memoryKvStore } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { describe, expect, test } from "vitest";
import { isOcdbtError } from "../../src/errors.ts";
import { fork } from "../../src/fork/create.ts";
import { dropFork } from "../../src/fork/drop.ts";
import { merge } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { log } from "../../src/history/log.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, fsck, repair, sweep } from "../../src/upkeep/index.ts";
import {
  atEveryCall,
  bytes,
  contentsOf,
  expectHistory,
  expectSound,
  filesOf,
  generationsOf,
  grow,
  TINY,
  withPast,
} from "./world.ts";

const failing = (code: string) => (error: unknown) => isOcdbtError(error) && error.code === code;
const ORPHAN = `d/${"0123456789abcdef".repeat(2)}`;
const GRACE_MS = 15 * 60_000;
const now0 = { graceMs: 0 };

test("a prefix of data files needs no slash at its end", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { dataPrefix: "v-", config: { maxInlineValueBytes: 0 } });
  for (let i = 0; i < 4; i++) await db.write("k", bytes(`value ${i}`));
  await expire(db, { keepLast: 1 });
  const { removed } = await sweep(db, now0);
  expect(removed.length).toBeGreaterThan(0);
  expect(removed.every(({ path }) => path.startsWith("v-"))).toBe(true);
  expect((await db.read("k"))?.value).toEqual(bytes("value 3"));
  await expectSound(store);
});

test("after expiry the files of expired versions go, and every kept version is whole", async () => {
  const { store, db, history } = await withPast(25);
  const before = (await filesOf(store)).length;
  expect((await sweep(db, now0)).removed).toEqual([]);
  await expire(db, { keepLast: 2 });
  const { removed, waiting, needed } = await sweep(db, now0);
  expect(removed.length).toBeGreaterThan(10);
  expect(waiting).toEqual([]);
  expect((await filesOf(store)).length).toBe(needed);
  expect(needed + removed.length).toBeLessThanOrEqual(before + 2);
  await expectHistory(db, history);
  await expectSound(store);
});

test("a file goes only when it was unneeded at two sweeps with the grace between", async () => {
  const { store, db } = await withPast(3);
  await store.write(ORPHAN, bytes("left by a commit that failed"));
  let time = 1_000_000;
  const options = { graceMs: GRACE_MS, now: () => time };
  expect(await sweep(db, options)).toMatchObject({ removed: [], waiting: [{ path: ORPHAN, bytes: 28 }] });
  time += GRACE_MS - 1;
  await sweep(db, options);
  expect(await store.read(ORPHAN)).toBeDefined();
  time += 1;
  expect((await sweep(db, { ...options, dryRun: true })).removed).toEqual([{ path: ORPHAN, bytes: 28 }]);
  expect(await store.read(ORPHAN)).toBeDefined();
  await sweep(db, options);
  expect(await store.read(ORPHAN)).toBeUndefined();
  expect(await filesOf(store, "refs/")).toEqual([]);
});

test("a file that came into use while it waited stays", async () => {
  const { store, db } = await withPast(2);
  const swept: number[] = [];
  const write: KvStore["write"] = async (key, value, options) => {
    if (key === "manifest.ocdbt") swept.push((await sweep(db, { graceMs: GRACE_MS, now: () => 0 })).waiting.length);
    return await store.write(key, value, options);
  };
  const committing = await openOcdbt({ ...borrowed(store), write });
  await committing.write("late", bytes("durable and not yet referred to when the sweep came by"));
  expect(swept).toEqual([1]);
  expect(await sweep(db, { graceMs: GRACE_MS, now: () => GRACE_MS })).toMatchObject({ removed: [], waiting: [] });
  await expectSound(store);
});

test("a value in a file that waits to be swept is written anew by the commit that needs it", async () => {
  const { store, db } = await withPast(2);
  const writer = db.parts.newDataFileWriter();
  const value = writer.append(bytes("uploaded long before its commit"), "value");
  await writer.flush();
  const options = { graceMs: GRACE_MS, now: () => 0 };
  expect((await sweep(db, options)).waiting).toHaveLength(1);
  await db.apply([{ op: "put", key: bytes("late"), value }]);
  const removed = [{ path: value.file.relativePath }];
  expect(await sweep(db, { graceMs: GRACE_MS, now: () => GRACE_MS })).toMatchObject({ removed, waiting: [] });
  expect((await db.read("late"))?.value).toEqual(bytes("uploaded long before its commit"));
  await expectSound(store);
});

test("only files with the names of data files under the database's own prefixes are looked at", async () => {
  const { store, db } = await withPast(3);
  const others = ["d/notes.txt", `d/${"a".repeat(31)}`, `other/${"a".repeat(32)}`, `d/sub/${"a".repeat(32)}`, "info"];
  for (const key of others) await store.write(key, bytes("somebody else's"));
  await store.write(ORPHAN, bytes("x"));
  expect((await sweep(db, now0)).removed.map(({ path }) => path)).toEqual([ORPHAN]);
  for (const key of others) expect(await store.read(key)).toBeDefined();
});

test("the prefixes the database was opened with are swept, and others that are named", async () => {
  const { store, db, history } = await withPast(6, { dataPrefix: { value: "values/", btree: "nodes/" } });
  const strays = ["values/", "nodes/", "d/"].map((prefix) => prefix + "a".repeat(32));
  for (const key of [...strays, `own/${"a".repeat(32)}`]) await store.write(key, bytes("x"));
  expect((await sweep(db, now0)).removed.map(({ path }) => path).sort()).toEqual(strays.sort());
  expect((await sweep(db, { ...now0, prefixes: ["own/"] })).removed).toHaveLength(1);
  expect((await sweep(await openOcdbt(store), now0)).removed).toEqual([]);
  await expectHistory(db, history);
  await expectSound(store);
});

test("a stack that is no registered fork is refused, and counts as one when it is named", async () => {
  const { store, db, history } = await withPast(12);
  const own = memoryKvStore();
  const stack = kvStack([
    { store: borrowed(store) },
    { store: borrowed(own), exact: "manifest.ocdbt", stripPrefix: 0 },
    { store: borrowed(own), prefix: "g_d/", stripPrefix: 0 },
  ]);
  await own.write("manifest.ocdbt", (await store.read("manifest.ocdbt"))!.value);
  const foreign = await openOcdbt(stack, { dataPrefix: "g_d/" });
  await grow(foreign, 3, 5, new Map(history));
  await expire(db, { keepLast: 1 });
  expect((await sweep(db, { ...now0, unregistered: [stack] })).removed).toEqual([]);
  await expectHistory(foreign, history);
  expect((await sweep(db, { ...now0, dryRun: true })).removed).not.toEqual([]);
});

test("older numbered manifests keep what their versions need", async () => {
  const { store, db } = await withPast(8, { config: { ...TINY, manifestKind: "numbered" } });
  await expire(db, { keepLast: 1 });
  expect((await sweep(db, now0)).removed).toEqual([]);
  for (const key of (await filesOf(store, "manifest.0")).slice(0, -1)) await store.write(key, null);
  expect((await sweep(db, now0)).removed.length).toBeGreaterThan(0);
  await expectSound(store);
});

test("messages go with their versions", async () => {
  const { store, db } = await withPast(6);
  for (const message of ["first", "second"]) {
    await db.apply([{ op: "put", key: bytes(message), value: bytes("x") }], { message });
  }
  await grow(db, 4, 3);
  await db.apply([{ op: "put", key: bytes("k"), value: bytes("y") }], { message: "third" });
  expect((await sweep(db, now0)).messages).toBe(0);
  await expire(db, { keepLast: 1 });
  expect((await sweep(db, { ...now0, dryRun: true })).messages).toBe(2);
  expect(await filesOf(store, "refs/log/")).toHaveLength(3);
  expect((await sweep(db, now0)).messages).toBe(2);
  const { value: newest } = await log(db).next();
  expect(newest).toMatchObject({ message: "third" });
  expect(await filesOf(store, "refs/log/")).toHaveLength(1);
});

test("nothing goes when a version cannot be read", async () => {
  const { store } = await withPast(6);
  await store.write(ORPHAN, bytes("x"));
  const [file] = (await filesOf(store)).filter((path) => path !== ORPHAN);
  await store.write(file!, null);
  const fresh = await openOcdbt(store);
  await expect(sweep(fresh, now0)).rejects.toSatisfy(failing("not-found"));
  expect(await store.read(ORPHAN)).toBeDefined();
});

describe("with forks", () => {
  async function family() {
    const { store, db, history } = await withPast(25);
    const all = await generationsOf(db);
    await fork(db, "a", { version: { generation: all[5]! } });
    const a = await openFork(store, "a");
    const inA = new Map(history);
    await grow(a, 4, 11, inA);
    await fork(a, "b");
    const b = await openFork(a.parts.store, "b");
    const inB = new Map(inA);
    await grow(b, 3, 12, inB);
    return { store, db, history, a, inA, b, inB, all };
  }

  test("what a fork, or a fork of a fork, needs of the base's files stays", async () => {
    const { store, db, history, a, inA, b, inB, all } = await family();
    await expire(db, { keepLast: 1 });
    expect((await sweep(db, now0)).removed.length).toBeGreaterThan(0);
    expect(await generationsOf(db)).toContain(all[5]);
    await expectHistory(await openOcdbt(store), history);
    await expectHistory(await openFork(store, "a"), inA);
    await expectHistory(await openFork(a.parts.store, "b"), inB);
    await expire(a, { keepLast: 1 });
    expect((await sweep(a, { ...now0, base: store })).removed.every(({ path }) => path.startsWith("a_d/"))).toBe(true);
    await expectHistory(await openFork(store, "a"), inA);
    await expectHistory(await openFork(a.parts.store, "b"), inB);
    await expire(b, { keepLast: 1 });
    await expect(sweep(b, { ...now0, base: a.parts.store })).rejects.toSatisfy(failing("unsafe"));
    expect((await sweep(b, { ...now0, base: store })).needed).toBeGreaterThan(0);
    for (const each of [store, a.parts.store, b.parts.store]) await expectSound(each);
  });

  test("a fork without a manifest, or one that cannot be read, stops everything", async () => {
    for (const value of [null, bytes("not a manifest")]) {
      const { store, db } = await family();
      await store.write("forks/a/manifest.ocdbt", value);
      await expire(db, { keepLast: 1 });
      const before = await filesOf(store, "");
      await expect(sweep(db, now0)).rejects.toSatisfy(failing(value === null ? "unsafe" : "corrupt"));
      expect(await filesOf(store, "")).toEqual(before);
    }
  });

  test("a registration that cannot be read stops everything", async () => {
    const { store, db } = await family();
    await store.write("refs/forks/zz.json", bytes("{"));
    await expect(sweep(db, now0)).rejects.toSatisfy(failing("unsafe"));
  });

  test("the folder of a fork that lies elsewhere has to be opened", async () => {
    const { store, db, history } = await withPast(20);
    const elsewhere = memoryKvStore();
    await fork(db, "far", { folder: elsewhere, version: { ancestor: 14 } });
    const far = await openFork(store, "far", { folder: elsewhere });
    const inFar = await grow(far, 3, 5, new Map(history));
    await expire(db, { keepLast: 1 });
    await expect(sweep(db, now0)).rejects.toSatisfy(failing("unsafe"));
    const openFolder = (): KvStore => borrowed(elsewhere);
    expect((await sweep(db, { ...now0, openFolder })).removed.length).toBeGreaterThan(0);
    await expectHistory(await openFork(store, "far", { folder: elsewhere }), inFar);
  });

  test("folders of forks outside, and of forks of those, are opened and each is closed once it has been gone through", async () => {
    const at = await mkdtemp(join(tmpdir(), "pcg-family-"));
    const opened: KvStore[] = [];
    const openFolder = ({ url }: { readonly url: string }): KvStore => {
      const store = fileKvStore(new URL(url).pathname);
      opened.push(store);
      return store;
    };
    try {
      const store = fileKvStore(join(at, "base/"));
      const { db, history } = await withPast(8, {}, store);
      const folder = fileKvStore(join(at, "far/"));
      await fork(db, "far", { folder, version: { ancestor: 4 } });
      const far = await openFork(store, "far", { folder });
      const inFar = await grow(far, 2, 5, new Map(history));
      const inner = fileKvStore(join(at, "inner/"));
      await fork(far, "inner", { folder: inner });
      await fork(far, "below");
      const inInner = await grow(await openFork(far.parts.store, "inner", { folder: inner }), 2, 6, new Map(inFar));
      await expire(db, { keepLast: 1 });
      expect((await fsck(store, { openFolder })).isSound).toBe(true);
      expect((await repair(store, { openFolder })).actions).toEqual([]);
      await store.write(ORPHAN, bytes("x"));
      expect((await sweep(db, { ...now0, openFolder })).removed.map(({ path }) => path)).toContain(ORPHAN);
      expect(new Set(opened.map(({ url }) => url))).toEqual(new Set([folder.url, inner.url]));
      for (const one of opened) await expect(one.read("manifest.ocdbt")).rejects.toThrow("closed");
      await expectHistory(await openFork(store, "far", { folder }), inFar);
      await expectHistory(await openFork(far.parts.store, "inner", { folder: inner }), inInner);
      await expectHistory(db, history);
    } finally {
      await rm(at, { recursive: true, force: true });
    }
  });

  test("files of a fork that its base has merged stay as long as the base needs them", async () => {
    const { store, db, a } = await family();
    await a.apply([{ op: "put", key: bytes("merged"), value: bytes("a value in a file of the fork") }]);
    await merge(db, "a", { onConflict: "theirs" });
    const merged = await contentsOf(db, (await db.head())!.generation);
    await a.apply([{ op: "delete", key: bytes("merged") }]);
    await expire(a, { keepLast: 1 });
    const fresh = await openFork(store, "a");
    await expect(sweep(fresh, now0)).rejects.toSatisfy(failing("unsafe"));
    await sweep(fresh, { ...now0, base: store });
    expect(await contentsOf(await openOcdbt(store), (await db.head())!.generation)).toEqual(merged);
    expect(merged.get("merged")).toBe("a value in a file of the fork");
    await expectSound(store);
  });

  test("what an earlier fork of the same name left for the base is not the new one's to remove", async () => {
    const { store, db } = await withPast(2);
    await fork(db, "f");
    const first = await openFork(store, "f");
    await first.apply([{ op: "put", key: bytes("merged"), value: bytes("a value in a file of the fork") }]);
    await merge(db, "f");
    await dropFork(db, "f");
    await fork(db, "f", { version: { generation: 1n } });
    const second = await openFork(store, "f");
    await expect(sweep(second, now0)).rejects.toSatisfy(failing("unsafe"));
    expect((await sweep(second, { ...now0, base: store })).removed).toEqual([]);
    expect((await db.read("merged"))?.value).toEqual(bytes("a value in a file of the fork"));
    await expectSound(store);
  });

  test("what a dropped fork left for its base is swept with the base", async () => {
    const { store, db, history } = await withPast(6);
    await fork(db, "gone");
    const gone = await openFork(store, "gone");
    await gone.apply([{ op: "put", key: bytes("merged"), value: bytes("a value in a file of the fork") }]);
    await merge(db, "gone");
    await dropFork(db, "gone");
    expect(await filesOf(store, "forks/gone/")).not.toEqual([]);
    await sweep(db, now0);
    expect((await db.read("merged"))?.value).toEqual(bytes("a value in a file of the fork"));
    await db.write("merged", null);
    await expire(db, { keepLast: 1 });
    await sweep(db, now0);
    expect(await filesOf(store, "forks/gone/")).toEqual([]);
    await expectHistory(db, history);
    await expectSound(store);
  });
});

test("a breakdown at any call leaves every version whole, and another run finishes", async () => {
  const { store, db, history } = await withPast(6);
  await fork(db, "a", { version: { ancestor: 3 } });
  await expire(db, { keepLast: 1 });
  const calls = await atEveryCall(
    store,
    async (faulty) => {
      await sweep(await openOcdbt(faulty), { graceMs: GRACE_MS, now: () => 0 });
      await sweep(await openOcdbt(faulty), { graceMs: GRACE_MS, now: () => GRACE_MS });
    },
    async (left) => {
      const opened = await openOcdbt(left);
      await expectHistory(opened, history);
      await expectHistory(await openFork(left, "a"), history);
      await sweep(opened, now0);
      await expectHistory(await openOcdbt(left), history);
    },
    [
      { kind: "fail", thenCrash: true },
      { kind: "lose-ack", thenCrash: true },
    ],
  );
  expect(calls).toBeGreaterThan(20);
});

test("sweeping beside writers removes nothing that a commit makes use of", async () => {
  const { store, db, history } = await withPast(10);
  const writer = await openOcdbt(store);
  // A store in memory never waits, so the two would not take turns of themselves.
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  // The clock goes on with each commit, so that the grace is longer than any of them takes.
  let commits = 0;
  let removed = 0;
  const sweeping = (async () => {
    while (commits < 25) {
      removed += (await sweep(db, { graceMs: GRACE_MS, now: () => (commits * GRACE_MS) / 2 })).removed.length;
      await expire(db, { keepLast: 4 });
      await turn();
    }
  })();
  for (; commits < 25; commits++) {
    await grow(writer, 1, commits, history);
    await turn();
  }
  await sweeping;
  expect(removed).toBeGreaterThan(0);
  await expectHistory(await openOcdbt(store), history);
  await expectSound(store);
});

test("without a manifest nothing is removed, whether it was lost or lies elsewhere", async () => {
  const { store, db, history } = await withPast(3);
  const manifest = (await store.read("manifest.ocdbt"))!.value;
  await store.write("manifest.ocdbt", null);
  await expect(sweep(db, now0)).rejects.toMatchObject({ code: "not-found" });
  await expect(sweep(await openOcdbt(store), now0)).rejects.toMatchObject({
    code: "not-found",
    fields: { url: store.url },
  });
  await store.write("manifest.ocdbt", manifest);
  await expectHistory(await openOcdbt(store), history);
  await expectSound(store);
});

test("of a database with its manifest elsewhere what lies under prefixes of its own is swept, and nothing where others may write", async () => {
  const at = await mkdtemp(join(tmpdir(), "pcg-manifest-store-"));
  try {
    const stores = () => ({ data: fileKvStore(join(at, "data")), manifestStore: fileKvStore(join(at, "own")) });
    const { data, manifestStore } = stores();
    const own = await openOcdbt(data, { manifestStore, dataPrefix: "mine/", config: { maxInlineValueBytes: 4 } });
    await own.write("a", bytes("a value"));
    await own.write("a", bytes("another"));
    await data.write("d/00000000000000000000000000000000", bytes("somebody else's"));
    await expire(own, { keepLast: 1 });
    expect((await sweep(own, now0)).removed.length).toBeGreaterThan(0);
    expect((await own.read("a"))?.value).toEqual(bytes("another"));
    expect(await filesOf(data, "d/")).toHaveLength(1);
    const again = stores();
    const shared = await openOcdbt(again.data, { manifestStore: again.manifestStore });
    await expect(sweep(shared, now0)).rejects.toMatchObject({ code: "unsafe" });
    // The configuration is where the manifest is.
    await expect(sweep(await openOcdbt(again.data), now0)).rejects.toMatchObject({ code: "not-found" });
    await Promise.all([own.close(), shared.close()]);
  } finally {
    await rm(at, { recursive: true, force: true });
  }
});

test("progress is told and an abort heeded", async () => {
  const { store, db } = await withPast(4);
  await store.write(ORPHAN, bytes("x"));
  const phases: string[] = [];
  await sweep(db, { ...now0, dryRun: true, onProgress: ({ phase }) => phases.push(phase) });
  const reason = new Error("enough");
  await expect(sweep(db, { ...now0, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await store.read(ORPHAN)).toBeDefined();
  await sweep(db, { ...now0, onProgress: ({ phase, done, total }) => phases.push(`${phase} ${done} ${total}`) });
  expect(phases).toContain("removing files 1 1");
});

/** A store that closing leaves open. */
function borrowed(store: KvStore): KvStore {
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: store.read.bind(store) as KvStore["read"],
    write: store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: async () => {},
  };
}
