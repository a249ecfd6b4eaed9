import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type KvStore,
  kvStack,
  memoryDriver,
  memoryKvStore,
  openKvStore,
  openKvStoreSpec,
  overlay,
  withCache,
  withCoalescedReads,
  withCounters,
  withFaults,
  withPrefix,
  withRetry,
} from "@pcg/kvstore";
import { type OpenForTest, type TestKvStoreOptions, testKvStore } from "@pcg/kvstore/conformance";
import { fileDriver, fileKvStore } from "@pcg/kvstore/file";
import { httpKvStore } from "@pcg/kvstore/http";
import { describe, expect, test } from "vitest";
import { type ServerQuirks, serve } from "./http-server.ts";

const everything = { writable: true, conditionalWrites: true, list: true } as const;
const ofFiles = { ...everything, batchesReads: true } as const;
const api = { describe, test, expect };
const anyKeys: TestKvStoreOptions = { capabilities: everything, anyKeys: true };

const inFolder =
  (fsync: boolean, locking: "os" | "lockfile" = "os"): OpenForTest =>
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
    return {
      store: fileKvStore(join(folder, "made/by write"), { fsync, locking }),
      cleanup: () => rm(folder, { recursive: true }),
    };
  };
const served =
  (quirks: ServerQuirks, wrap = (store: KvStore): KvStore => store): OpenForTest =>
  async (contents) => {
    const server = await serve(contents, quirks);
    return { store: wrap(httpKvStore(server.url)), cleanup: () => server.close() };
  };
const inMemory =
  (wrap: (store: KvStore) => KvStore | Promise<KvStore>): OpenForTest =>
  async () => ({ store: await wrap(memoryKvStore()) });

testKvStore(
  "memory",
  inMemory((store) => store),
  api,
  anyKeys,
);
testKvStore("file", inFolder(true), api, { capabilities: ofFiles, holds: true, stages: true, steps: 80 });
testKvStore("file without fsync", inFolder(false), api, { capabilities: ofFiles, holds: true });
testKvStore("file with lock files", inFolder(false, "lockfile"), api, {
  capabilities: ofFiles,
  holds: true,
  seeds: [1],
});
testKvStore(
  "wrappers around files",
  async () => {
    const { store: files, cleanup } = await inFolder(true)(new Map());
    const wrapped = withFaults(withPrefix(withCache(files, { maxBytes: 1 << 20 }), "some/"), () => undefined);
    const store = kvStack([{ store: withRetry(withCounters(withCoalescedReads(wrapped, { maxGapBytes: 3 })).store) }]);
    return { store, ...(cleanup && { cleanup }) };
  },
  api,
  { capabilities: ofFiles, holds: true, stages: true, seeds: [1], steps: 30 },
);
testKvStore(
  "kvStack of files and memory",
  async () => {
    const { store: files, cleanup } = await inFolder(true)(new Map());
    const keys = ["dir/", "made/", "a/b"].map((prefix) => ({
      store: files,
      prefix,
      stripPrefix: prefix === "a/b" ? 2 : 0,
    }));
    const all = [{ store: memoryKvStore() }, ...keys, { store: files, exact: "key", stripPrefix: 1 }];
    return { store: kvStack(all), ...(cleanup && { cleanup }) };
  },
  api,
  { capabilities: everything, holds: true, stages: true, seeds: [1], steps: 30 },
);
testKvStore("http", served({}), api, { capabilities: {} });
testKvStore("http from a server without ranges", served({ ignoreRanges: true }), api, { capabilities: {} });
testKvStore("http without ranges or lengths", served({ ignoreRanges: true, withoutLength: true }), api, {
  capabilities: {},
});

testKvStore(
  "withPrefix",
  inMemory((store) => withPrefix(store, "some/prefix-")),
  api,
  anyKeys,
);
testKvStore(
  "withPrefix of 0xff bytes",
  inMemory((store) => withPrefix(store, Uint8Array.of(0xff, 0xff))),
  api,
  anyKeys,
);
testKvStore(
  "withPrefix beside neighbours",
  inMemory(async (store) => {
    for (const key of ["p", "p/", "p.", "p0", ""]) await store.write(`${key}x`, Uint8Array.of(1));
    await store.deleteRange({ start: new TextEncoder().encode("p/"), end: new TextEncoder().encode("p0") });
    return withPrefix(store, "p/");
  }),
  api,
  anyKeys,
);
testKvStore(
  "withCache",
  inMemory((store) => withCache(store, { maxBytes: 1 << 20 })),
  api,
  anyKeys,
);
testKvStore(
  "withCache too small",
  inMemory((store) => withCache(store, { maxBytes: 700 })),
  api,
  anyKeys,
);
testKvStore(
  "withCache that revalidates",
  inMemory((store) => withCache(store, { maxBytes: 1 << 20, maxAgeMs: 0 })),
  api,
  anyKeys,
);
testKvStore(
  "withRetry",
  inMemory((store) => withRetry(store)),
  api,
  anyKeys,
);
testKvStore(
  "withFaults without faults",
  inMemory((store) => withFaults(store, () => undefined)),
  api,
  anyKeys,
);
testKvStore(
  "withRetry over failures",
  inMemory((store) => {
    const failing = withFaults(store, ({ index, conditional }) =>
      index % 3 === 2 && !conditional ? { kind: "fail" } : undefined,
    );
    return withRetry(failing, { baseDelayMs: 0 });
  }),
  api,
  anyKeys,
);
testKvStore(
  "memory://",
  async () => ({ store: await openKvStore("memory://x/under/a/path", memoryDriver()) }),
  api,
  anyKeys,
);
testKvStore(
  "memory by its spec",
  async () => ({ store: await openKvStoreSpec({ driver: "memory", path: "any/pre" }, memoryDriver()) }),
  api,
  anyKeys,
);
testKvStore(
  "file by a spec whose path is no folder",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
    const spec = { driver: "file", path: join(folder, "made/begin-"), file_io_sync: false };
    return { store: await openKvStoreSpec(spec, fileDriver()), cleanup: () => rm(folder, { recursive: true }) };
  },
  api,
  { capabilities: ofFiles, seeds: [1], steps: 60 },
);

testKvStore(
  "kvStack of one",
  inMemory((store) => kvStack([{ store }])),
  api,
  anyKeys,
);
testKvStore(
  "kvStack of many",
  inMemory((store) =>
    kvStack([
      { store },
      { store: memoryKvStore(), prefix: "a" },
      { store: memoryKvStore(), inclusiveMin: "a/2", exclusiveMax: "a/3/q" },
      { store: memoryKvStore(), prefix: Uint8Array.of(0xff) },
      { store: memoryKvStore(), exact: "b" },
      { store: memoryKvStore(), exact: "" },
      { store: memoryKvStore(), prefix: "key", stripPrefix: 2 },
    ]),
  ),
  api,
  anyKeys,
);

/** Keys the lower store holds, hidden by deletions before a test begins. */
const hidden = ["a", "a/1", "a/3/p/q", "b/1", "b", "key", "digits", "", "zz"];
testKvStore(
  "overlay on nothing",
  inMemory((store) => overlay(store, memoryKvStore())),
  api,
  anyKeys,
);
testKvStore(
  "overlay on what was deleted key by key",
  inMemory(async (store) => {
    const lower = memoryKvStore();
    for (const key of hidden) await lower.write(key, new TextEncoder().encode(`lower ${key}`));
    const both = overlay(store, lower);
    for (const key of hidden) await both.write(key, null);
    return both;
  }),
  api,
  anyKeys,
);
testKvStore(
  "overlay of files on memory",
  async () => {
    const { store: upper, cleanup } = await inFolder(true)(new Map());
    const lower = memoryKvStore();
    await lower.write("dir/key", Uint8Array.of(1));
    const store = overlay(upper, lower);
    await store.write("dir/key", null);
    return { store, ...(cleanup && { cleanup }) };
  },
  api,
  { capabilities: everything, holds: true, stages: true, seeds: [1], steps: 30 },
);
testKvStore(
  "overlay of files on overlay of files, emptied",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
    const layer = (name: string): KvStore => fileKvStore(join(folder, name), { fsync: false });
    await layer("lower").write("lower/x", Uint8Array.of(1));
    await layer("middle").write("middle/x", Uint8Array.of(1));
    const store = overlay(layer("upper"), overlay(layer("middle"), layer("lower")));
    await store.deleteRange({ start: new Uint8Array(0) });
    return { store, cleanup: () => rm(folder, { recursive: true }) };
  },
  api,
  { capabilities: ofFiles, seeds: [1], steps: 60 },
);

testKvStore(
  "withCounters",
  inMemory((store) => withCounters(store).store),
  api,
  anyKeys,
);
testKvStore(
  "withCoalescedReads",
  inMemory((store) => withCoalescedReads(store, { maxGapBytes: 3 })),
  api,
  anyKeys,
);
testKvStore(
  "withCoalescedReads over http",
  served({}, (store) => withCoalescedReads(store, { maxGapBytes: 100 })),
  api,
  {
    capabilities: {},
  },
);
