import { type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { fork } from "../../src/fork/create.ts";
import { openFork } from "../../src/fork/open.ts";
import { ocdbtGateway } from "../../src/gateway.ts";
import { createTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire } from "../../src/upkeep/index.ts";
import { bytes, contents, put, text, tiny, tinyDatabase } from "../history/world.ts";

let store: KvStore;
let db: OcdbtDatabase;
let handle: (request: Request) => Promise<Response>;

beforeEach(async () => {
  store = memoryKvStore();
  db = await tinyDatabase(store);
  await put(db, { info: '{"a": 1}', "s/1": "0123456789", "s/2": "abc", "s/t/1": "deep" });
  handle = ocdbtGateway({ database: (name) => (name === "db" ? db : undefined) });
});

const ask = (path: string, init: RequestInit = {}, how = handle) => how(new Request(`http://localhost${path}`, init));

/** The matcher would look at each element for itself. */
const isSame = (found: ArrayBuffer, expected: Uint8Array) => Buffer.compare(new Uint8Array(found), expected) === 0;

/** The folder a gateway serves, as a store: what an OCDBT reader over HTTP sees. */
function folderOver(path: string, how = handle): KvStore {
  const refuse = async (): Promise<never> => {
    throw new Error("a gateway only reads");
  };
  return {
    capabilities: {},
    url: `http://localhost${path}`,
    async read(key: Uint8Array | string, options: { range?: { offset: number; length: number } } = {}) {
      const name = Array.from(
        typeof key === "string" ? bytes(key) : key,
        (byte) => `%${byte.toString(16).padStart(2, "0")}`,
      );
      const { range } = options;
      const headers = range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
      const response = await ask(`${path}${name.join("")}`, { headers }, how);
      if (response.status === 404) return undefined;
      expect(response.status).toBe(range ? 206 : 200);
      const value = new Uint8Array(await response.arrayBuffer());
      const size = Number(response.headers.get("Content-Range")?.split("/")[1] ?? value.length);
      return { value, size, generation: response.headers.get("ETag")! };
    },
    write: refuse,
    list: () => {
      throw new Error("a gateway does not list");
    },
    deleteRange: refuse,
    close: async () => {},
  } as KvStore;
}

describe("an OCDBT folder", () => {
  test("of the head, a generation, a time and a tag is a database that ends there", async () => {
    const states: Record<string, Record<string, string>> = {};
    for (let i = 0; i < 20; i++) {
      await put(db, { i: String(i), [`k${i % 3}`]: `a longer value ${i}` });
      const { generation, commitTime } = (await db.head())!;
      states[`v${generation}`] = await contents(db);
      if (i === 7) {
        await createTag(db, "seven");
        states.seven = await contents(db);
        const ms = commitTime / 1_000_000n;
        const fraction = String(commitTime % 1_000_000_000n).padStart(9, "0");
        states[`${new Date(Number(ms)).toISOString().slice(0, 19)}.${fraction}Z`] = await contents(db);
      }
    }
    states.head = await contents(db);
    for (const [version, expected] of Object.entries(states)) {
      const served = await openOcdbt(folderOver(`/db/${encodeURIComponent(version)}/ocdbt/`));
      expect(await contents(served), version).toEqual(expected);
      if (version === "seven")
        await expect(served.at({ generation: (await served.head())!.generation + 1n })).rejects.toThrow();
    }
    const served = await openOcdbt(folderOver("/db/head/ocdbt/"));
    for (const version of ["v5", "v12", "v20"]) {
      expect(await contents(served, { generation: BigInt(version.slice(1)) })).toEqual(states[version]);
    }
  });

  test("of a fork holds base and fork", async () => {
    await fork(db, "f");
    const own = await openFork(store, "f");
    await put(own, { "s/2": "a value of the fork" });
    const of = ocdbtGateway({ database: (name) => ({ base: db, fork: own })[name] });
    const [inBase, inFork] = [
      await openOcdbt(folderOver("/base/head/ocdbt/", of)),
      await openOcdbt(folderOver("/fork/head/ocdbt/", of)),
    ];
    expect(await contents(inBase)).toEqual(await contents(db));
    expect(await contents(inFork)).toEqual({ ...(await contents(db)), "s/2": "a value of the fork" });
  });

  test("of a numbered database is one of the single kind", async () => {
    const numbered = await tinyDatabase(undefined, { config: { ...tiny, manifestKind: "numbered" } });
    for (let i = 0; i < 5; i++) await put(numbered, { a: `a longer value ${i}` });
    const of = ocdbtGateway({ database: () => numbered });
    const served = await openOcdbt(folderOver("/x/head/ocdbt/", of));
    expect(served.config.manifestKind).toBe("single");
    expect(await contents(served)).toEqual({ a: "a longer value 4" });
  });

  test("shows data files and nothing else of the store below", async () => {
    await createTag(db, "t");
    await store.write("secret", bytes("s"));
    await store.write("secret-0123456789abcdef0123456789abcdef/x", bytes("s"));
    for (const path of [
      "secret",
      "refs/tags/t.json",
      "manifest.ocdbt.__lock",
      "manifest.0000000000000001",
      "",
      "d/",
      "d/0123456789abcdef0123456789abcdef",
      "secret-0123456789abcdef0123456789abcdef/x",
      "..%2f0123456789abcdef0123456789abcdef",
      "d/..%2f..%2f0123456789abcdef0123456789abcdef",
      "%2fetc/0123456789abcdef0123456789abcdef",
      "d/%2e/0123456789abcdef0123456789abcdef",
      "d%5c..%5c0123456789abcdef0123456789abcdef",
      "d/%00123456789abcdef0123456789abcdef",
      "../../../0123456789abcdef0123456789abcdef",
    ]) {
      const response = await ask(`/db/head/ocdbt/${path}`);
      expect(response.status, path).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: "not-found" } });
    }
  });

  test("is revalidated: the manifest changes its tag with every version, data files are for ever", async () => {
    const first = await ask("/db/head/ocdbt/manifest.ocdbt");
    const tag = first.headers.get("ETag")!;
    expect(first.headers.get("Cache-Control")).toBe("no-cache, no-transform");
    const again = await ask("/db/head/ocdbt/manifest.ocdbt", { headers: { "If-None-Match": `"x", W/${tag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    await put(db, { new: "1" });
    const changed = await ask("/db/head/ocdbt/manifest.ocdbt", { headers: { "If-None-Match": tag } });
    expect(changed.status).toBe(200);
    const pinned = await ask("/db/v1/ocdbt/manifest.ocdbt");
    await put(db, { newer: "1" });
    expect((await ask("/db/v1/ocdbt/manifest.ocdbt")).headers.get("ETag")).toBe(pinned.headers.get("ETag"));
    const { root } = (await db.version())!;
    const data = await ask(`/db/v1/ocdbt/${root.location!.file.relativePath}`);
    expect(data.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable, no-transform");
    expect(new Uint8Array(await data.arrayBuffer())).toEqual(
      (await store.read(root.location!.file.relativePath))!.value,
    );
  });
});

describe("plain files", () => {
  test("are the values, of any version", async () => {
    const response = await ask("/db/head/files/s/1");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("0123456789");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "accept-ranges": "bytes",
      "content-length": "10",
      "content-type": "application/octet-stream",
      "cache-control": "no-cache, no-transform",
      "x-content-type-options": "nosniff",
    });
    const { generation } = (await db.head())!;
    await put(db, { "s/1": "changed" });
    expect(await (await ask(`/db/v${generation}/files/s/1`)).text()).toBe("0123456789");
    expect(await (await ask("/db/head/files/s/1")).text()).toBe("changed");
    expect((await ask("/db/head/files/none")).status).toBe(404);
  });

  test.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=8-30", 206, "89", "bytes 8-9/10"],
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=4-2", 200, "0123456789", null],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
    ["bytes=-", 200, "0123456789", null],
  ] as const)("range %s: %i", async (range, status, expected, header) => {
    const response = await ask("/db/head/files/s/1", { headers: { Range: range } });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(expected);
    expect(response.headers.get("Content-Range")).toBe(header);
    const head = await ask("/db/head/files/s/1", { method: "HEAD", headers: { Range: range } });
    expect([head.status, head.headers.get("Content-Length"), await head.text()]).toEqual([
      status,
      String(expected.length),
      "",
    ]);
  });

  test.each(["bytes=10-", "bytes=10-20", "bytes=-0"])("range %s is beyond the end", async (range) => {
    const response = await ask("/db/head/files/s/1", { headers: { Range: range } });
    expect(response.status).toBe(416);
    expect(response.headers.get("Content-Range")).toBe("bytes */10");
    expect(await response.json()).toMatchObject({ error: { code: "range-not-satisfiable" } });
  });

  test("a range of what was meanwhile changed is the whole of what is", async () => {
    const tag = (await ask("/db/head/files/s/1")).headers.get("ETag")!;
    const headers = { Range: "bytes=2-4", "If-Range": tag };
    expect(await (await ask("/db/head/files/s/1", { headers })).text()).toBe("234");
    await put(db, { "s/1": "9876543210" });
    const response = await ask("/db/head/files/s/1", { headers });
    expect([response.status, await response.text()]).toEqual([200, "9876543210"]);
  });

  test("keys are bytes", async () => {
    const key = Uint8Array.of(0xff, 0x2f, 0x25, 0x00, 0x20);
    await db.write(key, bytes("odd"));
    expect(await (await ask("/db/head/files/%ff/%25%00%20")).text()).toBe("odd");
    for (const path of ["%", "%f", "%zz", "a%2"]) {
      const response = await ask(`/db/head/files/${path}`);
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "bad-path" } }]);
    }
    const listed = await (await ask("/db/head/files/%ff/")).json();
    expect(listed).toEqual({ files: [{ name: "%25%00%20", size: 3 }], folders: [] });
  });

  test("folders are listed, unless that is off", async () => {
    expect(await (await ask("/db/head/files/")).json()).toEqual({
      files: [{ name: "info", size: 8 }],
      folders: ["s/"],
    });
    const listed = await ask("/db/head/files/s/");
    expect(listed.headers.get("Content-Type")).toBe("application/json");
    expect(await listed.json()).toEqual({
      files: [
        { name: "1", size: 10 },
        { name: "2", size: 3 },
      ],
      folders: ["t/"],
    });
    expect((await ask("/db/head/files/none/")).status).toBe(404);
    const quiet = ocdbtGateway({ database: () => db, listings: false });
    expect((await ask("/db/head/files/s/", {}, quiet)).status).toBe(404);
  });

  test("a folder is listed whole, whatever is in it, as the client takes it", async () => {
    const names = Array.from({ length: 12_000 }, (_, i) => String(i).padStart(5, "0"));
    const many = await openOcdbt(memoryKvStore(), { config: { ...tiny, maxDecodedNodeBytes: 4000 } });
    await many.apply(
      names.flatMap((name) => [
        { op: "put", key: `m/${name}`, value: bytes("x") } as const,
        { op: "put", key: `m/${name}/y`, value: bytes("x") } as const,
      ]),
    );
    let reads = 0;
    const counted = withFaults(many.parts.store, ({ kind }) => {
      if (kind === "read") reads++;
      return undefined;
    });
    const other = await openOcdbt(counted);
    const of = ocdbtGateway({ database: () => other });
    const response = await ask("/db/head/files/m/", {}, of);
    const begun = reads;
    const listed = await response.json();
    expect(reads).toBeGreaterThan(begun + 20);
    expect(listed.files.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(listed.folders).toEqual(names.map((name) => `${name}/`));
    // A client that leaves stops the reading; a failure leaves no JSON.
    const left = await ask("/db/head/files/m/", {}, of);
    await left.body!.cancel();
    const failing = await openOcdbt(
      withFaults(many.parts.store, ({ kind, key }) =>
        kind === "read" && text(key)!.startsWith("d/") && ++reads > begun + 40 ? { kind: "fail" } : undefined,
      ),
    );
    reads = begun;
    const broken = await ask("/db/head/files/m/", {}, ocdbtGateway({ database: () => failing }));
    expect(broken.status).toBe(200);
    await expect(broken.text()).rejects.toThrow();
    expect((await ask("/db/head/files/m/", { method: "HEAD" }, of)).headers.get("Content-Type")).toBe(
      "application/json",
    );
  });

  test("large values flow piece by piece, as they are taken", async () => {
    const large = new Uint8Array(11 * 2 ** 20).map((_, i) => i * 7);
    const reads: number[] = [];
    const counted = withFaults(store, ({ kind, key }) => {
      if (kind === "read" && text(key)!.startsWith("d/")) reads.push(reads.length);
      return undefined;
    });
    const other = await openOcdbt(counted);
    await other.write("large", large);
    const of = ocdbtGateway({ database: () => other });
    const response = await ask("/db/head/files/large", {}, of);
    expect(response.headers.get("Content-Length")).toBe(String(large.length));
    const before = reads.length;
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(first.value!.length).toBe(4 * 2 ** 20);
    expect(reads.length).toBe(before);
    await reader.cancel();
    const whole = await ask("/db/head/files/large", { headers: { Range: "bytes=5-" } }, of);
    expect(isSame(await whole.arrayBuffer(), large.subarray(5))).toBe(true);
    const suffix = await ask("/db/head/files/large", { headers: { Range: "bytes=-9000000" } }, of);
    expect(isSame(await suffix.arrayBuffer(), large.subarray(large.length - 9_000_000))).toBe(true);
  });

  test("a value that changes while it is sent breaks off", async () => {
    await db.write("large", new Uint8Array(9 * 2 ** 20));
    const response = await ask("/db/head/files/large");
    const reader = response.body!.getReader();
    await reader.read();
    await db.write("large", new Uint8Array(9 * 2 ** 20).fill(1));
    await expect(reader.read()).rejects.toThrow(/changed/);
  });
});

describe("errors are JSON and have a status", () => {
  test.each([
    ["/db/head", 404, "not-found"],
    ["/db/head/other/x", 404, "not-found"],
    ["/none/head/files/info", 410, "not-found"],
    ["/db/v99/files/info", 410, "version-not-found"],
    ["/db/v0/files/info", 400, "bad-spec"],
    ["/db/2026-13-01T00:00:00Z/files/info", 400, "bad-spec"],
    ["/db/1999-01-01T00:00:00Z/files/info", 410, "version-not-found"],
    ["/db/no%20tag/files/info", 400, "bad-spec"],
    ["/db/none/ocdbt/manifest.ocdbt", 410, "version-not-found"],
    ["/%ff/head/files/info", 400, "bad-path"],
  ])("%s: %i %s", async (path, status, code) => {
    const response = await ask(path);
    expect([response.status, response.headers.get("Content-Type"), response.headers.get("Cache-Control")]).toEqual([
      status,
      "application/json",
      "no-store",
    ]);
    const { error } = await response.json();
    expect(error.code).toBe(code);
    expect(error.message).not.toBe("");
  });

  test("what is not there, or no more, is told with what is, as a folder and as files", async () => {
    const message = async (path: string): Promise<string> => {
      const response = await ask(path);
      expect(response.status, path).toBe(410);
      return (await response.json()).error.message;
    };
    await put(db, { info: "2" });
    await put(db, { info: "3" });
    await expire(db, { keepLast: 2 });
    const [oldest, newest] = [await db.at({ ancestor: 1 }), await db.at({ ancestor: 0 })];
    const there = `versions here are v${(await oldest.version())!.generation}…v${(await newest.version())!.generation}, `;
    for (const rest of ["ocdbt/manifest.ocdbt", "files/info", "files/"]) {
      expect(await message(`/db/v1/${rest}`)).toContain(`version v1 has expired, or never was; ${there}`);
      expect(await message(`/db/v999/${rest}`)).toContain(`there is no version v999; ${there}`);
      expect(await message(`/db/1999-01-01T00:00:00Z/${rest}`)).toContain(there);
      expect(await message(`/db/nope/${rest}`)).toBe("there is no tag nope; the database has none");
      expect(await message(`/other/head/${rest}`)).toContain("there is no database");
    }
    for (let i = 10; i < 32; i++) await createTag(db, `t${i}`);
    expect(await message("/db/nope/files/info")).toMatch(/^there is no tag nope; tags here are t10, t11, .*, t29, …$/);
    expect((await ask("/db/nope/files/info", { method: "HEAD" })).status).toBe(410);
  });

  test("methods that write are refused, and preflights answered", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await ask("/db/head/files/info", { method });
      expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
    const preflight = await ask("/db/head/files/info", { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Range");
  });

  test("what our side did wrong is told to the owner, not to the world", async () => {
    const told: unknown[] = [];
    const broken = await openOcdbt(
      withFaults(store, ({ kind, key }) =>
        kind === "read" && text(key)!.startsWith("d/")
          ? { kind: "fail", error: new Error("disk 7 at /secret") }
          : undefined,
      ),
    );
    const of = ocdbtGateway({ database: () => broken, onError: (error) => told.push(error) });
    const response = await ask("/db/head/files/info", {}, of);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(told).toMatchObject([{ message: "disk 7 at /secret" }]);
    const slow = await openOcdbt(
      withFaults(store, ({ kind, key }) =>
        kind === "read" && text(key)!.startsWith("d/") ? { kind: "fail" } : undefined,
      ),
    );
    const retry = await ask("/db/head/files/info", {}, ocdbtGateway({ database: () => slow }));
    expect([retry.status, retry.headers.get("Retry-After")]).toEqual([503, "1"]);
  });

  test("an empty database has no folder, and no files", async () => {
    const empty = await tinyDatabase();
    const of = ocdbtGateway({ database: () => empty });
    expect((await ask("/x/head/ocdbt/manifest.ocdbt", {}, of)).status).toBe(404);
    expect((await ask("/x/head/files/info", {}, of)).status).toBe(404);
  });

  test("an aborted request rejects with its reason", async () => {
    const stop = new AbortController();
    stop.abort(new Error("left"));
    await expect(ask("/db/head/files/info", { signal: stop.signal })).rejects.toThrow("left");
  });
});

test("whatever is asked, the answer is one of ours, and never a failure", async () => {
  const segment = fc.constantFrom(
    "db",
    "head",
    "v1",
    "v2",
    "t",
    "ocdbt",
    "files",
    "manifest.ocdbt",
    "d",
    "..",
    "%2e%2e",
    "%",
    "%ff",
    "%00",
    "",
    "s",
    "1",
    "a b",
    "é",
  );
  const range = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => `bytes=${a}-${b}`),
    fc.nat(20).map((n) => `bytes=-${n}`),
  );
  const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, "");
  await createTag(db, "t");
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { maxLength: 8 }),
      range,
      fc.constantFrom("GET", "HEAD"),
      async (path, header, method) => {
        const response = await ask(`/${path.join("/")}`, { method, headers: { Range: printable(header) } });
        expect([200, 206, 304, 400, 404, 410, 416]).toContain(response.status);
        const body = new Uint8Array(await response.arrayBuffer());
        if (method === "GET" && response.status < 300 && response.headers.has("Content-Length")) {
          expect(body.length).toBe(Number(response.headers.get("Content-Length")));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a gateway can live below a path, which must be a folder", async () => {
  const below = ocdbtGateway({ database: () => db, basePath: "/data/ocdbt/" });
  expect((await ask("/data/ocdbt/db/head/files/info", {}, below)).status).toBe(200);
  expect((await ask("/db/head/files/info", {}, below)).status).toBe(404);
  expect(() => ocdbtGateway({ database: () => db, basePath: "data" })).toThrow(TypeError);
});
