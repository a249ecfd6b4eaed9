import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { isOcdbtError } from "../../src/errors.ts";
import {
  type BtreeNodeReference,
  decodeManifest,
  encodeManifest,
  type IndirectReference,
  keyAt,
  lastAtMost,
  type Manifest,
  pathToBytes,
} from "../../src/format/index.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, fsck, type RepairAction, type RepairOptions, repair } from "../../src/upkeep/index.ts";
import {
  atEveryCall,
  bytes,
  contentsOf,
  expectHistory,
  expectSound,
  filesOf,
  generationsOf,
  grow,
  type History,
  TINY,
  withPast,
} from "./world.ts";

async function kinds(store: KvStore, options: RepairOptions = {}): Promise<RepairAction["kind"][]> {
  return (await repair(store, options)).actions.map(({ kind }) => kind);
}

async function rewriteManifest(store: KvStore, change: (manifest: Manifest) => Manifest): Promise<void> {
  const manifest = await decodeManifest((await store.read("manifest.ocdbt"))!.value);
  await store.write("manifest.ocdbt", await encodeManifest(change(manifest)));
}

/** Flips a bit in what a reference names. */
async function damage(store: KvStore, { file, offset }: IndirectReference): Promise<void> {
  const key = pathToBytes(file.basePath + file.relativePath);
  const whole = Uint8Array.from((await store.read(key))!.value);
  whole[offset + 20]! ^= 1;
  await store.write(key, whole);
}

const KEY = "a/b/7-once-more";

/** A database whose newest version alone has a damaged leaf, the one with `KEY`; blocks of the version tree have two versions. */
async function withDamagedNewest(
  endsBlock = false,
  commits = 10,
): Promise<{ store: KvStore; history: History; newest: bigint }> {
  const { store, db, history } = await withPast(commits);
  for (;;) {
    await db.apply([{ op: "put", key: bytes(KEY), value: bytes("lost") }]);
    const newest = (await db.head())!.generation;
    history.set(newest, await contentsOf(db, newest));
    if ((newest % 2n === 0n) !== endsBlock) continue;
    await damage(store, (await leafOf(db, (await db.version())!.root, "")).location!);
    return { store, history, newest };
  }
}

async function leafOf(db: OcdbtDatabase, root: BtreeNodeReference, prefix: string): Promise<BtreeNodeReference> {
  const node = await db.parts.nodes.btreeNode(root);
  if (!("children" in node)) return root;
  const rest = bytes(KEY.slice(prefix.length));
  const child = lastAtMost(node.keys, rest);
  const shared = Buffer.from(keyAt(node.keys, child)).toString("latin1").slice(0, node.subtreePrefixLengths[child]);
  return await leafOf(db, node.children.at(child), prefix + shared);
}

test("a sound database is left as it is", async () => {
  const { store } = await withPast(6);
  const before = await filesOf(store, "");
  const { actions, before: report, after } = await repair(store, { dropVersions: true, dropKeys: true });
  expect(actions).toEqual([]);
  expect([report.isSound, after?.isSound]).toEqual([true, true]);
  expect(await filesOf(store, "")).toEqual(before);
});

describe("manifests", () => {
  test("a stale tail, as a crash beside TensorStore leaves it, is cut off without loss", async () => {
    for (const manifestKind of ["single", "numbered"] as const) {
      const { store, history } = await withPast(7, { config: { ...TINY, manifestKind } });
      const keys = await filesOf(store, "manifest.");
      const key =
        manifestKind === "single" ? "manifest.ocdbt" : keys.filter((name) => name !== "manifest.ocdbt").at(-1)!;
      const sound = (await store.read(key))!.value;
      await store.write(key, new Uint8Array([...sound, ...new Uint8Array(4000).fill(7)]));
      expect(await kinds(store, { dryRun: true })).toEqual(["cut-stale-tail"]);
      expect((await fsck(store)).isSound).toBe(false);
      expect(await kinds(store)).toEqual(["cut-stale-tail"]);
      expect((await store.read(key))!.value).toEqual(sound);
      await expectHistory(await openOcdbt(store), history);
      await expectSound(store);
    }
  });

  test("the configuration of a numbered database is written again from a manifest that has it", async () => {
    const { store, history } = await withPast(5, { config: { ...TINY, manifestKind: "numbered" } });
    const sound = (await store.read("manifest.ocdbt"))!.value;
    await store.write("manifest.ocdbt", bytes("torn"));
    expect(await kinds(store)).toEqual(["restore-config"]);
    expect((await store.read("manifest.ocdbt"))!.value).toEqual(sound);
    await expectHistory(await openOcdbt(store), history);
    await expectSound(store);
  });

  test("a numbered manifest that cannot be read goes only when versions may be dropped", async () => {
    const { store, db, history } = await withPast(5, { config: { ...TINY, manifestKind: "numbered" } });
    const newest = (await db.head())!.generation;
    const key = (await filesOf(store, "manifest.0")).at(-1)!;
    await store.write(key, bytes("torn"));
    expect(await kinds(store)).toEqual([]);
    expect(await store.read(key)).toBeDefined();
    expect(await kinds(store, { dropVersions: true })).toEqual(["remove-manifest"]);
    expect((await (await openOcdbt(store)).head())!.generation).toBe(newest - 1n);
    history.delete(newest);
    await expectHistory(await openOcdbt(store), history);
    await expectSound(store);
  });

  test("a manifest that nothing can be made of is left alone", async () => {
    const { store } = await withPast(2);
    await store.write("manifest.ocdbt", bytes("torn"));
    const { actions, after } = await repair(store, { dropVersions: true, dropKeys: true });
    expect([actions, after?.isSound]).toEqual([[], false]);
  });

  test("where there is no database, that is what is said", async () => {
    const repairing = repair(memoryKvStore(), { dropVersions: true });
    await expect(repairing).rejects.toSatisfy((error) => isOcdbtError(error, "not-found"));
    await expect(repairing).rejects.toThrow("there is no database in memory:");
  });
});

describe("versions", () => {
  test("one that cannot be read is kept unless it may be dropped", async () => {
    const { store } = await withDamagedNewest();
    const before = await filesOf(store, "");
    expect(await kinds(store)).toEqual([]);
    expect(await filesOf(store, "")).toEqual(before);
  });

  test("if it is the newest, the newest sound one becomes the newest again, and it leaves the history", async () => {
    const { store, history, newest } = await withDamagedNewest();
    expect(await kinds(store, { dropVersions: true, dryRun: true })).toEqual([
      "restore-sound-version",
      "drop-versions",
    ]);
    expect(await kinds(store, { dropVersions: true })).toEqual(["restore-sound-version", "drop-versions"]);
    const db = await openOcdbt(store);
    const generations = await generationsOf(db);
    expect(generations).not.toContain(newest);
    expect(generations.at(-1)).toBe(newest + 1n);
    expect(await contentsOf(db, newest + 1n)).toEqual(history.get(newest - 1n));
    await expectHistory(db, history);
    await expectSound(store);
    await grow(db, 12, 4, history);
    await expectHistory(db, history);
    await expectSound(store);
  });

  test("one that ends a block of the version tree stays, as long as others of the block do", async () => {
    const { store, history, newest } = await withDamagedNewest(true);
    const { actions, after } = await repair(store, { dropVersions: true });
    expect(actions.map(({ kind }) => kind)).toEqual(["restore-sound-version", "keep-version"]);
    expect(actions.at(-1)!.message).toMatch(new RegExp(`^generation ${newest} .* ends a block`));
    expect(after!.damagedGenerations).toEqual([newest]);
    const db = await openOcdbt(store);
    history.delete(newest);
    await grow(db, 6, 4, history);
    await expire(db, { keepLast: 2 });
    expect((await fsck(store)).isSound).toBe(true);
  });

  test("the largest of the files of sixteen versions gone, repair names the policy by which all damage expires", async () => {
    const store = memoryKvStore();
    const db = await openOcdbt(store, { config: { ...TINY, versionTreeArityLog2: 4 } });
    for (let i = 0; i < 16; i++) {
      const many = i === 7 ? 40 : 1;
      await db.apply(
        Array.from({ length: many }, (_, k) => ({
          op: "put",
          key: `k${i}/${k}`,
          value: bytes(`a value in a file ${i}`),
        })),
      );
    }
    let largest = { name: "", size: 0 };
    for await (const { key, size } of store.list({ prefix: "d/" })) {
      if (size! > largest.size) largest = { name: Buffer.from(key).toString("latin1"), size: size! };
    }
    await store.write(largest.name, null);
    const first = await repair(store, { dropKeys: true, dropVersions: true });
    expect(first.after!.damagedGenerations).toEqual([16n]);
    const told = first.actions.at(-1)!;
    expect(told.kind).toBe("keep-version");
    expect(told.message).toContain("expire all up to it with keepLast 1");
    // Once more, and the same is told, but nothing is said to leave.
    expect(await kinds(store, { dropKeys: true, dropVersions: true })).toEqual(["keep-version"]);
    const { kept } = await expire(await openOcdbt(store), { keepLast: 1 });
    expect(kept).toBe(1n);
    await expectSound(store);
  });

  test("what can be read of the newest becomes a version, when keys may be dropped", async () => {
    const { store, history, newest } = await withDamagedNewest();
    const { actions } = await repair(store, { dropKeys: true });
    expect(actions.map(({ kind }) => kind)).toEqual(["rebuild"]);
    const db = await openOcdbt(store);
    const saved = await contentsOf(db, newest + 1n);
    expect(saved.size).toBeGreaterThan(0);
    expect(saved.size).toBeLessThan(history.get(newest)!.size);
    for (const [key, value] of saved) expect(history.get(newest)!.get(key)).toBe(value);
    expect(saved.has(KEY)).toBe(false);
    expect((await fsck(store)).damagedGenerations).toEqual([newest]);
    expect(await kinds(store, { dropVersions: true })).toEqual(["drop-versions"]);
    await expectSound(store);
  });

  test("no key is dropped for a damaged version as long as an older one is sound and versions may go", async () => {
    const { store, history, newest } = await withDamagedNewest();
    expect(await kinds(store, { dropKeys: true, dropVersions: true })).toEqual([
      "restore-sound-version",
      "drop-versions",
    ]);
    expect(await contentsOf(await openOcdbt(store), newest + 1n)).toEqual(history.get(newest - 1n));
    await expectSound(store);
  });

  test("of a newest version that cannot be read it is told what each choice would leave", async () => {
    const { store, history, newest } = await withDamagedNewest();
    const { actions, choices } = await repair(store);
    expect(actions).toEqual([]);
    const { readable } = choices!;
    expect(choices).toMatchObject({
      newest,
      sound: { generation: newest - 1n, keys: BigInt(history.get(newest - 1n)!.size) },
    });
    expect(BigInt(readable.keys) + readable.lostKeys).toBe(BigInt(history.get(newest)!.size));
    expect(readable.lostKeys).toBeGreaterThan(0n);
    const before = await filesOf(store, "");
    const counted = `: ${readable.keys} keys; about ${readable.lostKeys} are lost`;
    expect((await repair(store, { dropKeys: true, dryRun: true })).actions.map(({ message }) => message)).toEqual([
      expect.stringContaining(counted),
    ]);
    expect((await repair(store, { dryRun: true })).choices).toEqual(choices);
    expect(await filesOf(store, "")).toEqual(before);
    const done = await repair(store, { dropKeys: true });
    expect(done.actions.map(({ message }) => message)).toEqual([expect.stringContaining(counted)]);
    expect(done.choices).toBeUndefined();
  });

  test("a database is not emptied by dropping keys when only the newest version cannot be read at all", async () => {
    for (const isOldToo of [false, true]) {
      const store = memoryKvStore();
      const db = await openOcdbt(store, { config: { compression: null, maxInlineValueBytes: 100 } });
      const history: History = new Map();
      await grow(db, 6, 3, history);
      const newest = (await db.version())!;
      if (isOldToo) {
        for (const generation of history.keys())
          await damage(store, (await (await db.at({ generation })).version())!.root.location!);
      } else await damage(store, newest.root.location!);
      const { actions, choices, after } = await repair(store, { dropKeys: true });
      expect(after!.isSound).toBe(false);
      if (isOldToo) {
        expect(actions.map(({ kind }) => kind)).toEqual(["rebuild"]);
        expect(choices).toBeUndefined();
        continue;
      }
      expect(actions).toEqual([]);
      expect(choices).toMatchObject({ newest: newest.generation, readable: { keys: 0 } });
      expect(choices!.sound!.generation).toBe(newest.generation - 1n);
      await repair(store, { dropKeys: true, dropVersions: true });
      const fresh = await openOcdbt(store);
      expect(await contentsOf(fresh, newest.generation + 1n)).toEqual(history.get(newest.generation - 1n));
      await expectSound(store);
    }
  });

  test("keys whose values are gone are left out, the others saved", async () => {
    const { store, db } = await withPast(1, { dataPrefix: { value: "values/" } });
    await db.apply([
      { op: "put", key: bytes("gone"), value: bytes("a value in a file") },
      { op: "put", key: bytes("here"), value: bytes("v") },
    ]);
    const writer = (await db.head())!.generation;
    for (const path of await filesOf(store, "values/")) await store.write(path, null);
    expect(await kinds(store, { dropKeys: true })).toEqual(["rebuild"]);
    expect(await kinds(store, { dropVersions: true })).toEqual(["drop-versions"]);
    const saved = await contentsOf(await openOcdbt(store), writer + 1n);
    expect(saved.get("here")).toBe("v");
    expect(saved.has("gone")).toBe(false);
    await expectSound(store);
  });

  test("what is below a version-tree node that cannot be read leaves the history", async () => {
    for (const depth of [0, 1, 2]) {
      const { store, db, history } = await withPast(11);
      let reference = (await db.parts.manifests.read())!.manifest.versionNodes[0]!;
      for (let i = 0; i < depth; i++) {
        const node = await db.parts.nodes.versionNode(reference);
        if ("children" in node) reference = node.children[0]!;
      }
      const before = (await generationsOf(db)).length;
      await damage(store, reference.location);
      expect(await kinds(store)).toEqual([]);
      expect(await kinds(store, { dropVersions: true })).toEqual(["drop-versions"]);
      const fresh = await openOcdbt(store);
      expect((await expectHistory(fresh, history)).length).toBeLessThan(before);
      await expectSound(store);
      await grow(fresh, 20, 9, history);
      await expectHistory(fresh, history);
      await expectSound(store);
    }
  });

  test("any node of the version tree damaged, what is left goes on", async () => {
    const { store, history } = await withPast(9);
    const db = await openOcdbt(store);
    const pending = [...(await db.parts.manifests.read())!.manifest.versionNodes];
    for (let reference = pending.pop(); reference !== undefined; reference = pending.pop()) {
      const node = await db.parts.nodes.versionNode(reference);
      if ("children" in node) pending.push(...node.children);
      const broken = memoryKvStore();
      for await (const { key } of store.list()) await broken.write(key, (await store.read(key))!.value);
      await damage(broken, reference.location);
      await repair(broken, { dropVersions: true });
      const fresh = await openOcdbt(broken);
      const grown = await grow(fresh, 20, 9, new Map(history));
      await expectHistory(fresh, grown);
      await expectSound(broken);
    }
  });
});

describe("counts", () => {
  test("wrong ones of the newest version are put right in a new one", async () => {
    const { store, db, history } = await withPast(8);
    const newest = (await db.version())!;
    const wrong = { numKeys: 1n, numTreeBytes: 2n, numIndirectValueBytes: 3n };
    await rewriteManifest(store, (m) => ({
      ...m,
      versions: m.versions.map((v) =>
        v.generation === newest.generation ? { ...v, root: { ...v.root, statistics: wrong } } : v,
      ),
    }));
    expect(await kinds(store, { dryRun: true })).toEqual(["recount"]);
    expect(await kinds(store)).toEqual(["recount"]);
    const fresh = await openOcdbt(store);
    const { generation, root } = (await fresh.version())!;
    expect(generation).toBe(newest.generation + 1n);
    expect(root.statistics).toEqual(newest.root.statistics);
    await expectHistory(fresh, history);
    // The older version keeps its own until it expires; repairing again finds nothing to do.
    expect((await fsck(store)).counts.get("statistics")).toBe(1);
    expect(await kinds(store)).toEqual([]);
  });

  test("wrong ones of version-tree nodes are put right", async () => {
    const { store, history } = await withPast(9);
    await rewriteManifest(store, (m) => ({
      ...m,
      versionNodes: m.versionNodes.map((node) => ({ ...node, numGenerations: 1n, commitTime: 5n })),
    }));
    expect(await kinds(store)).toEqual(["recount"]);
    await expectHistory(await openOcdbt(store), history);
    await expectSound(store);
  });
});

test("a breakdown at any call leaves no more damage than there was, and another run finishes", async () => {
  const { store, history, newest } = await withDamagedNewest(false, 4);
  const sound = new Map(history);
  sound.delete(newest);
  const calls = await atEveryCall(
    store,
    async (faulty) => {
      await repair(faulty, { dropVersions: true });
    },
    async (left) => {
      const found = await fsck(left);
      expect(found.damagedGenerations.filter((generation) => generation !== newest)).toEqual([]);
      await repair(left, { dropVersions: true });
      await expectHistory(await openOcdbt(left), sound);
      expect((await fsck(left)).isSound).toBe(true);
    },
    [
      { kind: "fail", thenCrash: true },
      { kind: "lose-ack", thenCrash: true },
    ],
  );
  expect(calls).toBeGreaterThan(20);
});
