import { mkdtemp, readdir, rm } from "node:fs/promises";
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
  expect(store.capabilities).toEqual({ writable: true, list: true });
  await store.write("a/b", Uint8Array.of(1));
  await expect(store.write("a/b", Uint8Array.of(2), { ifGeneration: null })).rejects.toMatchObject({
    code: "unsupported",
  });
  expect((await store.read("a/b"))?.value).toEqual(Uint8Array.of(1));
  expect(await readdir(folder, { recursive: true })).toEqual(["a", "a/b"]);
  await rm(folder, { recursive: true });
});
