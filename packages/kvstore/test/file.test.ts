import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { keyBytes, keyText, type ListOptions, openKvStore, readValue } from "@pcg/kvstore";
import { fileDriver, fileKvStore, sweepLocks } from "@pcg/kvstore/file";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvstore-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function keys(options?: ListOptions): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { key } of fileKvStore(folder).list(options)) found.push(keyText(key));
  return found;
}

test("a key is the path of its file, by URL, file URL or bare path", async () => {
  const store = await openKvStore(`file://${folder}/a%20b`, fileDriver());
  expect(store.url).toBe(`file://${folder}/a%20b/`);
  await store.write("x/é", Uint8Array.of(1, 2));
  expect([...(await readFile(join(folder, "a b/x/é")))]).toEqual([1, 2]);
  expect(await readValue(await openKvStore(join(folder, "a b/"), fileDriver()), "x/é")).toEqual(Uint8Array.of(1, 2));
  expect(await readValue(fileKvStore(pathToFileURL(join(folder, "a b"))), "x/é")).toEqual(Uint8Array.of(1, 2));
});

test("keys that are no UTF-8 are files with those bytes", async () => {
  const store = fileKvStore(folder);
  const key = Uint8Array.of(0x61, 0x2f, 0xff, 0x0a);
  await store.write(key, Uint8Array.of(7));
  expect(await readValue(store, key)).toEqual(Uint8Array.of(7));
  for await (const entry of store.list()) expect(new Uint8Array(entry.key)).toEqual(key);
});

const badKeys: [string, string][] = [
  ["", "empty"],
  ["/a", "empty segment"],
  ["a/", "empty segment"],
  ["a//b", "empty segment"],
  [".", '"."'],
  ["../a", '".."'],
  ["a/../../b", '".."'],
  ["a\0b", "NUL"],
  ["a.__lock", ".__lock"],
  ["a.__lock/b", ".__lock"],
  [`a/${"x".repeat(249)}`, "249 bytes, limit 248"],
];
test.each(badKeys)("key %j is refused", async (key, reason) => {
  const store = fileKvStore(join(folder, "root"));
  await writeFile(join(folder, "a"), "outside");
  for (const call of [store.read(key), store.write(key, Uint8Array.of(1)), store.write(key, null)]) {
    await expect(call).rejects.toMatchObject({ code: "bad-key", message: expect.stringContaining(reason) });
  }
  expect(await readdir(folder)).toEqual(["a"]);
});

test("a key and the same key as a folder cannot both exist: the second is refused, the first stays", async () => {
  const store = fileKvStore(folder);
  await store.write("a", Uint8Array.of(1));
  await expect(store.write("a/b", Uint8Array.of(2))).rejects.toMatchObject({ code: "bad-key" });
  await store.write("c/d", Uint8Array.of(3));
  await expect(store.write("c", Uint8Array.of(4))).rejects.toMatchObject({ code: "bad-key", key: '"c"' });
  expect(await keys()).toEqual(["a", "c/d"]);
  expect((await readdir(folder)).sort()).toEqual(["a", "c"]);
  expect(await store.read("c")).toBeUndefined();
  expect(await store.write("c", null)).toEqual({ written: true, generation: null });
  expect(await store.read("a/b")).toBeUndefined();
  expect(await store.write("a/b", null)).toEqual({ written: true, generation: null });
});

test("a list opens only folders that can hold wanted keys", async () => {
  const store = fileKvStore(folder);
  await store.write("a/1", Uint8Array.of(1));
  await store.write("c/1", Uint8Array.of(1));
  await mkdir(join(folder, "b"));
  const opened = vi.spyOn(fs.promises, "readdir");
  syncBuiltinESMExports();
  expect(await keys({ prefix: "a/" })).toEqual(["a/1"]);
  expect(await keys({ range: { start: keyBytes("b0") } })).toEqual(["c/1"]);
  expect(await keys({ range: { start: keyBytes("a"), end: keyBytes("b/") } })).toEqual(["a/1"]);
  expect(opened.mock.calls.some(([path]) => String(path).endsWith("/b"))).toBe(false);
  await keys();
  expect(opened.mock.calls.some(([path]) => String(path).endsWith("/b"))).toBe(true);
  opened.mockRestore();
  syncBuiltinESMExports();
});

test("links that lead in a circle are absent, and folders are not entered again by links inside them", async () => {
  const store = fileKvStore(folder);
  await store.write("a/b/x", Uint8Array.of(1));
  await store.write("c/y", Uint8Array.of(1));
  await symlink("loop", join(folder, "loop"));
  await symlink("loop/x", join(folder, "a/through"));
  await symlink(".", join(folder, "a/self"));
  await symlink("../..", join(folder, "a/b/root"));
  await symlink("../c", join(folder, "a/other"));
  await symlink("../a", join(folder, "c/other"));
  expect(await keys()).toEqual(["a/b/x", "a/other/y", "c/other/b/x", "c/y"]);
  expect(await keys({ prefix: "a/" })).toEqual(["a/b/x", "a/other/y"]);
  for (const key of ["loop", "a/through", "loop/x"]) expect(await store.read(key)).toBeUndefined();
  expect((await store.read("a/self/b/x"))?.size).toBe(1);
  await store.write("loop", Uint8Array.of(2), { ifGeneration: null });
  expect(await readValue(store, "loop")).toEqual(Uint8Array.of(2));
  await store.deleteRange({ start: keyBytes("a/"), end: keyBytes("a0") });
  expect(await keys()).toEqual(["loop"]);
});

test.each(["os", "lockfile"] as const)(
  "a link in the place of a lock is refused, and its target kept (%s)",
  async (locking) => {
    await writeFile(join(folder, "victim"), "precious");
    const longAgo = new Date(Date.now() - 7_200_000);
    await utimes(join(folder, "victim"), longAgo, longAgo);
    await symlink("victim", join(folder, "a.__lock"));
    const store = fileKvStore(folder, { locking });
    for (const call of [store.write("a", Uint8Array.of(1)), store.hold!("a")]) {
      await expect(call).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining("a.__lock") });
    }
    expect(await sweepLocks(folder, { locking, minAgeMs: 0 })).toBe(0);
    expect(await readFile(join(folder, "victim"), "utf8")).toBe("precious");
    expect((await readdir(folder)).sort()).toEqual(["a.__lock", "victim"]);
  },
);

test("sweeps at the same time do not trip over one another", async () => {
  const { unlinkSync, renameSync } = fs;
  for (const locking of ["os", "lockfile"] as const) {
    for (const name of ["x", "y"]) await writeFile(join(folder, `${name}.__lock`), "");
    // The other one is faster, each time.
    const others = [
      vi.spyOn(fs, "unlinkSync").mockImplementation((path) => [unlinkSync(path), unlinkSync(path)]),
      vi.spyOn(fs, "renameSync").mockImplementation((from, to) => [renameSync(from, to), unlinkSync(to)]),
    ];
    syncBuiltinESMExports();
    try {
      await sweepLocks(folder, { locking, minAgeMs: 0 });
    } finally {
      for (const other of others) other.mockRestore();
      syncBuiltinESMExports();
    }
    expect(await readdir(folder)).toEqual([]);
  }
});

test("a write under a hold whose lock file was taken for abandoned goes on without it", async () => {
  const store = fileKvStore(folder, { locking: "lockfile", fsync: false });
  const { generation } = await store.write("a", Uint8Array.of(1));
  for (const value of [Uint8Array.of(2), null]) {
    const hold = (await store.hold!("a"))!;
    await rm(join(folder, "a.__lock"));
    expect((await store.write("a", value, { hold, ifGeneration: "another" })).written).toBe(false);
    const current = (await store.read("a"))!.generation;
    expect((await store.write("a", value, { hold, ifGeneration: current })).written).toBe(true);
    hold.release();
    await store.write("a", Uint8Array.of(3));
  }
  expect((await store.read("a"))!.generation).not.toBe(generation);
  expect(await readdir(folder)).toEqual(["a"]);
});

test("links to files and folders are followed, dangling ones are absent", async () => {
  await mkdir(join(folder, "elsewhere"));
  await writeFile(join(folder, "elsewhere/x"), "abc");
  await mkdir(join(folder, "root"));
  await symlink("../elsewhere", join(folder, "root/linked"));
  await symlink("../elsewhere/x", join(folder, "root/file"));
  await symlink("nowhere", join(folder, "root/dangling"));
  const store = fileKvStore(join(folder, "root"));
  expect(await readValue(store, "linked/x")).toEqual(keyBytes("abc"));
  expect(await store.read("dangling")).toBeUndefined();
  const found: (string | undefined)[] = [];
  for await (const { key } of store.list()) found.push(keyText(key));
  expect(found).toEqual(["file", "linked/x"]);
  await store.deleteRange({ start: keyBytes("linked/") });
  expect(await readdir(join(folder, "elsewhere"))).toEqual([]);
});

test("deleteRange removes the folders it empties and no others, and keeps the root", async () => {
  const store = fileKvStore(folder);
  for (const key of ["a/b/c/1", "a/b/d/1", "a/e", "f/1"]) await store.write(key, Uint8Array.of(1));
  await store.deleteRange({ start: keyBytes("a/b/"), end: keyBytes("a/b0") });
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(["a", "a/e", "f", "f/1"]);
  await store.deleteRange({ start: new Uint8Array(0) });
  expect(await readdir(folder)).toEqual([]);
  await store.write("a/b/c/1", Uint8Array.of(2));
  expect(await keys()).toEqual(["a/b/c/1"]);
});

test("a root that is not there reads as empty, and one that vanishes is made again", async () => {
  const root = join(folder, "x/y");
  const store = fileKvStore(root);
  expect(await store.read("a")).toBeUndefined();
  for await (const _ of store.list()) expect.unreachable();
  await store.deleteRange({ start: new Uint8Array(0) });
  expect(await readdir(folder)).toEqual([]);
  await store.write("d/a", Uint8Array.of(1));
  await rm(join(folder, "x"), { recursive: true });
  await store.write("d/a", Uint8Array.of(2));
  expect([...(await readFile(join(root, "d/a")))]).toEqual([2]);
});

test("a replaced value is newer than one whose time was set into the future, and generations never repeat", async () => {
  const store = fileKvStore(folder);
  await store.write("a", Uint8Array.of(1));
  const future = Date.now() / 1000 + 3600;
  await utimes(join(folder, "a"), future, future);
  const seen = new Set([(await store.read("a"))!.generation]);
  for (let i = 0; i < 30; i++) seen.add((await store.write("a", Uint8Array.of(i))).generation!);
  expect(seen.size).toBe(31);
});

test("an abort in the middle of a large write leaves the old value and no unfinished one", async () => {
  const store = fileKvStore(folder, { fsync: false });
  await store.write("a", Uint8Array.of(1));
  const controller = new AbortController();
  const writing = store.write("a", new Uint8Array(200 << 20), { signal: controller.signal });
  const reason = new Error("enough");
  await expect.poll(() => readdir(folder), { interval: 1 }).toHaveLength(2);
  controller.abort(reason);
  await expect(writing).rejects.toBe(reason);
  expect(await readdir(folder)).toEqual(["a"]);
  expect(await readValue(store, "a")).toEqual(Uint8Array.of(1));
});

test("what is neither file nor folder is refused without waiting for it", async () => {
  execFileSync("mkfifo", [join(folder, "pipe")]);
  await expect(fileKvStore(folder).read("pipe")).rejects.toMatchObject({ code: "unsupported" });
  expect(await keys()).toEqual([]);
});

test("after close every call is refused", async () => {
  const store = fileKvStore(folder);
  const writing = store.write("a", Uint8Array.of(1));
  await store.close();
  await writing;
  await expect(store.read("a")).rejects.toMatchObject({ code: "closed" });
  await expect(store.write("a", null)).rejects.toMatchObject({ code: "closed" });
});

test("two stores on one folder in one process respect each other", async () => {
  const stores = [fileKvStore(folder, { fsync: false }), fileKvStore(folder, { fsync: false })];
  const increment = async (store = stores[0]!) => {
    for (let i = 0; i < 20; ) {
      const found = await store.read("n");
      const next = Uint8Array.of((found?.value[0] ?? 0) + 1);
      if ((await store.write("n", next, { ifGeneration: found?.generation ?? null })).written) i++;
    }
  };
  await Promise.all(stores.map(increment));
  expect(await readValue(stores[0]!, "n")).toEqual(Uint8Array.of(40));
});

test("files that were read stay open, few of them and not for long, and are looked at before each read", async () => {
  const store = fileKvStore(folder, { fsync: false });
  const other = fileKvStore(folder, { fsync: false });
  const openHere = async () => {
    const names = await readdir("/proc/self/fd");
    const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")));
    return targets.filter((target) => target.startsWith(folder));
  };
  for (let i = 0; i < 300; i++) await store.write(`many/${i}`, Uint8Array.of(i));
  const read = await Promise.all(Array.from({ length: 900 }, (_, i) => store.read(`many/${i % 300}`)));
  expect(read.every((found, i) => found?.value[0] === (i % 300) % 256)).toBe(true);
  expect((await openHere()).length).toBeLessThanOrEqual(128);

  await store.read("many/0");
  expect(await openHere()).toContain(join(folder, "many/0"));
  await writeFile(join(folder, "fresh"), "in its place");
  await rename(join(folder, "fresh"), join(folder, "many/0"));
  expect(Buffer.from((await other.read("many/0"))!.value).toString()).toBe("in its place");
  await rm(join(folder, "many/0"));
  const reads = await Promise.all([other.read("many/0"), store.read("many/0"), store.read("many/0")]);
  expect(reads).toEqual([undefined, undefined, undefined]);

  const { generation } = (await store.read("many/1"))!;
  expect(await store.read("many/1", { ifNotGeneration: generation })).toBe("unchanged");
  await other.write("many/1", null);
  expect(await store.read("many/1", { ifNotGeneration: generation })).toBeUndefined();
  expect((await openHere()).some((target) => target.endsWith("many/1 (deleted)"))).toBe(false);
  await expect.poll(openHere, { timeout: 10_000 }).toEqual([]);
});
