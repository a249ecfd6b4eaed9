import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type KvStore,
  memoryDriver,
  memoryKvStore,
  openKvStore,
  withCache,
  withFaults,
  withPrefix,
  withRetry,
} from "@pcg/kvstore";
import { type OpenForTest, type TestKvStoreOptions, testKvStore } from "@pcg/kvstore/conformance";
import { fileKvStore } from "@pcg/kvstore/file";
import { httpKvStore } from "@pcg/kvstore/http";
import { describe, expect, test } from "vitest";
import { type ServerQuirks, serve } from "./http-server.ts";

const everything = { writable: true, conditionalWrites: true, list: true } as const;
const api = { describe, test, expect };
const anyKeys: TestKvStoreOptions = { capabilities: everything, anyKeys: true };

const inFolder =
  (fsync: boolean): OpenForTest =>
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kvstore-"));
    return {
      store: fileKvStore(join(folder, "made/by write"), { fsync }),
      cleanup: () => rm(folder, { recursive: true }),
    };
  };
const served =
  (quirks: ServerQuirks): OpenForTest =>
  async (contents) => {
    const server = await serve(contents, quirks);
    return { store: httpKvStore(server.url), cleanup: () => server.close() };
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
testKvStore("file", inFolder(true), api, { capabilities: everything, steps: 80 });
testKvStore("file without fsync", inFolder(false), api, { capabilities: everything });
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
