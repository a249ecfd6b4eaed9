import { gzipSync } from "node:zlib";
import { isKvStoreError, openKvStore, readValue } from "@pcg/kvstore";
import { httpDriver, httpKvStore } from "@pcg/kvstore/http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type ServerQuirks, serve, type TestServer } from "./http-server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
let server: TestServer;
afterEach(async () => {
  await server?.close();
  vi.restoreAllMocks();
});

async function start(contents: Record<string, Uint8Array>, quirks?: ServerQuirks): Promise<TestServer> {
  server = await serve(new Map(Object.entries(contents)), quirks);
  return server;
}

test("opens http URLs, keeps their query, and encodes keys", async () => {
  await start({ "d i/r/a b%#?/é": bytes("x") });
  const store = await openKvStore(`${server.url}d%20i/r?token=1`, httpDriver());
  expect(await readValue(store, "a b%#?/é")).toEqual(bytes("x"));
  expect(server.requests.at(-1)?.path).toBe("/base/d%20i/r/a%20b%25%23%3F/%C3%A9?token=1");
  expect(store.url).toBe(`${server.url}d%20i/r/?token=1`);
});

test("refuses keys with dot segments, which a URL cannot express", async () => {
  await start({});
  const store = httpKvStore(server.url);
  await expect(store.read("../secret")).rejects.toMatchObject({ code: "bad-key" });
  await expect(store.read("a/./b")).rejects.toMatchObject({ code: "bad-key" });
  expect(server.requests.length).toBe(0);
});

test("gs://bucket/path reads public objects through storage.googleapis.com", async () => {
  const seen: string[] = [];
  const fake: typeof fetch = async (input) => {
    seen.push(String(input));
    return new Response("x", { headers: { ETag: '"1"' } });
  };
  const store = await openKvStore("gs://my_bucket.x/a%20b/c", httpDriver({ fetch: fake }));
  expect(store.url).toBe("gs://my_bucket.x/a b/c/");
  expect(await readValue(store, "info")).toEqual(bytes("x"));
  expect(seen).toEqual(["https://storage.googleapis.com/my_bucket.x/a%20b/c/info"]);
});

test("asks for ranges and for what changed", async () => {
  await start({ key: bytes("0123456789") });
  const store = httpKvStore(server.url, { headers: { Authorization: "Bearer t" } });
  const { generation } = (await store.read("key", { range: { offset: 2, length: 3 } }))!;
  expect(server.requests[0]?.headers).toMatchObject({
    range: "bytes=2-4",
    "accept-encoding": "identity",
    authorization: "Bearer t",
  });
  expect(await store.read("key", { ifNotGeneration: generation })).toBe("unchanged");
  expect(server.requests[1]?.headers["if-none-match"]).toBe(generation);
});

test("without ETag the time of modification and the size tell versions apart", async () => {
  let modified = "Wed, 21 Oct 2015 07:28:00 GMT";
  await start(
    { key: bytes("abc") },
    {
      withoutETag: true,
      intercept: (_, response) => {
        response.setHeader("Last-Modified", modified);
        return false;
      },
    },
  );
  const store = httpKvStore(server.url);
  const { generation } = (await store.read("key"))!;
  expect(await store.read("key", { ifNotGeneration: generation })).toBe("unchanged");
  expect(await store.read("key", { range: { offset: 1 }, ifNotGeneration: generation })).toBe("unchanged");
  modified = "Wed, 21 Oct 2015 07:28:01 GMT";
  expect(await store.read("key", { ifNotGeneration: generation })).toMatchObject({ size: 3 });
});

test("without ETag and time nothing ever counts as unchanged", async () => {
  await start({ key: bytes("abc") }, { withoutETag: true });
  const store = httpKvStore(server.url);
  const { generation } = (await store.read("key"))!;
  expect(await store.read("key", { ifNotGeneration: generation })).toMatchObject({ size: 3 });
});

test("a content encoding is undone, and its length is not taken for the value's", async () => {
  const body = bytes("long text ".repeat(500));
  await start(
    {},
    {
      intercept: (_, response) => {
        const zipped = gzipSync(body);
        response
          .writeHead(200, { "Content-Encoding": "gzip", "Content-Length": zipped.length, ETag: '"z"' })
          .end(zipped);
        return true;
      },
    },
  );
  const store = httpKvStore(server.url);
  expect(await store.read("key")).toMatchObject({ value: body, size: body.length });
  expect(await store.read("key", { range: { offset: 5, length: 4 } })).toMatchObject({
    value: bytes("text"),
    size: 5000,
  });
});

test("a part of an encoded value is refused, not decoded wrongly", async () => {
  await start(
    {},
    {
      intercept: (_, response) => {
        const headers = { "Content-Encoding": "gzip", "Content-Range": "bytes 2-3/10", "Content-Length": 2 };
        return !!response.writeHead(206, headers).end("ab");
      },
    },
  );
  const reading = httpKvStore(server.url).read("key", { range: { offset: 2, length: 2 } });
  await expect(reading).rejects.toMatchObject({ code: "unsupported" });
});

describe("statuses", () => {
  const cases: [number, string | undefined][] = [
    [404, undefined],
    [410, undefined],
    [401, "permission"],
    [403, "permission"],
    [400, "failed"],
    [405, "failed"],
    [304, "failed"],
    [408, "transient"],
    [429, "transient"],
    [500, "transient"],
    [503, "transient"],
  ];
  test.each(cases)("%i is %s", async (status, code) => {
    await start({}, { intercept: (_, response) => !!response.writeHead(status, { "Retry-After": "7" }).end() });
    const store = httpKvStore(server.url);
    if (code === undefined) expect(await store.read("key")).toBeUndefined();
    else await expect(store.read("key")).rejects.toMatchObject({ code, status, retryAfterMs: 7000, key: '"key"' });
  });

  test("403 is an absent key where the caller says so", async () => {
    await start({}, { intercept: (_, response) => !!response.writeHead(403).end() });
    expect(await httpKvStore(server.url, { forbiddenIsAbsent: true }).read("key")).toBeUndefined();
  });
});

describe("bounds", () => {
  const big = new Uint8Array(100_000).fill(7);

  test("a whole value larger than maxBytes is refused, declared or not", async () => {
    for (const withoutLength of [false, true]) {
      await start({ key: big }, { withoutLength });
      const store = httpKvStore(server.url, { maxBytes: 99_999 });
      await expect(store.read("key")).rejects.toMatchObject({
        code: "too-large",
        message: expect.stringContaining("larger than 99999 bytes"),
      });
      expect((await httpKvStore(server.url, { maxBytes: 100_000 }).read("key"))?.size).toBe(100_000);
      await server.close();
    }
  });

  test("a range of a value larger than maxBytes is read, also when the server sends everything", async () => {
    for (const ignoreRanges of [false, true]) {
      await start({ key: big }, { ignoreRanges });
      const store = httpKvStore(server.url, { maxBytes: 1000 });
      expect(await store.read("key", { range: { offset: 90_000, length: 1000 } })).toMatchObject({ size: 100_000 });
      expect(await store.read("key", { range: { suffixLength: 10 } })).toMatchObject({ value: big.subarray(0, 10) });
      await expect(store.read("key", { range: { offset: 0, length: 1001 } })).rejects.toMatchObject({
        code: "too-large",
      });
      await server.close();
    }
  });

  test("a server that sends more than the part it announced is not followed", async () => {
    await start(
      {},
      {
        intercept: (_, response) =>
          !!response.writeHead(206, { "Content-Range": "bytes 0-3/10", "Transfer-Encoding": "chunked" }).end(big),
      },
    );
    await expect(httpKvStore(server.url).read("key", { range: { offset: 0, length: 4 } })).rejects.toMatchObject({
      name: "KvStoreError",
    });
  });
});

describe("answers that contradict themselves", () => {
  const parts: [string, string | undefined][] = [
    ["another part", "bytes 4-7/10"],
    ["a shorter part", "bytes 2-3/10"],
    ["no Content-Range", undefined],
    ["nonsense", "bytes 9-2/10"],
    ["a size beyond all numbers", "bytes 2-5/99999999999999999999"],
    ["an unknown size", "bytes 2-5/*"],
  ];
  test.each(parts)("%s", async (_, header) => {
    await start(
      {},
      {
        intercept: (_, response) =>
          !!response.writeHead(206, header === undefined ? {} : { "Content-Range": header }).end("abcd"),
      },
    );
    await expect(httpKvStore(server.url).read("key", { range: { offset: 2, length: 4 } })).rejects.toMatchObject({
      code: "corrupt",
    });
  });

  test("a connection that breaks off is transient", async () => {
    await start(
      {},
      {
        intercept: (request, response) => {
          response.writeHead(200, { "Content-Length": 10 }).write("abc", () => request.socket.destroy());
          return true;
        },
      },
    );
    await expect(httpKvStore(server.url).read("key")).rejects.toMatchObject({ code: "transient" });
  });
});

test("a server that is not there is transient, with the reason", async () => {
  await start({});
  await server.close();
  const error = await httpKvStore(server.url)
    .read("key")
    .catch((caught: unknown) => caught);
  expect(isKvStoreError(error, "transient")).toBe(true);
  expect((error as Error).message).toContain("ECONNREFUSED");
});

test("time-out and abort, before the answer and in the middle of it", async () => {
  for (const begin of [false, true]) {
    await start(
      {},
      {
        intercept: (_, response) => {
          if (begin) response.writeHead(200).write("abc");
          return true;
        },
      },
    );
    await expect(httpKvStore(server.url, { timeoutMs: 30 }).read("key")).rejects.toMatchObject({
      code: "transient",
      message: expect.stringContaining("within 30 ms"),
    });
    const controller = new AbortController();
    const reading = httpKvStore(server.url).read("key", { signal: controller.signal });
    const reason = new Error("enough");
    await expect.poll(() => server.requests.length).toBe(2);
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await server.close();
  }
});

test("writing and listing are refused with their codes", async () => {
  await start({});
  const store = httpKvStore(server.url);
  await expect(store.write("key", null)).rejects.toMatchObject({ code: "read-only" });
  await expect(store.deleteRange({ start: bytes("a") })).rejects.toMatchObject({ code: "read-only" });
  await expect(store.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "unsupported" });
  await store.close();
  await expect(store.read("key")).rejects.toMatchObject({ code: "closed" });
});
