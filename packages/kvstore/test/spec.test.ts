import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isKvStoreError,
  type KvStoreSpec,
  kvStackDriver,
  memoryDriver,
  openKvStoreSpec,
  readValue,
  storeSpec,
  withCache,
  withPrefix,
  withRetry,
} from "@pcg/kvstore";
import { fileDriver, fileKvStore } from "@pcg/kvstore/file";
import { httpDriver, httpKvStore } from "@pcg/kvstore/http";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve } from "./http-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const drivers = { ...fileDriver(), ...httpDriver() };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvstore-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a file spec", () => {
  test("joins its path to keys as it is", async () => {
    await (await openKvStoreSpec({ driver: "file", path: `${folder}/d/` }, drivers)).write("x", bytes("1"));
    await (await openKvStoreSpec({ driver: "file", path: `${folder}/d/pre` }, drivers)).write("fix", bytes("2"));
    await (await openKvStoreSpec(`file://${folder}/d/a%20b`, drivers)).write("", bytes("3"));
    expect((await readdir(join(folder, "d"))).sort()).toEqual(["a b", "prefix", "x"]);
    expect(await readFile(join(folder, "d/a b"), "utf8")).toBe("3");
  });

  test("is what stores, prefixes and wrappers publish", () => {
    const store = fileKvStore(folder);
    expect(storeSpec(store)).toEqual({ driver: "file", path: `${folder}/` });
    const wrapped = withRetry(withCache(withPrefix(store, "seg/é"), { maxBytes: 1 }));
    expect(storeSpec(wrapped)).toEqual({ driver: "file", path: `${folder}/seg/é` });
    expect(() => storeSpec(withPrefix(store, Uint8Array.of(0xff)))).toThrow("no JSON form");
  });

  test("keeps how files are synced and locked, before the driver's own settings", async () => {
    const spec = { driver: "file", path: `${folder}/`, file_io_sync: false, file_io_locking: { mode: "lockfile" } };
    expect(storeSpec(await openKvStoreSpec(spec, drivers))).toEqual(spec);
    const other = fileDriver({ fsync: false, locking: "lockfile" });
    expect(storeSpec(await openKvStoreSpec({ driver: "file", path: `${folder}/` }, other))).toEqual(spec);
    const plain = { ...spec, file_io_sync: true, file_io_locking: { acquire_timeout: "60s" } };
    expect(storeSpec(await openKvStoreSpec(plain, other))).toEqual({ driver: "file", path: `${folder}/` });
  });

  const bad: [Record<string, unknown>, string][] = [
    [{}, '"path"'],
    [{ path: "/a\0b" }, '"path"'],
    [{ path: "/a", file_io_sync: 1 }, '"file_io_sync"'],
    [{ path: "/a", file_io_locking: { mode: "none" } }, '{"mode":"none"}'],
    [{ path: "/a", file_io_locking: "x" }, '"file_io_locking"'],
    [{ path: "/a", file_io_locking: { modus: "os" } }, '"modus" in "file_io_locking"'],
    [{ path: "/a", context: {} }, '"context"'],
  ];
  test.each(bad)("with %j is refused", async (members, reason) => {
    await expect(openKvStoreSpec({ driver: "file", ...members }, drivers)).rejects.toMatchObject({
      code: "bad-spec",
      message: expect.stringContaining(reason),
    });
  });
});

describe("an http spec", () => {
  test("joins base_url and path by one slash, keeps the query, sends its headers", async () => {
    const server = await serve(new Map([["a b/key", bytes("x")]]));
    const base = server.url.slice(0, -1);
    for (const spec of [
      { driver: "http", base_url: base, path: "a b/k" },
      { driver: "http", base_url: `${base}/`, path: "a b/k", headers: ["X-Asked: by test"] },
      { driver: "http", base_url: `${base}/a%20b/k` },
      `${base}/a%20b/k`,
    ] satisfies KvStoreSpec[]) {
      const store = await openKvStoreSpec(spec, drivers);
      expect(await readValue(store, "ey")).toEqual(bytes("x"));
      expect(storeSpec(store)).toEqual({ driver: "http", base_url: new URL(base).origin, path: "/base/a b/k" });
    }
    expect(server.requests[1]!.headers["x-asked"]).toBe("by test");
    const asked = await openKvStoreSpec({ driver: "http", base_url: `${base}?token=1`, path: "a b/" }, drivers);
    expect(await readValue(asked, "key")).toEqual(bytes("x"));
    expect(server.requests.at(-1)!.path).toBe("/base/a%20b/key?token=1");
    expect(storeSpec(asked)).toMatchObject({ base_url: `${new URL(base).origin}?token=1`, path: "/base/a b/" });
    await server.close();
  });

  test("is none for a path that is not percent-encoded text", () => {
    expect(httpKvStore("http://host/100%/").spec).toBeUndefined();
  });

  const bad: [Record<string, unknown>, string][] = [
    [{}, '"base_url"'],
    [{ base_url: "ftp://x" }, '"base_url"'],
    [{ base_url: "http://" }, '"base_url"'],
    [{ base_url: "http://x#y" }, '"base_url"'],
    [{ base_url: "http://x", headers: "a: b" }, '"headers"'],
    [{ base_url: "http://x", headers: ["secret"] }, '"headers"'],
    [{ base_url: "http://x", headers: ["a: b\r\nc: d"] }, '"headers"'],
    [{ base_url: "http://x", query: "y" }, '"query"'],
    [{ base_url: "http://x/y", path: "/z" }, "begins with a slash"],
  ];
  test.each(bad)("with %j is refused", async (members, reason) => {
    const refusal = await openKvStoreSpec({ driver: "http", ...members }, drivers).catch((error: Error) => error);
    expect(refusal).toMatchObject({ code: "bad-spec", message: expect.stringContaining(reason) });
    expect((refusal as Error).message).not.toContain("secret");
  });
});

test("a gcs spec is the public bucket", async () => {
  const asked: string[] = [];
  const google = httpDriver({
    fetch: async (url) => {
      asked.push(String(url));
      return new Response("x");
    },
  });
  for (const spec of [{ driver: "gcs", bucket: "my-bucket", path: "a/b c" }, "gs://my-bucket/a/b%20c"]) {
    const store = await openKvStoreSpec(spec, google);
    await store.read("/k");
    expect(storeSpec(store)).toEqual({ driver: "gcs", bucket: "my-bucket", path: "a/b c" });
  }
  expect(asked).toEqual(Array(2).fill("https://storage.googleapis.com/my-bucket/a/b%20c/k"));
  await expect(openKvStoreSpec({ driver: "gcs", bucket: "No/Bucket" }, google)).rejects.toMatchObject({
    code: "bad-spec",
  });
});

test("any JSON is opened or refused by a typed error, and what is opened opens again from its own JSON", async () => {
  const all = { ...drivers, ...memoryDriver(), ...kvStackDriver() };
  const text = fc.oneof(
    fc.constantFrom(
      "",
      "a",
      "/x/",
      "a/b",
      "\0",
      "\ud800",
      "é%",
      "http://h/100%",
      "http://h:x/",
      "file:///a|",
      "memory://a/b",
      "gs://bucket/a",
    ),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const value = fc.oneof(
    { weight: 3, arbitrary: text },
    fc.jsonValue({ maxDepth: 1 }),
    fc.integer({ min: -1, max: 3 }),
  );
  const { spec } = fc.letrec((tie) => ({
    spec: fc.oneof({ maxDepth: 3 }, text, tie("plain"), tie("stack")),
    plain: fc.record(
      {
        driver: fc.constantFrom("memory", "file", "http", "gcs", "kvstack", "other"),
        path: value,
        base_url: value,
        bucket: value,
        headers: fc.array(value, { maxLength: 2 }),
        file_io_sync: value,
        file_io_locking: fc.record({ mode: value }),
        layers: value,
      },
      { requiredKeys: ["driver"] },
    ),
    stack: fc.record(
      { driver: fc.constant("kvstack"), path: text, layers: fc.array(tie("layer"), { maxLength: 3 }) },
      { requiredKeys: ["driver", "layers"] },
    ),
    layer: fc.record(
      {
        base: tie("spec"),
        exact: value,
        prefix: value,
        inclusive_min: value,
        exclusive_max: value,
        strip_prefix: value,
      },
      { requiredKeys: ["base"] },
    ),
  }));
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(spec, async (json) => {
      let store: Awaited<ReturnType<typeof openKvStoreSpec>>;
      try {
        store = await openKvStoreSpec(json as KvStoreSpec, all);
      } catch (error) {
        if (!isKvStoreError(error)) throw error;
        return;
      }
      opened++;
      const published = JSON.parse(JSON.stringify(storeSpec(store))) as KvStoreSpec;
      expect(storeSpec(await openKvStoreSpec(published, all))).toEqual(published);
    }),
    { numRuns: 700 },
  );
  expect(opened).toBeGreaterThan(20);
});
