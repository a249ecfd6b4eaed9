import { isKvStoreError, memoryKvStore, withCounters, withFaults, withPrefix } from "@pcg/kvstore";
import { expect, test } from "vitest";
import {
  type BtreeNodeReference,
  type CommitEvent,
  type Config,
  isOcdbtError,
  log,
  type Mutation,
  openOcdbt,
} from "../src/index.ts";
import { checkTree } from "./support/check-tree.ts";
import { filesInUse, orphans } from "./support/files.ts";
import { bytesOf, contentsOf, latin1 } from "./support/model.ts";

const put = (key: string, value: string): Mutation => ({ op: "put", key: bytesOf(key), value: bytesOf(value) });
const numbered = (count: number, value = "v"): Mutation[] =>
  Array.from({ length: count }, (_, i) => put(`key/${String(i).padStart(5, "0")}`, value));

const small: Partial<Config> = { maxInlineValueBytes: 10, maxDecodedNodeBytes: 500, compression: null };

test("what is written while a commit runs becomes one version together, each caller told of it", async () => {
  const db = await openOcdbt(memoryKvStore());
  const results = await Promise.all(Array.from({ length: 64 }, (_, i) => db.write(`k${i}`, bytesOf(String(i)))));
  expect(results.every(({ written }) => written)).toBe(true);
  expect((await db.head())?.generation).toBe(1n);
  expect((await contentsOf(db)).size).toBe(64);
});

test("conditions are decided in the order of the requests, each seeing what those before it did", async () => {
  const db = await openOcdbt(memoryKvStore());
  const results = await Promise.all([
    db.write("k", bytesOf("a"), { ifGeneration: null }),
    db.write("k", bytesOf("b"), { ifGeneration: null }),
    db.write("k", null),
    db.write("k", bytesOf("c"), { ifGeneration: null }),
    db.deleteRange({ start: bytesOf("k") }),
    db.write("k", bytesOf("d"), { ifGeneration: null }),
  ]);
  expect(results.map((result) => result?.written)).toEqual([true, false, true, true, undefined, true]);
  expect((await db.head())?.generation).toBe(1n);
  expect(latin1((await db.read("k"))!.value)).toBe("d");
});

test("a batch whose conditions all fail writes nothing; an equal value written again is a version", async () => {
  const db = await openOcdbt(memoryKvStore());
  await db.write("k", bytesOf("v"));
  const refused = await db.apply([
    { op: "put", key: bytesOf("k"), value: bytesOf("x"), ifGeneration: null },
    put("other", "x"),
  ]);
  expect(refused.head).toBeUndefined();
  expect(refused.applied).toEqual([false, true]);
  expect(refused.generations[1]).toBeNull();
  await db.write("absent", null);
  await db.deleteRange({ start: bytesOf("x"), end: bytesOf("y") });
  expect((await db.head())?.generation).toBe(1n);
  await db.write("k", bytesOf("v"));
  expect((await db.head())?.generation).toBe(2n);
});

test("messages belong to a version each, also of writes that wait together", async () => {
  const db = await openOcdbt(memoryKvStore());
  await Promise.all([
    db.apply([put("a", "1")], { message: "first", author: "ann" }),
    db.apply([put("b", "2")]),
    db.apply([put("c", "3")], { message: "second" }),
  ]);
  const entries = [];
  for await (const entry of log(db)) entries.push([entry.generation, entry.message]);
  expect(entries).toEqual([
    [2n, "second"],
    [1n, "first"],
  ]);
});

test("keys over 65,535 bytes are refused before anything is staged", async () => {
  const db = await openOcdbt(memoryKvStore());
  const longest = new Uint8Array(65_535).fill(7);
  await db.write(longest, bytesOf("v"));
  expect(latin1((await db.read(longest))!.value)).toBe("v");
  const longer = new Uint8Array(65_536);
  const transaction = await db.transaction();
  for (const writing of [
    db.write(longer, bytesOf("v")),
    db.apply([put("beside", "v"), { op: "put", key: longer, value: bytesOf("v") }]),
    transaction.write(longer, bytesOf("v")),
  ]) {
    await expect(writing).rejects.toSatisfy((error) => isOcdbtError(error, "too-large"));
  }
  expect(await db.read("beside")).toBeUndefined();
  expect((await db.head())?.generation).toBe(1n);
});

test("references that cannot be are refused alone, not with what waits beside them", async () => {
  const db = await openOcdbt(memoryKvStore());
  const file = { basePath: "", relativePath: "d/1" };
  const values = [
    { file, offset: -1, length: 1 },
    { file, offset: 2 ** 53, length: 1 },
    { file: { ...file, relativePath: "x".repeat(65_536) }, offset: 0, length: 1 },
    { file: { ...file, relativePath: "d/\u{1F600}" }, offset: 0, length: 1 },
  ];
  const results = await Promise.allSettled([
    ...values.map((value) => db.apply([{ op: "put", key: bytesOf("bad"), value }])),
    db.write("good", bytesOf("v")),
  ]);
  expect(results.map(({ status }) => status)).toEqual([...values.map(() => "rejected"), "fulfilled"]);
  await expect(db.apply([{ op: "delete", key: 7 as never }])).rejects.toThrow(TypeError);
  expect([...(await contentsOf(db)).keys()]).toEqual(["good"]);
});

test("a database that was replaced, or is gone, is not mistaken for the one that was opened", async () => {
  for (const manifestKind of ["single", "numbered"] as const) {
    const store = memoryKvStore();
    const config = { ...small, manifestKind };
    const db = await openOcdbt(store, { config });
    await db.write("k", bytesOf("v"));
    await store.deleteRange({ start: new Uint8Array(0) });
    await expect(db.read("k")).rejects.toSatisfy((error) => isOcdbtError(error, "not-found"));
    await (await openOcdbt(store, { config })).write("k", bytesOf("other"));
    await expect(db.read("k")).rejects.toSatisfy((error) => isOcdbtError(error, "config-mismatch", "not-found"));
    await expect(db.write("k", bytesOf("mine"))).rejects.toSatisfy((error) => isOcdbtError(error, "config-mismatch"));
    expect(latin1((await (await openOcdbt(store)).read("k"))!.value)).toBe("other");
  }
});

test("of two who make a database at once one makes it, and the other goes on in it or is told of another configuration", async () => {
  for (const manifestKind of ["single", "numbered"] as const) {
    const store = memoryKvStore();
    const first = await openOcdbt(store, { config: { manifestKind } });
    const second = await openOcdbt(store, { config: { manifestKind } });
    const third = await openOcdbt(store, { config: { manifestKind, maxInlineValueBytes: 7 } });
    expect(first.uuid).not.toBe(second.uuid);
    await Promise.all([first.write("a", bytesOf("1")), second.write("b", bytesOf("2"))]);
    expect(first.uuid).toBe(second.uuid);
    expect([...(await contentsOf(first)).keys()]).toEqual(["a", "b"]);
    await expect(third.write("c", bytesOf("3"))).rejects.toSatisfy((error) => isOcdbtError(error, "config-mismatch"));
    await expect(third.read("a")).rejects.toSatisfy((error) => isOcdbtError(error, "config-mismatch"));
    expect(await orphans(store, first)).toEqual([]);
  }
});

test("a configuration out of its bounds is refused at once", async () => {
  for (const config of [{ maxInlineValueBytes: 1_048_577 }, { versionTreeArityLog2: 0 }, { maxDecodedNodeBytes: -1 }]) {
    await expect(openOcdbt(memoryKvStore(), { config })).rejects.toSatisfy((e) => isOcdbtError(e, "bad-spec"));
  }
});

test("times of versions increase though the clock does not; how far it is behind is told, and can be refused", async () => {
  const store = memoryKvStore();
  let now = 1_000_000_000_000_000_000n;
  const db = await openOcdbt(store, { now: () => now });
  const events: CommitEvent[] = [];
  db.parts.onCommit((event) => events.push(event));
  await db.write("k", bytesOf("1"));
  now -= 3_000_000_000n;
  await db.write("k", bytesOf("2"));
  expect((await db.head())?.commitTime).toBe(1_000_000_000_000_000_001n);
  await expect.poll(() => events.map(({ clockBehind }) => clockBehind)).toEqual([0n, 3_000_000_000n]);
  const strict = await openOcdbt(store, { now: () => now, maxClockSkewMs: 1000 });
  await expect(strict.write("k", bytesOf("3"))).rejects.toSatisfy((error) => isOcdbtError(error, "unsafe"));
  expect((await db.head())?.generation).toBe(2n);
  expect(await orphans(store, db)).toEqual([]);
});

test("a range that covers subtrees drops them unread, and the tree shrinks with what it holds", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: small });
  await made.apply(numbered(2000));
  const before = (await made.version())!.root;
  expect(before.height).toBeGreaterThanOrEqual(2);

  const counted = withCounters(store);
  const db = await openOcdbt(counted.store);
  await db.deleteRange({ start: bytesOf("key/00003"), end: bytesOf("key/01997") });
  expect(counted.counts.reads).toBeLessThan(20);
  expect([...(await contentsOf(db)).keys()].map((key) => key.slice(-4))).toEqual([
    "0000",
    "0001",
    "0002",
    "1997",
    "1998",
    "1999",
  ]);
  await checkTree(db, (await db.version())!);
  expect((await db.version())!.root.height).toBe(0);
  await db.deleteRange({ start: new Uint8Array(0) });
  expect((await db.version())!.root.location).toBeUndefined();
  expect((await contentsOf(await db.at({ generation: 1n }))).size).toBe(2000);
});

test("nodes that have become small join their neighbours", async () => {
  const db = await openOcdbt(memoryKvStore(), { config: small });
  await db.apply(numbered(1000));
  const leaves = async (from?: BtreeNodeReference): Promise<number> => {
    const reference = from ?? (await db.version())!.root;
    const node = await db.parts.nodes.btreeNode(reference);
    if (!("children" in node)) return 1;
    let count = 0;
    for (const child of node.children) count += await leaves(child);
    return count;
  };
  const before = await leaves();
  for (let i = 0; i < 1000; i++) if (i % 10 > 0) await db.write(`key/${String(i).padStart(5, "0")}`, null);
  await checkTree(db, (await db.version())!);
  expect((await db.version())!.root.statistics.numKeys).toBe(100n);
  expect(await leaves()).toBeLessThan(before / 4);
});

test("one changed key rewrites one node a level", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: { ...small, maxDecodedNodeBytes: 2000 } });
  await made.apply(numbered(3000));
  const { height } = (await made.version())!.root;
  const db = await openOcdbt(store);
  let bytes = 0;
  const before = await sizes();
  await db.write("key/01234", bytesOf("changed"));
  const after = await sizes();
  for (const [name, size] of after) if (!before.has(name)) bytes += size;
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan((height + 1) * 2000);

  async function sizes(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for await (const { key, size } of store.list({ prefix: "d/" })) found.set(latin1(key), size!);
    return found;
  }
});

test("a commit that is overtaken keeps the nodes that are still right, and removes the files that are not", async () => {
  const store = memoryKvStore();
  const made = await openOcdbt(store, { config: small });
  await made.apply(numbered(400));
  // Its first replacement of the manifest waits until another commit has been made.
  let release!: () => void;
  const overtaken = new Promise<void>((resolve) => {
    release = resolve;
  });
  let held = false;
  const slow = withFaults(store, ({ kind, key }) => {
    if (held || kind !== "write" || latin1(key!) !== "manifest.ocdbt") return undefined;
    held = true;
    return { kind: "delay", until: overtaken };
  });
  const db = await openOcdbt(slow);
  const events: CommitEvent[] = [];
  db.parts.onCommit((event) => events.push(event));
  const writing = db.apply([put("key/00010", "mine"), put("key/00011", "a value in a data file")]);
  await expect.poll(() => held).toBe(true);
  const filesBefore = await filesInUse(made);
  await made.write("key/00390", bytesOf("theirs"));
  release();
  const { head } = await writing;
  expect(head?.generation).toBe(3n);
  await expect.poll(() => events.map(({ kind }) => kind)).toEqual(["conflict", "committed"]);
  const contents = await contentsOf(await openOcdbt(store));
  expect([contents.get("key/00010"), contents.get("key/00390")]).toEqual(["mine", "theirs"]);
  expect(contents.get("key/00011")).toBe("a value in a data file");
  expect(await orphans(store, made)).toEqual([]);
  // The first attempt's leaf and value were used again: its file is in use.
  const own = [...(await filesInUse(made))].filter((file) => !filesBefore.has(file));
  expect(own.length).toBe(3);
});

test("numbered databases keep the manifests of 128 generations", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: { ...small, manifestKind: "numbered", versionTreeArityLog2: 2 } });
  for (let i = 0; i < 140; i++) await db.write(`k${i % 7}`, bytesOf(String(i)));
  const names: string[] = [];
  for await (const { key } of store.list({ prefix: "manifest." })) names.push(latin1(key));
  expect(names[0]).toBe(`manifest.${(12).toString(16).padStart(16, "0")}`);
  expect(names.at(-2)).toBe(`manifest.${(140).toString(16).padStart(16, "0")}`);
  expect(names.length).toBe(130);
  expect(latin1((await (await db.at({ generation: 3n })).read("k2"))!.value)).toBe("2");
});

test("data files roll at their target size, and kinds with prefixes of their own have files of their own", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, {
    config: small,
    targetDataFileBytes: 1000,
    dataPrefix: { value: "values/", btree: "nodes/" },
  });
  await db.apply(numbered(20, "x".repeat(300)));
  const counts: Record<string, number> = {};
  for await (const { key, size } of store.list()) {
    const folder = latin1(key).split("/")[0]!;
    counts[folder] = (counts[folder] ?? 0) + 1;
    if (folder === "values") expect(size).toBeLessThanOrEqual(1000);
  }
  expect(counts["values"]).toBe(7);
  expect(counts["nodes"]).toBeGreaterThan(0);
  expect((await contentsOf(db)).size).toBe(20);
});

test("an aborted commit writes nothing and leaves nothing", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: small });
  await db.write("k", bytesOf("v"));
  const controller = new AbortController();
  const reason = new Error("enough");
  const slow = withFaults(store, ({ kind }) => {
    if (kind === "write") controller.abort(reason);
    return undefined;
  });
  const other = await openOcdbt(slow);
  const writing = other.apply([put("a", "a value in a data file")], { signal: controller.signal });
  await expect(writing).rejects.toBe(reason);
  expect((await db.head())?.generation).toBe(1n);
  await other.parts.committer.close();
  expect(await orphans(store, db)).toEqual([]);
});

test("a store without conditional writes is read, and says why it is not written", async () => {
  const store = memoryKvStore();
  await (await openOcdbt(store)).write("k", bytesOf("v"));
  const plain = Object.assign(Object.create(store), withPrefix(store, ""), {
    capabilities: { writable: true, list: true },
  });
  const db = await openOcdbt(plain);
  expect(db.capabilities).toEqual({ list: true });
  expect(latin1((await db.read("k"))!.value)).toBe("v");
  await expect(db.write("k", bytesOf("w"))).rejects.toSatisfy((error) => isOcdbtError(error, "read-only"));
});

test("a data file that is gone or cut short is an error that names it", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: small });
  await db.write("k", bytesOf("a value in a data file"));
  const [file] = [...(await filesInUse(db))];
  const whole = (await store.read(file!))!.value;
  await store.write(file!, whole.subarray(0, 10));
  await expect(db.read("k")).rejects.toSatisfy((e) => isOcdbtError(e, "corrupt") && e.message.includes(file!));
  await store.write(file!, null);
  await expect(db.read("k")).rejects.toSatisfy((e) => isOcdbtError(e, "not-found") && e.message.includes(file!));
});

test("after close everything is refused, and closing twice is fine", async () => {
  const db = await openOcdbt(memoryKvStore());
  await db.write("k", bytesOf("v"));
  const view = await db.at({ ancestor: 0 });
  await db.close();
  await db.close();
  for (const call of [db.read("k"), view.read("k"), db.write("k", null), db.head(), db.at({ ancestor: 0 })]) {
    await expect(call).rejects.toSatisfy((error) => isOcdbtError(error, "closed") || isKvStoreError(error, "closed"));
  }
});
