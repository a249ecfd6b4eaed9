import { type KvStore, kvStack, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { fork } from "../../src/fork/create.ts";
import { openFork } from "../../src/fork/open.ts";
import {
  type BtreeNode,
  type BtreeNodeReference,
  decodeManifest,
  encodeBtreeNode,
  encodeManifest,
  type IndirectReference,
  InteriorBuilder,
  LeafBuilder,
  type Manifest,
  nodeStatistics,
  pathToBytes,
} from "../../src/format/index.ts";
import { createTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, type FindingCode, fsck, sweep } from "../../src/upkeep/index.ts";
import { CASES, goldenCase } from "../format/corpus.ts";
import { bytes, copyOf, filesOf, generationsOf, TINY, withPast } from "./world.ts";

async function codes(store: KvStore, options = {}): Promise<FindingCode[]> {
  const { findings } = await fsck(store, options);
  return [...new Set(findings.filter(({ severity }) => severity !== "note").map(({ code }) => code))];
}

async function manifestOf(store: KvStore): Promise<Manifest> {
  return await decodeManifest((await store.read("manifest.ocdbt"))!.value);
}

async function rewriteManifest(store: KvStore, change: (manifest: Manifest) => Manifest): Promise<void> {
  await store.write("manifest.ocdbt", await encodeManifest(change(await manifestOf(store))));
}

/** Replaces bytes of a data file. */
async function overwrite(store: KvStore, { file, offset }: IndirectReference, patch: Uint8Array): Promise<void> {
  const key = pathToBytes(file.basePath + file.relativePath);
  const whole = Uint8Array.from((await store.read(key))!.value);
  whole.set(patch, offset);
  await store.write(key, whole);
}

/** Stores a node alone in a file. */
async function placed(store: KvStore, node: BtreeNode): Promise<BtreeNodeReference> {
  const encoded = await encodeBtreeNode(node, { compression: null });
  const relativePath = `d/${crypto.randomUUID().replaceAll("-", "")}`;
  await store.write(relativePath, encoded);
  const location = { file: { basePath: "", relativePath }, offset: 0, length: encoded.length };
  return { location, height: node.height, statistics: nodeStatistics(node, encoded.length) };
}

test.each(CASES)("TensorStore's database %s is sound, its totals as TensorStore counts", async (name) => {
  const golden = goldenCase(name);
  const store = memoryKvStore();
  for (const [path, content] of golden.files) if (path !== "dump.json") await store.write(path, content);
  const report = await fsck(store, { deep: true });
  expect(report.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
  const generations = Object.entries(golden.record.contents);
  expect(report).toMatchObject({
    isSound: true,
    versions: generations.length,
    keys: BigInt(generations.at(-1)![1].keys),
    damagedGenerations: [],
  });
  expect(report.usedBytes).toBeLessThanOrEqual(report.fileBytes);
});

describe("damage is found and named", () => {
  test("no manifest, a cut one, a changed one, one with a stale tail", async () => {
    expect(await codes(memoryKvStore())).toEqual(["no-manifest"]);
    const { store } = await withPast(3);
    const sound = (await store.read("manifest.ocdbt"))!.value;
    await store.write("manifest.ocdbt", sound.subarray(0, -1));
    expect(await codes(store)).toEqual(["manifest-damaged"]);
    await store.write("manifest.ocdbt", sound.with(40, sound[40]! ^ 1));
    expect(await codes(store)).toEqual(["manifest-damaged"]);
    await store.write("manifest.ocdbt", new Uint8Array([...sound, ...sound.subarray(20)]));
    const { findings, isSound } = await fsck(store);
    expect(findings).toMatchObject([{ code: "manifest-stale-tail", file: "manifest.ocdbt", bytes: sound.length - 20 }]);
    expect(isSound).toBe(false);
  });

  test("a numbered manifest that cannot be read, while older ones can", async () => {
    const { store } = await withPast(4, { config: { ...TINY, manifestKind: "numbered" } });
    const newest = (await filesOf(store, "manifest.0")).at(-1)!;
    await store.write(newest, bytes("torn"));
    const report = await fsck(store);
    expect(report.findings).toMatchObject([{ code: "manifest-damaged", file: newest }]);
    expect(report.versions).toBeGreaterThan(1);
  });

  test("a data file that is gone, and one that is cut", async () => {
    const { store, db } = await withPast(6);
    const { location } = (await db.version())!.root;
    const path = location!.file.relativePath;
    const content = (await store.read(path))!.value;
    await store.write(path, content.subarray(0, location!.offset + 3));
    const cut = await fsck(store);
    expect(cut.findings[0]).toMatchObject({ code: "out-of-bounds", file: path });
    expect(cut.damagedGenerations).toEqual([(await db.head())!.generation]);
    await store.write(path, null);
    expect(await codes(store)).toEqual(["file-missing"]);
  });

  test("a node with a changed bit, with the versions that need it", async () => {
    const { store, db } = await withPast(8);
    const { root } = (await db.version())!;
    const node = await db.parts.nodes.btreeNode(root);
    if (!("children" in node)) throw new Error("the tree is too small for this test");
    const child = node.children.placeAt(0).location;
    const content = (await store.read(child.file.relativePath))!.value;
    await overwrite(store, { ...child, offset: child.offset + 20 }, Uint8Array.of(content[child.offset + 20]! ^ 4));
    const report = await fsck(store);
    expect(report.counts.get("node-damaged")).toBe(1);
    expect(report.findings[0]!.message).toContain("CRC-32C");
    expect(report.damagedGenerations).toContain((await db.head())!.generation);
    expect(report.damagedGenerations.length).toBeLessThan(report.versions);
  });

  test("a value that is gone, and others of its leaf stay readable", async () => {
    const { store, db } = await withPast(2, { dataPrefix: { value: "values/" } });
    const [path] = await filesOf(store, "values/");
    await store.write(path!, null);
    const report = await fsck(store);
    expect(report.findings[0]).toMatchObject({ code: "file-missing", file: path });
    expect(report.damagedGenerations.length).toBeGreaterThan(0);
    expect((await generationsOf(db)).length).toBe(report.versions);
  });

  test("wrong counts, wrong heights, keys out of place", async () => {
    const { store } = await withPast(12);
    const { versions } = await manifestOf(store);
    const newest = versions.at(-1)!;
    const wrong = { ...newest.root.statistics, numKeys: 99_999n };
    await rewriteManifest(store, (m) => ({
      ...m,
      versions: [...versions.slice(0, -1), { ...newest, root: { ...newest.root, statistics: wrong } }],
    }));
    expect(await codes(store)).toEqual(["statistics"]);
    const leaf = async (...keys: string[]) => {
      const builder = new LeafBuilder();
      for (const key of keys) builder.add(bytes(key), bytes("v"));
      return await placed(store, builder.finish());
    };
    for (const [first, height] of [
      // Its last key belongs to its neighbour; its first comes before its entry's; its height is wrong.
      [await leaf("a", "c"), 1],
      [await leaf("A", "a"), 1],
      [await leaf("a"), 2],
    ] as const) {
      const builder = new InteriorBuilder(height);
      builder.add(bytes("a"), 0, first);
      builder.add(bytes("b"), 0, await leaf("b"));
      const root = await placed(store, builder.finish());
      await rewriteManifest(store, (m) => ({ ...m, versions: [...versions.slice(0, -1), { ...newest, root }] }));
      const found = await fsck(store);
      expect(found.counts.get("node-misplaced")).toBe(height === 1 ? 1 : 2);
      expect(found.damagedGenerations).toEqual([newest.generation]);
    }
  });

  test("a node that is its own child", async () => {
    const { store } = await withPast(2);
    const { versions } = await manifestOf(store);
    const file = { basePath: "", relativePath: `d/${"e".repeat(32)}` };
    const statistics = { numKeys: 1n, numTreeBytes: 1n, numIndirectValueBytes: 0n };
    const nodeOf = async (length: number) => {
      const builder = new InteriorBuilder(1);
      builder.add(bytes("a"), 0, { location: { file, offset: 0, length }, height: 0, statistics });
      return await encodeBtreeNode(builder.finish(), { compression: null });
    };
    const loop = await nodeOf((await nodeOf(100)).length);
    await store.write(file.relativePath, loop);
    const root = { location: { file, offset: 0, length: loop.length }, height: 1, statistics };
    await rewriteManifest(store, (m) => ({
      ...m,
      versions: [...versions.slice(0, -1), { ...versions.at(-1)!, root }],
    }));
    expect((await fsck(store)).counts.get("node-misplaced")).toBe(1);
  });

  test("a version-tree node that is damaged, and one that is counted wrongly", async () => {
    const { store, db } = await withPast(9);
    const { versionNodes } = await manifestOf(store);
    await rewriteManifest(store, (m) => ({
      ...m,
      versionNodes: m.versionNodes.map((node, i) => (i === 0 ? { ...node, numGenerations: 1n } : node)),
    }));
    expect(await codes(store)).toEqual(["version-node-summary"]);
    const { location } = versionNodes[0]!;
    await overwrite(store, { ...location, offset: location.offset + 13 }, Uint8Array.of(9));
    const report = await fsck(store);
    expect(report.counts.get("version-node-damaged")).toBe(1);
    expect(report.damagedVersionNodes.size).toBe(1);
    expect(report.versions).toBeLessThan(Number((await db.head())!.generation));
  });

  test("times that do not rise", async () => {
    const { store } = await withPast(2, { config: { ...TINY, versionTreeArityLog2: 4 } });
    await rewriteManifest(store, (m) => ({ ...m, versions: m.versions.map((v) => ({ ...v, commitTime: 7n })) }));
    expect(await codes(store)).toEqual(["commit-times"]);
  });

  test("tags of versions that are gone, tags and forks that cannot be read", async () => {
    const { store, db } = await withPast(3);
    await createTag(db, "here");
    const tag = new TextDecoder().decode((await store.read("refs/tags/here.json"))!.value);
    expect(await codes(store)).toEqual([]);
    const gone = tag.replace(/"generation": "\d+"/, '"generation": "77"');
    await store.write("refs/tags/gone.json", bytes(gone));
    await store.write("refs/tags/torn.json", bytes("{"));
    await store.write("refs/forks/torn.json", bytes("{"));
    const { counts } = await fsck(store);
    expect([counts.get("tag"), counts.get("fork")]).toEqual([2, 2]);
  });
});

test("orphans and unused bytes are notes, and what a fork needs is neither", async () => {
  const { store, db } = await withPast(3);
  const orphan = `d/${"c".repeat(32)}`;
  await store.write(orphan, bytes("x"));
  const report = await fsck(store);
  expect(report.isSound).toBe(true);
  expect(report.findings.filter(({ code }) => code === "orphan-file")).toMatchObject([{ file: orphan, bytes: 1 }]);
  await fork(db, "f");
  const f = await openFork(store, "f");
  await f.apply([
    { op: "put", key: bytes("k"), value: { file: { basePath: "", relativePath: orphan }, offset: 0, length: 1 } },
  ]);
  expect((await fsck(store)).counts.get("orphan-file")).toBeUndefined();
  expect((await fsck(f, { deep: true })).findings.filter(({ severity }) => severity !== "note")).toEqual([]);
});

test("what an older numbered manifest leads to is no orphan, as it is none to sweep; without that manifest it is to both", async () => {
  const { store, db } = await withPast(20, { config: { ...TINY, manifestKind: "numbered" } });
  await expire(db, { keepLast: 1 });
  const orphansOf = async () =>
    (await fsck(store)).findings.flatMap(({ code, file }) => (code === "orphan-file" ? [file!] : []));
  const removable = async () => (await sweep(db, { graceMs: 0, dryRun: true })).removed.map(({ path }) => path);
  expect(await orphansOf()).toEqual([]);
  expect(await removable()).toEqual([]);
  for (const key of (await filesOf(store, "manifest.0")).slice(0, -1)) await store.write(key, null);
  const orphans = await orphansOf();
  expect(orphans.length).toBeGreaterThan(5);
  expect(orphans).toEqual(await removable());
});

test("an older numbered manifest that leads nowhere stops sweep, and is told of", async () => {
  const { store, db } = await withPast(20, { config: { ...TINY, manifestKind: "numbered" } });
  await expire(db, { keepLast: 1 });
  const alone = await copyOf(store);
  for (const key of (await filesOf(store, "manifest.0")).slice(0, -1)) await alone.write(key, null);
  const first = (await fsck(alone)).findings.find(({ code }) => code === "orphan-file")!.file!;
  await store.write(first, null);
  await expect(sweep(db, { graceMs: 0 })).rejects.toMatchObject({ code: "not-found" });
  const { findings, isSound } = await fsck(store);
  expect(isSound).toBe(true);
  expect(findings.length).toBeGreaterThan(0);
  for (const { code, severity, file, message } of findings) {
    expect([code, severity, file]).toEqual(["manifest-outdated", "warning", expect.stringMatching(/^manifest\.0{14}/)]);
    expect(message).toContain(first);
  }
});

test("bytes that only a fork needs are not unused, others of the same database are, forks or not", async () => {
  const { store, db } = await withPast(12);
  const writer = db.parts.newDataFileWriter();
  const [kept, lost] = [writer.append(bytes("a value that is kept"), "value"), writer.append(bytes("none"), "value")];
  const alone = db.parts.newDataFileWriter();
  const own = [alone.append(bytes("another value, kept"), "value"), alone.append(bytes("nobody's"), "value")] as const;
  await Promise.all([writer.flush(), alone.flush()]);
  await db.apply([
    { op: "put", key: "~kept", value: kept },
    { op: "put", key: "!own", value: own[0] },
  ]);
  await fork(db, "f");
  const f = await openFork(store, "f");
  await f.apply([{ op: "put", key: "~lost", value: lost }]);
  const { findings } = await fsck(store);
  const unused = findings.flatMap(({ code, file }) => (code === "unused-bytes" ? [file] : []));
  expect(unused).toContain(own[0].file.relativePath);
  expect(unused).not.toContain(kept.file.relativePath);
});

test("a fork that is not registered is looked at when it is named", async () => {
  const { store, db } = await withPast(3);
  const orphan = `d/${"c".repeat(32)}`;
  await store.write(orphan, bytes("x"));
  const own = memoryKvStore();
  await own.write("manifest.ocdbt", (await store.read("manifest.ocdbt"))!.value);
  const stack = kvStack([
    { store },
    { store: own, exact: "manifest.ocdbt", stripPrefix: 0 },
    { store: own, prefix: "g_d/", stripPrefix: 0 },
  ]);
  const g = await openOcdbt(stack, { dataPrefix: "g_d/" });
  await g.apply([
    { op: "put", key: "k", value: { file: { basePath: "", relativePath: orphan }, offset: 0, length: 1 } },
  ]);
  expect((await fsck(store)).counts.get("orphan-file")).toBe(1);
  expect((await fsck(store, { unregistered: [stack] })).counts.get("orphan-file")).toBeUndefined();
  expect((await db.head())?.generation).toBe(3n);
});

test("a file gone that only forks need is an error that names each of them and the file", async () => {
  const { store, db } = await withPast(3);
  const lost = `d/${"c".repeat(32)}`;
  await store.write(lost, bytes("x"));
  for (const id of ["f", "g", "h"]) await fork(db, id);
  for (const id of ["f", "g"]) {
    const own = await openFork(store, id);
    const value = { file: { basePath: "", relativePath: lost }, offset: 0, length: 1 };
    await own.apply([{ op: "put", key: "k", value }]);
  }
  // A node that both share is visited once, and told of both.
  await fork(await openFork(store, "g"), "i");
  expect((await fsck(store)).isSound).toBe(true);
  await store.write(lost, null);
  const report = await fsck(store);
  expect(report.isSound).toBe(false);
  expect(report.findings.filter(({ severity }) => severity === "error")).toEqual(
    ["f", "g", "i"].map((id) => ({
      code: "fork",
      severity: "error",
      file: lost,
      message: `fork ${id} needs data file ${lost}, which is gone`,
    })),
  );
  const g = await openFork(store, "g");
  await expect(g.read("k")).rejects.toThrow(/in fork g of memory:.* is gone/);
});

test("a damaged node that only a fork needs is an error of that fork, another fork that is lost a warning", async () => {
  const { store, db } = await withPast(3);
  await fork(db, "f");
  await fork(db, "g");
  const own = await openFork(store, "f");
  await own.write("k", bytes("v"));
  const { location } = (await own.version())!.root;
  const name = location!.file.basePath + location!.file.relativePath;
  await overwrite(store, { ...location!, file: { basePath: "", relativePath: `forks/f/${name}` } }, bytes("torn"));
  await store.write("forks/g/manifest.ocdbt", null);
  const { findings, isSound } = await fsck(store);
  expect(isSound).toBe(false);
  const told = findings.filter(({ code }) => code === "fork");
  expect(told.map(({ severity }) => severity)).toEqual(["error", "warning"]);
  expect(told[0]!.message).toMatch(/^fork f cannot be read in full: .*f_d/);
  expect(told[1]!.message).toContain("fork g");
});

test("findings are kept up to a limit, and all are counted", async () => {
  const { store } = await withPast(3);
  for (let i = 0; i < 20; i++) await store.write(`d/${i.toString(16).padStart(32, "0")}`, bytes("x"));
  const report = await fsck(store, { maxFindings: 5 });
  expect(report.findings).toHaveLength(5);
  expect(report.counts.get("orphan-file")).toBe(20);
});

test("checking changes nothing, tells its progress and heeds an abort", async () => {
  const { store } = await withPast(5);
  const before = await filesOf(store, "");
  const phases = new Set<string>();
  await fsck(store, { deep: true, onProgress: ({ phase }) => phases.add(phase) });
  expect(phases).toContain("reading values");
  expect(await filesOf(store, "")).toEqual(before);
  const reason = new Error("enough");
  await expect(fsck(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
