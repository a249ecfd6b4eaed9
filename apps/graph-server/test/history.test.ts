import { beforeEach, describe, expect, test } from "vitest";
import { type Json, parseJson } from "../src/http/json-parse.ts";
import { A, B, C, D, SETTINGS } from "./support/fake-graph.ts";
import { API, idBytes, idsOf, type Toy, toy } from "./support/toy-table.ts";

/** A point as a client sends it: voxel corner in nanometres. */
const at = (id: bigint, x: number): string => `[${id},${x * 8},${30 * 8},${40 * 40}]`;
const seconds = (time: bigint): string => `${time / 1_000_000n}.${String(time % 1_000_000n).padStart(6, "0")}`;

describe("editing and what remains of it", () => {
  let server: Toy;
  /** Roots before the first merge, after it, and after the second. */
  let before: bigint[];
  let middle: bigint;
  let last: bigint;
  let times: bigint[];

  const roots = async (query = "", table = "toy"): Promise<bigint[]> =>
    idsOf(await server.post(`${API.replace("toy", table)}/roots_binary${query}`, idBytes(A, B, C, D)));
  const json = async (response: Response): Promise<Map<string, Json>> => {
    expect(response.status).toBe(200);
    return parseJson(await response.text()) as unknown as Map<string, Json>;
  };
  const merge = (a: string, b: string): Promise<Response> =>
    server.post(`${API}/merge?priority=False&int64_as_str=1`, `[${a},${b}]`);

  beforeEach(async () => {
    server = await toy();
    before = await roots();
    const first = (await (await merge(at(A, 20), at(before[1]!, 80))).json()) as {
      operation_id: string;
      new_root_ids: string[];
    };
    expect(first).toEqual({ operation_id: "1", new_root_ids: [expect.any(String)] });
    middle = BigInt(first.new_root_ids[0]!);
    last = BigInt(((await (await merge(at(C, 80), at(D, 120))).json()) as { new_root_ids: [string] }).new_root_ids[0]);
    times = server.graph.log.map(({ time }) => time);
  });

  test("a merge is seen by the next read, and the past stays what it was", async () => {
    expect(await roots()).toEqual([last, last, last, last]);
    expect(await roots(`?timestamp=${seconds(SETTINGS.ingestTime)}`)).toEqual(before);
    expect(await roots(`?timestamp=${seconds(times[0]!)}`)).toEqual([middle, middle, middle, before[3]]);
    expect(await roots(`?timestamp=${seconds(times[0]! - 1n)}`)).toEqual(before);
    expect(await roots("?timestamp=99999999999")).toEqual([last, last, last, last]);
    expect(await roots("?timestamp=1.5")).toEqual([0n, 0n, 0n, 0n]);
  });

  test("the double of a commit time finds the commit, whichever way it is printed", async () => {
    for (const text of [String(Number(times[0]!) / 1e6), `${seconds(times[0]!)}49`, `${seconds(times[0]! - 1n)}51`]) {
      expect(await roots(`?timestamp=${text}`)).toEqual([middle, middle, middle, before[3]]);
    }
  });

  test("merging again is refused as the same object, without a trace", async () => {
    const again = await merge(at(C, 80), at(D, 120));
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ code: 400, reason: "same-object", message: expect.any(String) });
    expect(server.graph.log).toHaveLength(2);
  });

  test("root timestamps are query times, and latest ends where the successor began", async () => {
    const ask = async (query: string, ...ids: bigint[]): Promise<Json> => {
      const answer = await json(await server.post(`${API}/root_timestamps${query}`, `{"node_ids":[${ids.join(",")}]}`));
      return answer.get("timestamp")!;
    };
    expect(await ask("?latest=False", before[0]!, middle, last)).toEqual(
      [SETTINGS.ingestTime, ...times].map((time) => Number(time) / 1e6),
    );
    const asked = Number(times[1]!) / 1e6 + 5;
    expect(await ask(`?latest=True&timestamp=${asked}`, before[0]!, middle, last)).toEqual([
      Number(times[0]!) / 1e6,
      Number(times[1]!) / 1e6,
      asked,
    ]);
    const early = Number(times[0]!) / 1e6 + 0.5;
    expect(await ask(`?latest=True&timestamp=${early}`, middle)).toEqual([early]);
  });

  test("lineage is a node-link document with a time on every node", async () => {
    const answer = await json(
      await server.post(`${API}/lineage_graph_multiple?name=timestamp_future`, `{"root_ids":[${last}]}`),
    );
    expect([answer.get("directed"), answer.get("multigraph"), answer.get("graph")]).toEqual([true, false, new Map()]);
    const nodes = answer.get("nodes") as Map<string, Json>[];
    expect(nodes.map((node) => node.get("id"))).toEqual(expect.arrayContaining([...new Set(before), middle, last]));
    expect(nodes.every((node) => typeof node.get("timestamp") === "number")).toBe(true);
    expect(nodes.find((node) => node.get("id") === middle)!.get("operation_id")).toBe(1n);
    expect(answer.get("links")).toHaveLength(4);
    const strings = await server.get(`${API}/root/${last}/lineage_graph?int64_as_str=1`);
    expect(await strings.text()).toContain(`"target":"${last}"`);
  });

  test("a root asked for at its own time has no past before it", async () => {
    const links = async (query: string, root: bigint): Promise<Json> =>
      (await json(await server.post(`${API}/lineage_graph_multiple?${query}`, `{"root_ids":[${root}]}`))).get("links")!;
    expect(await links(`timestamp_past=${seconds(times[0]!)}&timestamp_future=0`, middle)).toEqual([]);
    expect(await links(`timestamp_past=${seconds(times[0]! - 1n)}&timestamp_future=0`, middle)).toHaveLength(2);
    expect(await links(`timestamp_past=${seconds(times[0]!)}`, last)).toHaveLength(2);
    expect(await links(`timestamp_past=${seconds(times[1]!)}`, last)).toEqual([]);
  });

  test("change logs count, tabulate and detail the merges", async () => {
    const summary = await json(await server.get(`${API}/root/${last}/change_log?filtered=True`));
    expect(summary.get("n_mergers")).toBe(2n);
    expect(summary.get("operations_ids")).toEqual([1n, 2n]);
    expect(summary.get("past_ids")).toEqual(expect.arrayContaining([before[0], before[1], before[3], middle]));
    expect(summary.get("user_info")).toEqual(
      new Map([
        [
          "anonymous",
          new Map([
            ["n_splits", 0n],
            ["n_mergers", 2n],
          ]),
        ],
      ]),
    );

    const table = await json(await server.get(`${API}/root/${middle}/tabular_change_log?filtered=False`));
    const cell = (column: string): Json => (table.get(column) as Map<string, Json>).get("0")!;
    expect([cell("operation_id"), cell("timestamp"), cell("is_merge"), cell("in_neuron")]).toEqual([
      1n,
      times[0]! / 1000n,
      true,
      true,
    ]);
    expect(cell("after_root_ids")).toEqual([middle]);
    expect([...table.keys()]).toContain("is_relevant");

    const log = await json(await server.get(`${API}/root/${middle}/merge_log`));
    expect(log.get("merge_edges")).toEqual([[[A, C]]]);
    expect(log.get("merge_edge_coords")).toEqual([[[[20n, 30n, 40n]], [[80n, 30n, 40n]]]]);

    const details = await json(await server.get(`${API}/operation_details?operation_ids=%5B1%2C%202%5D`));
    const one = details.get("1") as Map<string, Json>;
    expect(one.get("added_edges")).toEqual([[A, C]]);
    expect(one.get("roots")).toEqual([middle]);
    expect([one.get("source_coords"), one.get("sink_coords")]).toEqual([[[20n, 30n, 40n]], [[80n, 30n, 40n]]]);
    expect([one.get("user"), one.get("timestamp")]).toEqual(["anonymous", "2023-11-14 22:13:21.123459+00:00"]);
  });

  test("user_operations has both columns, filtered by person and time", async () => {
    const ask = async (query: string): Promise<number[]> =>
      Object.values(
        ((await (await server.get(`${API}/user_operations?${query}`)).json()) as { operation_id: object }).operation_id,
      );
    expect(await ask("start_time=0")).toEqual([1, 2]);
    expect(await ask(`start_time=${seconds(times[0]! + 1n)}`)).toEqual([2]);
    expect(await ask(`start_time=0&end_time=${seconds(times[0]!)}`)).toEqual([1]);
    expect(await ask("user_id=anonymous")).toEqual([1, 2]);
    expect(await ask("user_id=7")).toEqual([]);
  });

  test("delta_roots is the net difference, with its end included", async () => {
    const delta = async (from: bigint, to: bigint): Promise<Json[]> => {
      const answer = await json(
        await server.get(`${API}/delta_roots?timestamp_past=${seconds(from)}&timestamp_future=${seconds(to)}`),
      );
      return [answer.get("old_roots")!, answer.get("new_roots")!];
    };
    expect(await delta(SETTINGS.ingestTime, times[0]!)).toEqual([[before[0], before[1]], [middle]]);
    expect(await delta(times[0]!, times[1]! - 1n)).toEqual([[], []]);
    expect(await delta(SETTINGS.ingestTime, times[1]! + 10n ** 12n)).toEqual([
      [before[0], before[1], before[3]],
      [last],
    ]);
    expect((await server.get(`${API}/delta_roots`)).status).toBe(400);
  });

  test("superseded roots stay readable", async () => {
    expect((await json(await server.get(`${API}/node/${middle}/leaves`))).get("leaf_ids")).toEqual([A, B, C]);
    const latest = await server.post(`${API}/is_latest_roots`, `{"node_ids":[${middle},${last}]}`);
    expect((await json(latest)).get("is_latest")).toEqual([false, true]);
    const then = await server.post(
      `${API}/is_latest_roots?timestamp=${seconds(times[0]!)}`,
      `{"node_ids":[${middle},${last}]}`,
    );
    expect((await json(then)).get("is_latest")).toEqual([true, false]);
  });

  describe("a pinned table", () => {
    let pinned: string;
    beforeEach(() => {
      pinned = `toy@${seconds(times[0]!)}`;
    });
    const path = (rest: string): string => `${API.replace("toy", encodeURIComponent(pinned))}${rest}`;

    test("reads its instant, whatever time a request names later", async () => {
      expect(await roots("", pinned)).toEqual([middle, middle, middle, before[3]]);
      expect(await roots("?timestamp=99999999999", encodeURIComponent(pinned))).toEqual([
        middle,
        middle,
        middle,
        before[3],
      ]);
      expect(await roots(`?timestamp=${seconds(SETTINGS.ingestTime)}`, pinned)).toEqual(before);
    });

    test("shares the data_dir of the present table", async () => {
      const dir = async (name: string): Promise<unknown> =>
        ((await (await server.get(`/segmentation/table/${name}/info`)).json()) as { data_dir: string }).data_dir;
      expect(await dir(pinned)).toBe(await dir("toy"));
    });

    test("takes no edits, and says so", async () => {
      const response = await server.post(path("/merge"), `[${at(A, 20)},${at(D, 120)}]`);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        code: 403,
        message: expect.stringContaining('edit "toy" instead'),
      });
    });

    test("knows nothing that came later", async () => {
      for (const rest of [
        `/node/${last}/root`,
        `/node/${last}/leaves`,
        `/root/${last}/change_log`,
        "/operation_details?operation_ids=[2]",
      ]) {
        expect((await server.get(path(rest))).status).toBe(404);
      }
      expect((await server.post(path("/root_timestamps"), `{"node_ids":[${last}]}`)).status).toBe(404);
      const lineage = await json(await server.post(path("/lineage_graph_multiple"), `{"root_ids":[${middle}]}`));
      expect((lineage.get("nodes") as unknown[]).length).toBe(3);
      expect(
        Object.keys(
          ((await (await server.get(path("/user_operations"))).json()) as { operation_id: object }).operation_id,
        ),
      ).toHaveLength(1);
    });

    test("finds paths through what was there", async () => {
      const body = (x: number): string => `[${at(middle, 20)},${at(middle, x)}]`;
      expect((await json(await server.post(path("/graph/find_path"), body(90)))).get("l2_path")).toHaveLength(2);
      expect((await server.post(path("/graph/find_path"), body(130))).status).toBe(400);
    });

    test("needs a time after the @", async () => {
      for (const name of ["toy@", "toy@now", "toy@-1", "toy@1e9"]) {
        expect((await server.get(`/segmentation/table/${name}/info`)).status).toBe(400);
      }
    });
  });
});
