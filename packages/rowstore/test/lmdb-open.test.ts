import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, expect, test } from "vitest";
import { memoryRowStore, openRowStore, readRow } from "../src/index.ts";
import { openLmdbRowStore } from "../src/lmdb.ts";

const folder = await mkdtemp(join(tmpdir(), "pcg-rowstore-"));
afterAll(() => rm(folder, { recursive: true }));
const key = Uint8Array.of(1);
const write = [{ key, ops: [{ op: "set", column: { family: "f", qualifier: key }, value: key } as const] }];

test("what was written is there after closing and opening again", async () => {
  const path = join(folder, "a folder.with dots", "made on the way");
  const first = await openLmdbRowStore(path);
  await first.mutate(write);
  await first.close();
  const second = await openLmdbRowStore(path);
  expect((await readRow(second, key))?.cells[0]?.value).toEqual(key);
  await second.close();
});

test("stores of one process on one folder share its files, by whatever path, and close one by one", async () => {
  const path = join(folder, "shared");
  const [one, two] = await Promise.all([openLmdbRowStore(path), openLmdbRowStore(join(path, "..", "shared"))]);
  await symlink(path, join(folder, "link"));
  const three = await openLmdbRowStore(join(folder, "link"));
  await one!.mutate(write);
  await one!.close();
  await one!.close();
  expect((await readRow(two!, key))?.cells.length).toBe(1);
  await two!.close();
  expect((await readRow(three, key))?.cells.length).toBe(1);
  await three.close();
  // Opening while the last one closes waits for nothing and loses nothing.
  const four = await openLmdbRowStore(path);
  const closing = four.close();
  const five = await openLmdbRowStore(path);
  await closing;
  expect((await readRow(five, key))?.cells.length).toBe(1);
  await five.close();
});

test("a folder with other files is refused and left alone", async () => {
  const path = join(folder, "photos");
  await mkdir(path);
  await writeFile(join(path, "cat.jpg"), "");
  await expect(openLmdbRowStore(path)).rejects.toMatchObject({ code: "NOT_A_ROW_STORE", details: { path } });
  expect(await readdir(path)).toEqual(["cat.jpg"]);
});

test("a file is no folder", async () => {
  const path = join(folder, "file");
  await writeFile(path, "");
  await expect(openLmdbRowStore(path)).rejects.toMatchObject({ code: "CANNOT_OPEN", cause: { code: "EEXIST" } });
  await expect(openLmdbRowStore(join(path, "below"))).rejects.toMatchObject({ code: "CANNOT_OPEN" });
});

test("a database of another program is refused and left alone", async () => {
  const path = join(folder, "other");
  const other = open({ path, noSubdir: false });
  await other.put("theirs", 1);
  await other.close();
  await expect(openLmdbRowStore(path)).rejects.toMatchObject({ code: "NOT_A_ROW_STORE" });
  const again = open({ path, noSubdir: false });
  expect([...again.getKeys()]).toEqual(["theirs"]);
  await again.close();
});

test("a damaged file is refused with what to do, and does not take the process down", async () => {
  const path = join(folder, "damaged");
  const store = await openLmdbRowStore(path);
  await store.mutate(write);
  await store.close();
  const file = join(path, "data.mdb");
  const good = await readFile(file);
  const patched = (offset: number, value: number) => {
    const copy = Buffer.from(good);
    for (const page of [0, 4096]) copy.writeUInt32LE(value, page + offset);
    return copy;
  };
  const cases: [Buffer, string][] = [
    [Buffer.alloc(8192, 0x5a), "NOT_A_ROW_STORE"],
    [Buffer.from("hello"), "NOT_A_ROW_STORE"],
    [good.subarray(0, 4096), "CORRUPT"],
    [good.subarray(0, 8192), "CORRUPT"],
    [patched(28, 1), "NOT_A_ROW_STORE"],
    [patched(48, 4095), "CORRUPT"],
    [patched(136, 1e9), "CORRUPT"],
  ];
  for (const [bytes, code] of cases) {
    await writeFile(file, bytes);
    await expect(openLmdbRowStore(path)).rejects.toMatchObject({ code });
    await expect(openLmdbRowStore(path)).rejects.toThrow(/backup/);
    expect(await readFile(file)).toEqual(bytes);
  }
  await writeFile(file, good);
  const again = await openLmdbRowStore(path);
  expect((await readRow(again, key))?.cells.length).toBe(1);
  await again.close();
});

test("a row store of a later version is refused", async () => {
  const path = join(folder, "later");
  const later = open({ path, noSubdir: false, encoding: "json" });
  await later.put("pcg-rowstore", { version: 2 });
  await later.close();
  await expect(openLmdbRowStore(path)).rejects.toMatchObject({ code: "VERSION_MISMATCH", details: { version: "2" } });
});

test("a store is opened by its address with the drivers given", async () => {
  const drivers = { memory: () => memoryRowStore(), lmdb: (location: string) => openLmdbRowStore(location) };
  const path = join(folder, "100% by url");
  for (const prefix of ["lmdb:", "lmdb://"]) {
    const store = await openRowStore(prefix + encodeURI(path), drivers);
    await store.mutate(write);
    await store.close();
  }
  expect(await readdir(folder)).toContain("100% by url");
  expect(await readRow(await openRowStore("memory:", drivers), key)).toBe(undefined);
  await expect(openRowStore("redis:x", drivers)).rejects.toMatchObject({
    code: "UNKNOWN_DRIVER",
    details: { scheme: "redis" },
  });
  await expect(openRowStore("toString:x", drivers)).rejects.toMatchObject({ code: "INVALID_URL" });
  await expect(openRowStore("constructor:x", drivers)).rejects.toMatchObject({ code: "UNKNOWN_DRIVER" });
  await expect(openRowStore("/data", drivers)).rejects.toMatchObject({ code: "INVALID_URL" });
  await expect(openRowStore("lmdb:/100%", drivers)).rejects.toMatchObject({ code: "INVALID_URL" });
});
