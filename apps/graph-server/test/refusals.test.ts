import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { A, D } from "./support/fake-graph.ts";
import { API, type Toy, toy } from "./support/toy-table.ts";

const good = `[${A},160,240,1600]`;

describe("what the server refuses", () => {
  let server: Toy;
  beforeAll(async () => {
    server = await toy({ limits: { bodyBytes: 100_000 } });
  });

  async function refused(response: Response, status: number, message: RegExp): Promise<void> {
    const text = await response.text();
    expect({ status: response.status, text }).toEqual({ status, text: expect.stringMatching(message) });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const body = JSON.parse(text) as { code: number; message: string };
    expect(body.code).toBe(status);
    expect(body.message).not.toMatch(/\bat .*:\d+|\.ts/);
    expect(server.graph.log).toHaveLength(0);
  }

  test.each([
    ["", /not JSON: expected a JSON value, found the end/],
    ["{", /not JSON/],
    ["[[NaN,1,1,1],[1,1,1,1]]", /not JSON: expected a JSON value, found ."NaN/],
    [`[[${A},NaN,1,1],${good}]`, /not JSON/],
    [`[[${A},1e400,1,1],${good}]`, /x of point 1 is Infinity; a coordinate is a finite number/],
    [`[${good}]`, /two points.*it holds 1/],
    [`[${good},${good},${good}]`, /it holds 3/],
    [`{"a":1}`, /must be a list, it is an object/],
    [`[[${A},1,1],${good}]`, /point 1 must be \[id, x, y, z\], it has 3 items/],
    [`[["",1,1,1],${good}]`, /the id of point 1 is "\\"\\""|the id of point 1 is \\"\\"/],
    [`[["0x1f",1,1,1],${good}]`, /the id of point 1 is \\"0x1f\\"/],
    [`[[true,1,1,1],${good}]`, /the id of point 1 is true/],
    [`[[12.5,1,1,1],${good}]`, /the id of point 1 is 12.5/],
    [`[[-1,1,1,1],${good}]`, /the id of point 1 is -1/],
    [`[[18446744073709551616,1,1,1],${good}]`, /the id of point 1 is 18446744073709551616/],
    [`[["18446744073709551616",1,1,1],${good}]`, /a whole number from 0 to 18446744073709551615/],
    [`[[null,1,1,1],${good}]`, /the id of point 1 is null/],
    [`[[${A},"1",1,1],${good}]`, /x of point 1 is \\"1\\"/],
    [`[${good},[${D},0,0,0]]`, /outside the volume/],
    [`[[5,160,240,1600],${good}]`, /unknown/],
    [`[${good},${good}]`, /both points lie in one object/],
  ])("merge with %s", async (body, message) => {
    await refused(await server.post(`${API}/merge`, body), 400, message);
  });

  test.each([
    ['{"node_ids":5}', /node_ids\\" must be a list, it is 5/],
    ['{"ids":[]}', /has no \\"node_ids/],
    ["[1]", /must be an object with \\"node_ids\\", it is a list of 1/],
    ['{"node_ids":[1,[2]]}', /node_ids\[1\] is a list of 1/],
    ['{"node_ids":[" 1"]}', /node_ids\[0\] is \\" 1\\"/],
    ["\ufffd", /not JSON/],
  ])("a list of ids that is %s", async (body, message) => {
    for (const route of ["is_latest_roots", "roots", "root_timestamps", "node/leaves_many", "minimal_covering_nodes"]) {
      await refused(await server.post(`${API}/${route}`, body), 400, message);
    }
  });

  test("bytes that are no ids, no UTF-8, no gzip, or packed in another way", async () => {
    await refused(await server.post(`${API}/roots_binary`, new Uint8Array(12)), 400, /12 bytes; ids take 8/);
    await refused(await server.post(`${API}/roots`, Uint8Array.of(0x7b, 0xff, 0x7d)), 400, /not UTF-8/);
    const encoded = (encoding: string): RequestInit => ({ headers: { "content-encoding": encoding } });
    await refused(await server.post(`${API}/roots_binary`, new Uint8Array(16), encoded("gzip")), 400, /not gzip/);
    await refused(await server.post(`${API}/roots_binary`, new Uint8Array(16), encoded("br")), 400, /send gzip/);
  });

  test("bodies over the limit, also when they only grow when inflated", async () => {
    await refused(await server.post(`${API}/roots_binary`, new Uint8Array(100_008)), 413, /at most 100000/);
    const bomb = gzipSync(new Uint8Array(50_000_000)) as Uint8Array<ArrayBuffer>;
    await refused(
      await server.post(`${API}/roots_binary`, bomb, { headers: { "content-encoding": "gzip" } }),
      413,
      /when inflated/,
    );
  });

  test.each([
    ["node/abc/root", 400, /\\"abc\\"/],
    ["node/-1/leaves", 400, /\\"-1\\"/],
    ["node/18446744073709551616/children", 400, /18446744073709551616/],
    ["node/0x10/root", 400, /0x10/],
    ["node/77/root", 404, /77/],
    ["node/77/leaves", 404, /77/],
    ["node/77/children", 404, /77/],
    ["root/77/change_log", 404, /77/],
    ["root/77/lineage_graph", 404, /77/],
    ["node/77/root?timestamp=soon", 400, /parameter timestamp: \\"soon\\" is no time/],
    ["node/77/root?timestamp=NaN", 400, /no time/],
    ["node/77/root?timestamp=-5", 400, /no time/],
    ["node/77/root?stop_layer=x", 400, /parameter stop_layer/],
    ["node/77/leaves?bounds=1-2_3-4", 400, /parameter bounds/],
    ["node/77/leaves?bounds=9-2_3-4_5-6", 400, /each begin ≤ end/],
    ["node/77/root?int64_as_str=maybe", 400, /parameter int64_as_str: \\"maybe\\" is neither true nor false/],
    ["operation_details?operation_ids=[1]", 404, /no operation 1/],
    ["operation_details?operation_ids=[1", 400, /not JSON/],
    ["operation_details?operation_ids=true", 400, /must be a list/],
    ["operation_details", 400, /operation_ids/],
    ["nothing/here", 404, /there is nothing at GET/],
    ["node/77/root/", 404, /there is nothing at GET/],
  ])("GET %s", async (path, status, message) => {
    await refused(await server.get(`${API}/${path}`), status, message);
  });

  test("lists that would keep everybody else waiting, however few bytes they take", async () => {
    const roomy = await toy({});
    const packed = (items: number, key: string, item: string) =>
      gzipSync(`{"${key}":[${`${item},`.repeat(items - 1)}${item}]}`);
    const post = (path: string, body: Uint8Array<ArrayBuffer>) =>
      roomy.post(`${API}/${path}`, body, { headers: { "content-encoding": "gzip" } });
    await refused(await post("node/leaves_many", packed(2 ** 14 + 1, "node_ids", "1")), 413, /at most 16384 are taken/);
    await refused(
      await post("is_latest_roots", packed(2 ** 20 + 1, "node_ids", "1")),
      413,
      /at most 1048576 are taken/,
    );
    await refused(await post("supervoxel_lookup", packed(2 ** 16 + 1, "voxels", "[1,2,3]")), 413, /at most 65536/);
    expect((await post("is_latest_roots", packed(2 ** 12, "node_ids", "1"))).status).toBe(200);
  });

  test("other tables, and names that are none", async () => {
    for (const name of ["other", "%2e%2e%2f", "toy%00", "__proto__", "constructor"]) {
      await refused(await server.get(`/segmentation/table/${name}/info`), 404, /there is no table .*tables here: toy/);
    }
  });

  test("what comes with later releases answers 501, which no client repeats", async () => {
    for (const route of ["split", "graph/split_preview", "undo", "redo"]) {
      await refused(await server.post(`${API}/${route}`, "{}"), 501, /not available on this server/);
    }
    const meshes = API.replace("segmentation", "meshing");
    await refused(await server.get(`${meshes}/manifest/5:0?verify=1&prepend_seg_ids=1`), 501, /meshes/);
    await refused(await server.post(`${meshes}/remeshing`, "{}"), 501, /meshing/);
  });

  test("a fault of the server is a 500 without details", async () => {
    const logged: unknown[] = [];
    const logger = { debug: () => undefined, info: () => undefined, error: (fields: object) => logged.push(fields) };
    const broken = await toy({ logger });
    Object.assign(broken.graph, { view: () => Promise.reject(new TypeError("secret detail")) });
    const response = await broken.get(`${API}/node/${A}/root`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/secret/);
    expect(logged).toEqual([expect.objectContaining({ err: expect.any(TypeError) })]);
  });

  test("no body of any kind makes a route fail otherwise than with 4xx", async () => {
    const bodies = fc.oneof(fc.json(), fc.string(), fc.uint8Array({ maxLength: 64 }));
    const routes = fc.constantFrom(
      "merge",
      "roots",
      "roots_binary",
      "node/leaves_many",
      "is_latest_roots",
      "root_timestamps",
      "lineage_graph_multiple",
      "minimal_covering_nodes",
      "graph/find_path",
      "supervoxel_lookup",
    );
    await fc.assert(
      fc.asyncProperty(routes, bodies, async (route, body) => {
        const response = await server.post(`${API}/${route}`, body as BodyInit);
        expect([200, 400, 404]).toContain(response.status);
      }),
      { numRuns: 300 },
    );
  });
});
