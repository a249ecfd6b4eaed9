import { gunzipSync } from "node:zlib";
import { decodeCompressedSegmentation } from "@pcg/kernels/compressed-segmentation";
import { beforeEach, describe, expect, test } from "vitest";
import { ByteLru } from "../src/byte-lru.ts";
import { A, B, C, D } from "./support/fake-graph.ts";
import { API, idBytes, idsOf, type Toy, toy } from "./support/toy-table.ts";

const CHUNKS = ["8_8_40/10-74_20-84_30-94", "8_8_40/74-138_20-84_30-94"] as const;

describe("volumes over HTTP", () => {
  let server: Toy;
  beforeEach(async () => {
    server = await toy();
  });

  const labels = async (response: Response): Promise<bigint[]> => {
    expect(response.status).toBe(200);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const voxels = decodeCompressedSegmentation(bytes, [64, 64, 64], 1, [8, 8, 8], "uint64");
    return [voxels[0]!, voxels[1]!, voxels[63]!, voxels[64 ** 3 - 1]!];
  };
  const roots = async (): Promise<bigint[]> => idsOf(await server.post(`${API}/roots_binary`, idBytes(A, B, C, D)));
  const mergeAll = async (): Promise<void> => {
    const response = await server.post(`${API}/merge`, `[[${A},160,240,1600],[${B},480,240,1600]]`);
    expect(response.status).toBe(200);
  };

  test("supervoxels are the stored files, under a versioned address for ever", async () => {
    const { data_dir } = (await (await server.get("/segmentation/table/toy/info")).json()) as { data_dir: string };
    const dir = new URL(data_dir).pathname;
    const chunk = await server.get(`${dir}/${CHUNKS[0]}`);
    expect(chunk.headers.get("cache-control")).toMatch(/immutable/);
    expect(chunk.headers.get("content-encoding")).toBeNull();
    expect(await labels(chunk)).toEqual([0n, A, B, B]);
    expect((await server.get(`${dir}/info`)).headers.get("cache-control")).toBe("no-cache");
    const plain = await server.get(`/data/toy/supervoxels/${CHUNKS[1]}`);
    expect(plain.headers.get("cache-control")).toBe("no-cache");
    expect(await labels(plain)).toEqual([0n, C, D, D]);
  });

  test("what is absent is 404, whatever it is called", async () => {
    for (const path of [
      "/data/toy/supervoxels/provenance",
      "/data/toy/supervoxels/8_8_40/0-1_0-1_0-1",
      "/data/toy/supervoxels/..%2Finfo",
      "/data/toy/supervoxels/a/%2e%2e/%2e%2e/info",
      "/data/toy/supervoxels~wrong/info",
      "/data/toy/other/info",
      "/data/other/image/info",
      "/objects/toy/provenance",
      "/objects/toy/8_8_40/10-74_20-84_30-95",
      "/objects/toy/8_8_40/%00",
      "/objects/toy~wrong/info",
      "/objects/other/info",
    ]) {
      const response = await server.get(path);
      expect([path, response.status, response.headers.get("content-type")]).toEqual([path, 404, "application/json"]);
    }
  });

  test("ranges, doubled slashes and validators", async () => {
    const path = "/data/toy/image/8_8_40/0-1_0-1_0-1";
    const ask = (range: string): Promise<Response> => server.get(path, { headers: { range } });
    const part = await ask("bytes=2-4");
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 2-4/10"]);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(Uint8Array.of(2, 3, 4));
    expect((await ask("bytes=8-")).headers.get("content-range")).toBe("bytes 8-9/10");
    expect((await ask("bytes=8-99")).headers.get("content-range")).toBe("bytes 8-9/10");
    expect((await ask("bytes=-3")).headers.get("content-range")).toBe("bytes 7-9/10");
    expect((await ask("bytes=-99")).headers.get("content-range")).toBe("bytes 0-9/10");
    const beyond = await ask("bytes=10-");
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    for (const nonsense of ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,3-4"])
      expect((await ask(nonsense)).status).toBe(200);

    const whole = await server.get("/data/toy/image//8_8_40//0-1_0-1_0-1");
    expect(whole.headers.get("accept-ranges")).toBe("bytes");
    const etag = whole.headers.get("etag")!;
    expect((await server.get(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await server.get(path, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("objects have the root of each voxel, now and at any time", async () => {
    const before = await roots();
    expect(await labels(await server.get(`/objects/toy/${CHUNKS[0]}`))).toEqual([0n, before[0], before[1], before[1]]);
    await mergeAll();
    const after = await roots();
    expect(await labels(await server.get(`/objects/toy/${CHUNKS[0]}`))).toEqual([0n, after[0], after[0], after[0]]);
    expect(await labels(await server.get(`/objects/toy@1700000000.2/${CHUNKS[0]}`))).toEqual([
      0n,
      before[0],
      before[1],
      before[1],
    ]);
    expect(await labels(await server.get(`/objects/toy@1700000000.2/${CHUNKS[1]}`))).toEqual([
      0n,
      before[2],
      before[3],
      before[3],
    ]);
  });

  test("validators hold until an edit reaches the chunk", async () => {
    const path = `/objects/toy/${CHUNKS[0]}`;
    const again = async (etag: string | null): Promise<Response> =>
      server.get(path, { headers: { "if-none-match": etag! } });
    const etag = (await server.get(path)).headers.get("etag");
    const same = await again(etag);
    expect([same.status, same.headers.get("etag"), await same.text()]).toEqual([304, etag, ""]);
    await mergeAll();
    expect((await again(etag)).status).toBe(200);
    const past = await server.get(`/objects/toy@1700000000.2/${CHUNKS[0]}`, { headers: { "if-none-match": etag! } });
    expect(past.status, "the past is what the client has").toBe(304);
  });

  test("the info of objects is a plain segmentation, and pinned ones may be kept for ever", async () => {
    const info = (await (await server.get("/objects/toy@1700000005.5/info")).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      type: "segmentation",
      data_type: "uint64",
      scales: [{ encoding: "compressed_segmentation" }],
    });
    expect(info).not.toHaveProperty("graph");
    const { tables } = (await (await server.get("/api/tables")).json()) as { tables: [{ objects: string }] };
    const tag = tables[0].objects.split("~")[1]!;
    await mergeAll();
    const cache = async (name: string): Promise<string | null> =>
      (await server.get(`/objects/${name}/${CHUNKS[0]}`)).headers.get("cache-control");
    expect(await cache(`toy@1700000000.5~${tag}`)).toMatch(/immutable/);
    expect(await cache(`toy@1900000000~${tag}`)).toBe("no-cache");
    expect(await cache(`toy~${tag}`)).toBe("no-cache");
    expect(await cache("toy@1700000000.5")).toBe("no-cache");
  });

  test("chunks of segmentations come gzip-encoded to whom that suits, under a tag of their own", async () => {
    for (const path of [`/objects/toy/${CHUNKS[0]}`, `/data/toy/supervoxels/${CHUNKS[0]}`]) {
      const ask = (headers: Record<string, string>): Promise<Response> => server.get(path, { headers });
      const plain = await ask({});
      const bytes = new Uint8Array(await plain.arrayBuffer());
      const packed = await ask({ "accept-encoding": "gzip, deflate, br" });
      const [tag, packedTag] = [plain.headers.get("etag")!, packed.headers.get("etag")!];
      expect([packed.headers.get("content-encoding"), packedTag]).toEqual(["gzip", tag.replace(/"$/, '-gzip"')]);
      const body = Buffer.from(await packed.arrayBuffer());
      expect(packed.headers.get("content-length")).toBe(String(body.length));
      expect(body.length).toBeLessThan(bytes.length / 3);
      expect(new Uint8Array(gunzipSync(body))).toEqual(bytes);
      for (const response of [plain, packed]) expect(response.headers.get("vary")).toBe("Accept-Encoding");

      for (const known of [tag, packedTag, `W/${packedTag}`]) {
        const same = await ask({ "accept-encoding": "gzip", "if-none-match": known });
        expect([same.status, same.headers.get("etag")]).toEqual([304, known.replace("W/", "")]);
        expect(same.headers.get("vary")).toBe("Accept-Encoding");
      }
      for (const header of ["identity", "gzip;q=0", "gzip;q=0.1, identity", "br"])
        expect((await ask({ "accept-encoding": header })).headers.get("content-encoding")).toBeNull();
      const part = await ask({ "accept-encoding": "gzip", range: "bytes=4-11" });
      expect([part.status, part.headers.get("content-encoding"), part.headers.get("etag")]).toEqual([206, null, tag]);
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(4, 12));
    }
    const image = await server.get("/data/toy/image/large", { headers: { "accept-encoding": "gzip" } });
    expect([image.headers.get("content-encoding"), image.headers.get("vary")]).toEqual([null, null]);
  });

  test("part of an object chunk, as some readers ask", async () => {
    const whole = new Uint8Array(await (await server.get(`/objects/toy/${CHUNKS[0]}`)).arrayBuffer());
    const part = await server.get(`/objects/toy/${CHUNKS[0]}`, { headers: { range: "bytes=4-11" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 4-11/${whole.length}`]);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(4, 12));
    const beyond = await server.get(`/objects/toy/${CHUNKS[0]}`, { headers: { range: `bytes=${whole.length}-` } });
    expect(beyond.status).toBe(416);
  });
});

test("the cache of object chunks keeps to its bytes and drops what was used least recently", () => {
  const cache = new ByteLru<string>(10, (value) => value.length);
  cache.set("a", "1234");
  cache.set("b", "1234");
  cache.get("a");
  cache.set("c", "1234");
  expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.bytes]).toEqual(["1234", undefined, "1234", 8]);
  cache.set("a", "12345678901");
  expect([cache.get("a"), cache.bytes]).toEqual([undefined, 4]);
});
