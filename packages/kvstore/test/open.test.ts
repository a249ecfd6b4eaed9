import {
  type KvDrivers,
  type KvStore,
  memoryDriver,
  memoryKvStore,
  openKvStore,
  readValue,
  withPrefix,
} from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { httpDriver } from "@pcg/kvstore/http";
import { expect, test } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);

test("opens the base and runs the stages in order", async () => {
  const drivers: KvDrivers = {
    ...memoryDriver(),
    sub: { openStage: (store, stage) => withPrefix(store, stage.path) },
  };
  const base = await openKvStore("memory://m/", drivers);
  await base.write("a/b c/key", bytes("x"));
  const store = await openKvStore("memory://m/|sub:a/|sub:b%20c/", drivers);
  expect(await readValue(store, "key")).toEqual(bytes("x"));
  expect(store.url).toBe("memory://m/a/b c/");
});

test("a memory URL names the same store each time, its path a folder", async () => {
  const drivers = memoryDriver();
  const store = await openKvStore("memory://one/dir", drivers);
  await store.write("key", bytes("x"));
  await store.close();
  expect(await readValue(await openKvStore("memory://one", drivers), "dir/key")).toEqual(bytes("x"));
  expect(await readValue(await openKvStore("memory://two/dir/", drivers), "key")).toBeUndefined();
  expect(await readValue(await openKvStore("memory://one/dir/", memoryDriver()), "key")).toBeUndefined();
});

test("an unknown scheme is refused with the list of those known", async () => {
  const drivers = { ...fileDriver(), ...httpDriver(), ...memoryDriver() };
  await expect(openKvStore("s3://bucket/x", drivers)).rejects.toMatchObject({
    code: "unknown-driver",
    message: 'no driver for the base "s3://" of s3://bucket/x; known here: file, gs, http, https, memory',
  });
  await expect(openKvStore("/x|ocdbt:", drivers)).rejects.toMatchObject({
    code: "unknown-driver",
    message: 'no driver for the stage "ocdbt:" of file:///x|ocdbt:; known here: none',
  });
  await expect(openKvStore("constructor://x", drivers)).rejects.toMatchObject({ code: "unknown-driver" });
});

test("when a stage fails, what was opened is closed", async () => {
  let closed = 0;
  const base: KvStore = { ...withPrefix(memoryKvStore(), ""), close: async () => void closed++ };
  const drivers: KvDrivers = {
    base: { openBase: () => base },
    broken: {
      openStage: () => {
        throw new Error("no manifest");
      },
    },
  };
  await expect(openKvStore("base://x|broken:", drivers)).rejects.toThrow("no manifest");
  expect(closed).toBe(1);
});

test("gives up before opening when the signal is aborted", async () => {
  const signal = AbortSignal.abort(new Error("no"));
  await expect(openKvStore("memory://m", memoryDriver(), { signal })).rejects.toThrow("no");
});
