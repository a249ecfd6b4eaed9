import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { expect, test, vi } from "vitest";

vi.mock("node:module", () => ({
  createRequire: () => () => {
    throw new Error("no binary for this platform");
  },
}));

test("without native locks the store writes, but neither promises nor does conditional writes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
  const store = fileKvStore(folder);
  expect(store.capabilities).toEqual({ writable: true, list: true, batchesReads: true });
  await store.write("a/b", Uint8Array.of(1));
  await expect(store.write("a/b", Uint8Array.of(2), { ifGeneration: null })).rejects.toMatchObject({
    code: "unsupported",
  });
  expect((await store.read("a/b"))?.value).toEqual(Uint8Array.of(1));
  expect(await readdir(folder, { recursive: true })).toEqual(["a", "a/b"]);
  await rm(folder, { recursive: true });
});

test("with lock files it does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
  const store = fileKvStore(folder, { locking: "lockfile", fsync: false });
  expect(store.capabilities).toEqual({ writable: true, conditionalWrites: true, list: true, batchesReads: true });
  const increment = async () => {
    const other = fileKvStore(folder, { locking: "lockfile", fsync: false });
    for (let i = 0; i < 10; ) {
      const found = await other.read("n");
      const next = Uint8Array.of((found?.value[0] ?? 0) + 1);
      if ((await other.write("n", next, { ifGeneration: found?.generation ?? null })).written) i++;
    }
  };
  await Promise.all([increment(), increment(), increment()]);
  expect((await store.read("n"))?.value).toEqual(Uint8Array.of(30));
  const lock = join(folder, "n.__lock");
  await writeFile(lock, "");
  const longAgo = new Date(Date.now() - 61_000);
  await utimes(lock, longAgo, longAgo);
  await Promise.all([1, 2, 3].map((i) => store.write("n", Uint8Array.of(i))));
  expect(await readdir(folder)).toEqual(["n"]);
  await rm(folder, { recursive: true });
});
