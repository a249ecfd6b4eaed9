import { Random } from "@pcg/testkit";
import type { Xyz } from "@pcg/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type GraphApp, type OpenedTable, openTables } from "../src/index.ts";
import { type DataFolder, dataFolderOf, foam, OFFSET, readThrough, SIZE } from "./support/real-table.ts";

const API = "/segmentation/api/v1/table/foam";
const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined };

/** Two voxels side by side, by their place in the volume's data. */
interface Contact {
  readonly a: number;
  readonly b: number;
}

describe("a graph that was ingested, edited at random over HTTP, beside a plain account of it", () => {
  const random = new Random(20260107);
  const labels = foam(random, 60);
  let data: DataFolder;
  let tables: Map<string, OpenedTable>;
  let app: GraphApp;
  let supervoxels: BigUint64Array;
  /** Which labels make one object since when; names are labels. */
  const states: { time: string; nameOf: Map<bigint, bigint> }[] = [];

  const request = async (path: string, init?: RequestInit): Promise<Response> =>
    app.request(`http://localhost${path}`, init);
  const post = async (path: string, body: BodyInit): Promise<Response> =>
    request(`${API}${path}`, { method: "POST", body });
  const roots = async (ids: BigUint64Array, query = ""): Promise<BigUint64Array> => {
    const response = await post(`/roots_binary${query}`, new Uint8Array(ids.slice().buffer));
    return new BigUint64Array(await response.arrayBuffer());
  };
  const nanometres = (at: number): Xyz => {
    const [x, y, z] = [at % SIZE[0], Math.floor(at / SIZE[0]) % SIZE[1], Math.floor(at / (SIZE[0] * SIZE[1]))];
    return [(OFFSET[0] + x) * 8, (OFFSET[1] + y) * 8, (OFFSET[2] + z) * 40];
  };

  beforeAll(async () => {
    data = await dataFolderOf(labels);
    tables = await openTables(data.path, quiet);
    app = createServer({ tables });
    supervoxels = await readThrough(request, "/data/foam/supervoxels");
    const iso = ((await (await request(`${API}/oldest_timestamp`)).json()) as { iso: string }).iso;
    states.push({
      time: String(Date.parse(iso) / 1000),
      nameOf: new Map(Array.from(new Set(labels), (label) => [label, label])),
    });
  });
  afterAll(async () => {
    for (const table of tables.values()) await table.close();
    await data.remove();
  });

  /** Whether two volumes differ in names only and have the same background. */
  function expectSamePartition(voxels: BigUint64Array, nameOf: ReadonlyMap<bigint, bigint>): void {
    const there = new Map<bigint, bigint>([[0n, 0n]]);
    const back = new Map<bigint, bigint>([[0n, 0n]]);
    for (let i = 0; i < voxels.length; i++) {
      const name = labels[i] === 0n ? 0n : nameOf.get(labels[i]!)!;
      const object = voxels[i]!;
      if (!there.has(name) && !back.has(object)) {
        there.set(name, object);
        back.set(object, name);
      } else if (there.get(name) !== object || back.get(object) !== name) {
        expect.fail(`voxel ${i} of object ${name} is ${object}, elsewhere ${there.get(name)}`);
      }
    }
  }

  function findContact(nameOf: ReadonlyMap<bigint, bigint>): Contact | undefined {
    const start = random.below(labels.length);
    for (let k = 0; k < labels.length; k++) {
      const a = (start + k) % labels.length;
      if (a % SIZE[0] === SIZE[0] - 1 || labels[a] === 0n || labels[a + 1] === 0n) continue;
      if (nameOf.get(labels[a]!) !== nameOf.get(labels[a + 1]!)) return { a, b: a + 1 };
    }
    return undefined;
  }

  test("labels are objects at first", async () => {
    expectSamePartition(await readThrough(request, "/objects/foam"), states[0]!.nameOf);
  });

  test("an object too large for one answer gets a 413 that says what to do, and its parts are answered", async () => {
    const limited = createServer({ tables, limits: { idsPerAnswer: 3, edgesPerAnswer: 2 } });
    const ask = (path: string, init?: RequestInit) => limited.request(`http://localhost${API}${path}`, init);
    const all = await roots(BigUint64Array.from(new Set(supervoxels.filter((id) => id !== 0n))));
    const counts = new Map<bigint, number>();
    for (const root of all) counts.set(root, (counts.get(root) ?? 0) + 1);
    const [large] = [...counts].find(([, count]) => count > 4)!;
    const [small] = [...counts].find(([, count]) => count === 1)!;

    const box = (side: number): string => OFFSET.map((low) => `${low}-${low + side}`).join("_");
    for (const [path, what] of [
      [`/node/${large}/leaves`, /^more than 3 supervoxels, .*give bounds/],
      [`/node/${large}/leaves?stop_layer=2`, /^more than 3 nodes on layer 2, .*give bounds/],
      [`/node/${large}/leaves?bounds=${box(1000)}`, /^more than 3 supervoxels, .*give smaller bounds/],
      [`/node/${large}/subgraph`, /^more than 2 .*give bounds/],
      [`/node/${large}/lvl2_graph`, /^more than 2 .*give bounds/],
    ] as const) {
      const answer = await ask(path);
      expect([path, answer.status]).toEqual([path, 413]);
      const body = await answer.json();
      expect(body).toEqual({ code: 413, reason: "too-large", message: expect.stringMatching(what) });
    }
    for (const part of ["leaves", "subgraph", "lvl2_graph"]) {
      expect((await ask(`/node/${large}/${part}?bounds=${box(1)}`)).status).toBe(200);
      expect((await ask(`/node/${small}/${part}`)).status).toBe(200);
    }
    const many = (ids: readonly bigint[]) =>
      ask("/node/leaves_many", { method: "POST", body: `{"node_ids":[${ids}]}` });
    const few = [...counts].filter(([, count]) => count === 1).map(([root]) => root);
    expect((await many(few.slice(0, 3))).status).toBe(200);
    expect((await many([small, small, small, small])).status).toBe(200);
    expect(await (await many(few.slice(0, 4))).json()).toMatchObject({
      code: 413,
      message: expect.stringMatching(/^more than 3 supervoxels/),
    });
    const announced = (await (await limited.request("http://localhost/api/limits")).json()) as object;
    expect(announced).toMatchObject({ idsPerAnswer: 3, edgesPerAnswer: 2 });
  });

  test("each of many merges joins what was pointed at, now and in no moment before", async () => {
    for (let edit = 0; edit < 12; edit++) {
      const { nameOf } = states.at(-1)!;
      const { a, b } = findContact(nameOf)!;
      // A person points with a supervoxel or with the object under the cursor.
      const ids = BigUint64Array.of(supervoxels[a]!, supervoxels[b]!);
      const named = random.below(2) === 0 ? ids : await roots(ids);
      const body = JSON.stringify([a, b].map((at, i) => [String(named[i]), ...nanometres(at)]));
      const response = await post("/merge?int64_as_str=1", body);
      expect([response.status, response.status === 200 ? "" : await response.text()]).toEqual([200, ""]);
      const { new_root_ids } = (await response.json()) as { new_root_ids: [string] };
      const times = await post("/root_timestamps", `{"node_ids":["${new_root_ids[0]}"]}`);
      const time = String(((await times.json()) as { timestamp: [number] }).timestamp[0]);
      const [keep, gone] = [nameOf.get(labels[a]!)!, nameOf.get(labels[b]!)!];
      states.push({
        time,
        nameOf: new Map(Array.from(nameOf, ([label, name]) => [label, name === gone ? keep : name])),
      });
      expect(await roots(ids)).toEqual(BigUint64Array.of(BigInt(new_root_ids[0]), BigInt(new_root_ids[0])));
    }
    expectSamePartition(await readThrough(request, "/objects/foam"), states.at(-1)!.nameOf);
    for (const { time, nameOf } of states) {
      expectSamePartition(await readThrough(request, `/objects/foam@${time}`), nameOf);
      const sample = supervoxels.filter((_, i) => i % 97 === 0);
      const then = await roots(sample, `?timestamp=${time}`);
      const pinned = await request(`${API.replace("foam", `foam@${time}`)}/roots_binary`, {
        method: "POST",
        body: new Uint8Array(sample.buffer),
      });
      expect(new BigUint64Array(await pinned.arrayBuffer())).toEqual(then);
    }
  });

  test("the volume of objects leaves the validators of untouched chunks alone", async () => {
    const etags = async (): Promise<Map<string, string | null>> => {
      const found = new Map<string, string | null>();
      await readThrough(async (path) => {
        const response = await request(path);
        found.set(path, response.headers.get("etag"));
        return response;
      }, "/objects/foam");
      return found;
    };
    const before = await readThrough(request, "/objects/foam");
    const first = await etags();
    const { nameOf } = states.at(-1)!;
    const { a, b } = findContact(nameOf)!;
    const gone = [before[a]!, before[b]!];
    const body = JSON.stringify([a, b].map((at) => [String(supervoxels[at]), ...nanometres(at)]));
    expect((await post("/merge", body)).status).toBe(200);
    const second = await etags();
    const touched = [...first].filter(([path, etag]) => second.get(path) !== etag).length;
    expect(touched).toBeGreaterThan(0);
    expect(touched).toBeLessThan(first.size);
    const after = await readThrough(request, "/objects/foam");
    expect(after.every((id, i) => (gone.includes(before[i]!) ? id !== before[i] : id === before[i]))).toBe(true);
  });

  test("merges of the same two objects at once: one is made, the others are refused as the same object", async () => {
    const present = new Map<bigint, bigint>();
    const now = await readThrough(request, "/objects/foam");
    for (const [i, label] of labels.entries()) present.set(label, now[i]!);
    const { a, b } = findContact(present)!;
    const body = JSON.stringify([a, b].map((at) => [String(supervoxels[at]), ...nanometres(at)]));
    const answers = await Promise.all(Array.from({ length: 5 }, () => post("/merge", body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
    const refusals = await Promise.all(answers.filter(({ status }) => status === 400).map((answer) => answer.json()));
    expect(refusals.every((refusal) => (refusal as { reason: string }).reason === "same-object")).toBe(true);
  });

  test("names no file can have are absent files, and HEAD tells the length", async () => {
    for (const name of ["a".repeat(300), "8_8_40", "caf%C3%A9", "%ff", "a%0ab", ".lock"]) {
      expect([name, (await request(`/data/foam/supervoxels/${name}`)).status]).toEqual([name, 404]);
    }
    for (const path of ["/data/foam/supervoxels/info", "/objects/foam/info"]) {
      const whole = await (await request(path)).arrayBuffer();
      const head = await request(path, { method: "HEAD" });
      expect([head.headers.get("content-length"), head.body]).toEqual([String(whole.byteLength), null]);
      const etag = head.headers.get("etag")!;
      expect((await request(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    }
  });

  test("ids of no node, a box outside and a point outside are refused in words", async () => {
    const far = await request(`${API}/node/${supervoxels[0] || supervoxels[99]}/leaves?bounds=-900--800_0-1_0-1`);
    expect(await far.json()).toEqual({ leaf_ids: [] });
    const outside = await post("/merge", `[["${supervoxels[999]}",0,0,0],["${supervoxels[2]}",24,8000,280]]`);
    expect([outside.status, ((await outside.json()) as { reason: string }).reason]).toEqual([400, "outside-volume"]);
    const unknown = await post("/merge", '[["72057594037999999",24,8000,280],["1",24,8000,280]]');
    expect([unknown.status, ((await unknown.json()) as { reason: string }).reason]).toEqual([400, "unknown-id"]);
    expect((await request(`${API}/l2_chunk_children/72057594037927937`)).status).toBe(400);
    expect((await request(`${API}/node/${supervoxels[999]}/root?stop_layer=99`)).status).toBe(400);
  });
});
