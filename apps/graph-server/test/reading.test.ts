import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { parseJson } from "../src/http/json-parse.ts";
import { A, B, C, D } from "./support/fake-graph.ts";
import { API, idBytes, idsOf, type Toy, toy } from "./support/toy-table.ts";

const ROOT_LAYER = 3n << 56n;
const L2_LAYER = 2n << 56n;

describe("reading a graph nobody has edited", () => {
  let server: Toy;
  let root: bigint;
  beforeAll(async () => {
    server = await toy();
    [root] = (await idsOf(await server.post(`${API}/roots_binary`, idBytes(B)))) as [bigint];
  });

  const json = async (response: Response): Promise<unknown> => {
    expect(response.headers.get("content-type")).toBe("application/json");
    return parseJson(await response.text());
  };
  const record = (members: Record<string, unknown>) => new Map(Object.entries(members));

  test("roots_binary keeps the order, answers 0 for 0 and for the unknown, and a root with itself", async () => {
    const response = await server.post(
      `${API}/roots_binary?timestamp=99999999999`,
      idBytes(C, 0n, 12345n, root, A, 2n ** 64n - 1n),
    );
    expect(response.status).toBe(200);
    const answer = await idsOf(response);
    expect(answer.slice(0, 4)).toEqual([root, 0n, 0n, root]);
    expect(answer[4]! >> 56n).toBe(3n);
    expect(answer[5]).toBe(0n);
  });

  test("roots_binary takes gzip bodies and no ids at all", async () => {
    const init = { headers: { "content-encoding": "gzip" } };
    expect(
      await idsOf(await server.post(`${API}/roots_binary`, gzipSync(idBytes(B)) as Uint8Array<ArrayBuffer>, init)),
    ).toEqual([root]);
    expect(await idsOf(await server.post(`${API}/roots_binary`, idBytes()))).toEqual([]);
  });

  test("node/root is an exact number, a string when asked, and stops at a layer", async () => {
    expect(await (await server.get(`${API}/node/${B}/root`)).text()).toBe(`{"root_id":${root}}`);
    expect(await (await server.get(`${API}/node/${B}/root?int64_as_str=1`)).text()).toBe(`{"root_id":"${root}"}`);
    expect(await (await server.get(`${API}/node/${B}/root?int64_as_str=TRUE&priority=maybe`)).text()).toBe(
      `{"root_id":"${root}"}`,
    );
    expect(await (await server.get(`${API}/node/${B}/root?int64_as_str=False`)).text()).toBe(`{"root_id":${root}}`);
    const l2 = (await json(await server.get(`${API}/node/${B}/root?stop_layer=2`))) as Map<string, bigint>;
    expect(l2.get("root_id")! >= L2_LAYER && l2.get("root_id")! < ROOT_LAYER).toBe(true);
  });

  test("roots takes ids as numbers and as strings", async () => {
    const answer = await server.post(`${API}/roots`, `{"node_ids":[${B},"${C}",1]}`);
    expect(await json(answer)).toEqual(record({ root_ids: [root, root, 0n] }));
  });

  test("children and leaves, with bounds and a layer to stop at", async () => {
    const children = (await json(await server.get(`${API}/node/${root}/children`))) as Map<string, bigint[]>;
    expect(children.get("children_ids")).toHaveLength(2);
    expect(await json(await server.get(`${API}/node/${A}/children`))).toEqual(record({ children_ids: [] }));
    expect(await json(await server.get(`${API}/node/${root}/leaves`))).toEqual(record({ leaf_ids: [B, C] }));
    const box = "bounds=-50-74_20-84_30-94";
    expect(await json(await server.get(`${API}/node/${root}/leaves?${box}`))).toEqual(record({ leaf_ids: [B] }));
    expect(await json(await server.get(`${API}/node/${root}/leaves?bounds=0.0-0.0_0-0_0-0`))).toEqual(
      record({ leaf_ids: [] }),
    );
    expect(await json(await server.get(`${API}/node/${root}/leaves?stop_layer=2`))).toEqual(
      record({ leaf_ids: children.get("children_ids") }),
    );
  });

  test("leaves_many answers by id, each kind of id", async () => {
    const answer = await json(
      await server.post(`${API}/node/leaves_many?int64_as_str=1`, `{"node_ids":["${root}",${A}]}`),
    );
    expect(answer).toEqual(record({ [String(root)]: [String(B), String(C)], [String(A)]: [String(A)] }));
  });

  test("the supervoxels of a chunk", async () => {
    const chunk = 2n << 56n;
    const pairs = await idsOf(await server.get(`${API}/l2_chunk_children_binary/${chunk}?as_array=True`));
    expect(pairs.filter((_, i) => i % 2 === 1)).toEqual([A, B]);
    expect(pairs.every((id, i) => i % 2 === 1 || id >> 56n === 2n)).toBe(true);
    const same = (await json(await server.get(`${API}/l2_chunk_children/${chunk}`))) as Map<string, bigint[]>;
    expect(same.get("l2_chunk_children")).toEqual(pairs);
  });

  test("is_latest_roots, also of nothing, of supervoxels and of the unknown", async () => {
    const answer = await server.post(`${API}/is_latest_roots`, `{"node_ids":["${root}",${A},77]}`);
    expect(await json(answer)).toEqual(record({ is_latest: [true, false, false] }));
    expect(await json(await server.post(`${API}/is_latest_roots`, '{"node_ids":[]}'))).toEqual(
      record({ is_latest: [] }),
    );
  });

  test("minimal_covering_nodes replaces complete families, leaves the others, and drops what is covered", async () => {
    const cover = async (...ids: bigint[]): Promise<bigint[]> =>
      idsOf(await server.post(`${API}/minimal_covering_nodes?as_array=True`, `{"node_ids":[${ids.join(",")}]}`));
    expect(await cover(B, C)).toEqual([root]);
    expect(await cover(root, B)).toEqual([root]);
    const [only] = await cover(B);
    expect(only! >> 56n).toBe(2n);
    expect(await cover(99n)).toEqual([]);
    expect(await cover(D, C)).toHaveLength(2);
  });

  test("subgraph, lvl2_graph and its header", async () => {
    expect(await json(await server.get(`${API}/node/${root}/subgraph?bounds=0-500_0-500_0-500`))).toEqual(
      record({ nodes: [[B, C]], affinities: [Number.POSITIVE_INFINITY], areas: [2147483647n] }),
    );
    const plain = await server.get(`${API}/node/${root}/lvl2_graph`);
    expect(plain.headers.get("used-bounds")).toBeNull();
    const edges = (await json(plain)) as Map<string, bigint[][]>;
    expect(edges.get("edge_graph")).toHaveLength(1);
    const boxed = await server.get(`${API}/node/${root}/lvl2_graph?bounds=0-500_0-500_0-500`);
    expect(boxed.headers.get("used-bounds")).toBe("true");
  });

  test("find_path goes from level-2 id to level-2 id, and tells two objects apart", async () => {
    const point = (x: number): string => `["${root}",${(x + 0.5) * 8},${30 * 8},${40.25 * 40}]`;
    const path = (await json(
      await server.post(`${API}/graph/find_path?precision_mode=False`, `[${point(50)},${point(80)}]`),
    )) as Map<string, unknown>;
    expect(path.get("failed_l2_ids")).toEqual([]);
    expect(path.get("l2_path")).toHaveLength(2);
    // Centres of the chunks 10..74 and 74..138 × 20..84 × 30..94 in nanometres; whole numbers read as bigints here.
    expect(path.get("centroids_list")).toEqual([
      [336n, 416n, 2480n],
      [848n, 416n, 2480n],
    ]);
    const short = (await json(await server.post(`${API}/graph/find_path`, `[${point(50)},${point(51)}]`))) as Map<
      string,
      unknown
    >;
    expect(short.get("l2_path")).toHaveLength(1);
    const other = await server.post(`${API}/graph/find_path`, `[${point(50)},["${A}",${12 * 8},240,1600]]`);
    expect(other.status).toBe(400);
  });

  test("supervoxel_lookup gives ids and roots of voxels", async () => {
    const answer = await server.post(`${API}/supervoxel_lookup`, '{"voxels":[[42,20,30],[73.5,20,30]]}');
    expect(await json(answer)).toEqual(record({ supervoxel_ids: [B, B], root_ids: [root, root] }));
  });

  test("the beginning, and no history", async () => {
    const begin = "2023-11-14 22:13:20.123456+00:00";
    expect(await json(await server.get(`${API}/oldest_timestamp`))).toEqual(record({ iso: begin }));
    expect(await json(await server.get(`${API}/oldest_timestamp?delimiter=T`))).toEqual(
      record({ iso: begin.replace(" ", "T") }),
    );
    expect(await json(await server.get(`${API}/user_operations?include_undo=True&start_time=0`))).toEqual(
      record({ operation_id: new Map(), timestamp: new Map() }),
    );
    expect(await json(await server.get(`${API}/delta_roots?timestamp_past=1.5`))).toBeInstanceOf(Map);
    expect(await json(await server.get(`${API}/delta_roots?timestamp_past=1800000000`))).toEqual(
      record({ old_roots: [], new_roots: [] }),
    );
    expect(await json(await server.get(`${API}/root/${root}/change_log?filtered=True`))).toEqual(
      record({ n_splits: 0n, n_mergers: 0n, user_info: new Map(), operations_ids: [], past_ids: [] }),
    );
    expect(await json(await server.get(`${API}/root/${root}/merge_log`))).toEqual(
      record({ merge_edges: [], merge_edge_coords: [] }),
    );
  });

  test("info has what the three clients need", async () => {
    for (const path of ["table/toy", "1.0/toy", "api/v1/toy", "api/v1/table/toy", "table/t%6Fy"]) {
      const info = (await (await server.get(`/segmentation/${path}/info`)).json()) as Record<string, unknown>;
      expect(info).toMatchObject({
        type: "segmentation",
        data_type: "uint64",
        num_channels: 1,
        data_dir: expect.stringMatching(/^http:\/\/localhost\/data\/toy\/supervoxels~\w+$/),
        graph: { chunk_size: [64, 64, 64], n_layers: 3, n_bits_for_layer_id: 8, cv_mip: 0 },
        chunks_start_at_voxel_offset: true,
        app: { supported_api_versions: [0, 1] },
      });
      expect((info.graph as Record<string, unknown>).spatial_bit_masks).toEqual({ 1: 10, 2: 10, 3: 1 });
      expect(info).not.toHaveProperty("mesh");
    }
  });

  test("data_dir follows the host, a proxy's headers, or the configured address", async () => {
    const dir = async (given: Toy, headers: Record<string, string>): Promise<unknown> =>
      ((await (await given.get("/segmentation/table/toy/info", { headers })).json()) as Record<string, unknown>)
        .data_dir;
    const forwarded = { "x-forwarded-proto": "https", "x-forwarded-host": "pcg.example", "x-forwarded-prefix": "/a/" };
    expect(await dir(server, forwarded)).toMatch(/^https:\/\/pcg\.example\/a\/data\/toy\/supervoxels~/);
    const fixed = await toy({ publicUrl: "https://fixed.example/b/" });
    expect(await dir(fixed, forwarded)).toMatch(/^https:\/\/fixed\.example\/b\/data\/toy\//);
  });

  test("versions are those clients expect; our own is in health and in a header", async () => {
    expect(await (await server.get("/segmentation/api/version")).text()).toBe('"3.1.7"');
    const versions = await server.get("/segmentation/api/versions");
    expect(await versions.text()).toBe("[0,1]");
    expect(versions.headers.get("x-pcg-version")).toBe("0.1.0");
    expect(await (await server.get("/api/health")).json()).toMatchObject({ status: "ok", version: "0.1.0", tables: 1 });
  });

  test("answers are gzipped for clients that take gzip, never deflated", async () => {
    const many = `{"node_ids":[${new Array(500).fill(B).join(",")}]}`;
    const ask = (encoding: string): Promise<Response> =>
      server.post(`${API}/roots`, many, { headers: { "accept-encoding": encoding } });
    const packed = await ask("gzip, deflate, br");
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    const text = gunzipSync(Buffer.from(await packed.arrayBuffer())).toString();
    expect(text).toBe(await (await ask("deflate")).text());
    for (const encoding of ["deflate", "identity", "gzip;q=0", "identity;q=1, gzip;q=0.1", "br"]) {
      expect((await ask(encoding)).headers.get("content-encoding")).toBeNull();
    }
    expect((await ask("gzip;q=1, identity;q=0.1")).headers.get("content-encoding")).toBe("gzip");
  });

  test("the OpenAPI document names every route with its parameters", async () => {
    const document = (await (await server.get("/openapi.json")).json()) as {
      paths: Record<string, Record<string, object>>;
    };
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toMatchSnapshot();
    expect(document.paths[`${API.replace("toy", "{table}")}/node/{id}/leaves`]!.get).toMatchObject({
      parameters: expect.arrayContaining([expect.objectContaining({ name: "bounds", in: "query", required: false })]),
    });
  });
});
