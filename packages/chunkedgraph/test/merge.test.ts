import { type RowStore, readRows } from "@pcg/rowstore";
import { describe, expect, test } from "vitest";
import { isGraphError } from "../src/errors.ts";
import { openGraph } from "../src/graph.ts";
import { layerOf } from "../src/ids.ts";
import * as rows from "../src/rows/index.ts";
import { layoutOf } from "./support/build-graph.ts";
import { openSketch, type Sketched } from "./support/letters.ts";

const one = (id: bigint): BigUint64Array => BigUint64Array.of(id);

async function rootsOf({ graph, test: { supervoxels } }: Sketched): Promise<Set<bigint>> {
  return new Set(await (await graph.view()).roots(BigUint64Array.from(supervoxels)));
}

/** Every row except the log, its timeline and the head: what a refused edit must leave as it was. */
async function graphRows(store: RowStore): Promise<string[]> {
  const kinds: number[] = [rows.KIND.operation, rows.KIND.timeline, rows.KIND.head];
  const all = await readRows(store, { ranges: [{ start: Uint8Array.of(0) }] });
  return all
    .filter((row) => !kinds.includes(row.key[0]!))
    .map(
      (row) =>
        `${Buffer.from(row.key).toString("hex")} ${row.cells.map((c) => `${c.family} ${c.timestamp} ${c.value}`)}`,
    );
}

describe("what an ingest leaves", () => {
  test("scenario 1: a lone supervoxel of a one-chunk graph is the child of level-2 id 1", async () => {
    const s = await openSketch(2, ["A0"]);
    const layout = layoutOf(2);
    const parent = layout.nodeId(layout.chunkId(2, [0, 0, 0]), 1n);
    const view = await s.graph.view();
    expect(await view.parents(s.ids("A0"))).toEqual(one(parent));
    expect(await view.children(one(parent))).toEqual([s.ids("A0")]);
    expect(await view.level2Graph(parent)).toEqual(new BigUint64Array());
  });

  test("scenario 2: two supervoxels across a face share root (3, 0, 0, 0, 1)", async () => {
    const s = await openSketch(3, ["A0 inf B0"]);
    const layout = layoutOf(3);
    const root = layout.nodeId(layout.chunkId(3, [0, 0, 0]), 1n);
    const view = await s.graph.view();
    const level2 = await view.parents(s.ids("A0", "B0"));
    expect(await view.children(one(root))).toEqual([level2]);
    expect(await view.level2Graph(root)).toEqual(level2);
  });

  test("scenario 3: a lone node skips to the root layer, and leaves can be limited to chunk B", async () => {
    const s = await openSketch(4, ["A0", "B0 0.5 B1", "B0 inf C0"]);
    const layout = layoutOf(4);
    const node = (layer: number, x: number, n: bigint): bigint => layout.nodeId(layout.chunkId(layer, [x, 0, 0]), n);
    const view = await s.graph.view();
    const [a, b, c] = await view.parents(s.ids("A0", "B0", "C0"));
    expect(await view.parents(BigUint64Array.of(a!, b!, c!))).toEqual(
      BigUint64Array.of(node(4, 0, 1n), node(3, 0, 1n), node(3, 1, 1n)),
    );
    expect(await view.parents(BigUint64Array.of(node(3, 0, 1n), node(3, 1, 1n)))).toEqual(
      BigUint64Array.of(node(4, 0, 2n), node(4, 0, 2n)),
    );
    expect(await view.leaves(node(4, 0, 2n))).toEqual(s.ids("B0", "B1", "C0"));
    const box = { begin: [116, -50, 7], end: [132, -34, 23] } as const;
    expect(await view.leaves(node(4, 0, 2n), { box })).toEqual(s.ids("B0", "B1"));
    expect(await view.leaves(node(4, 0, 2n), { stopLayer: 2 })).toEqual(BigUint64Array.of(b!, c!));
    expect(await view.leaves(node(4, 0, 1n), { stopLayer: 3 })).toEqual(one(a!));
  });

  test("scenario 4: far isolated supervoxels are roots 1 and 2 with nothing between", async () => {
    const s = await openSketch(5, ["A0", "Z0"]);
    const layout = layoutOf(5);
    const view = await s.graph.view();
    const chunk = layout.chunkId(5, [0, 0, 0]);
    expect(await view.roots(s.ids("A0", "Z0"))).toEqual(BigUint64Array.of(chunk + 1n, chunk + 2n));
    expect(await view.parents(await view.parents(s.ids("A0", "Z0")))).toEqual(
      BigUint64Array.of(chunk + 1n, chunk + 2n),
    );
  });
});

describe("merge", () => {
  test("scenario 6: two unconnected supervoxels of one chunk get one new root", async () => {
    for (const layers of [2, 3, 5]) {
      const s = await openSketch(layers, ["A0", "A1"]);
      const old = BigUint64Array.of(await s.root("A0"), await s.root("A1"));
      const result = await s.merge("A0", "A1");
      const view = await s.graph.view();
      expect(result.newRoots).toEqual(one(await s.root("A0")));
      expect(await s.root("A1")).toBe(result.newRoots[0]);
      expect(result.oldRoots).toEqual(old.slice().sort());
      expect(result.newL2).toHaveLength(1);
      expect(await view.leaves(result.newRoots[0]!)).toEqual(s.ids("A0", "A1"));
      expect(await view.isLatest(BigUint64Array.of(old[0]!, old[1]!, result.newRoots[0]!))).toEqual(
        Uint8Array.of(0, 0, 1),
      );
      expect(result.time).toBe(view.time);
    }
  });

  test("scenario 7: far supervoxels without an edge merge at the root, parents rise strictly", async () => {
    const s = await openSketch(5, ["A0", "Z0"]);
    const { newRoots, newL2 } = await s.merge("A0", "Z0");
    const view = await s.graph.view();
    expect(layerOf(newRoots[0]!)).toBe(5);
    expect(newL2).toEqual(new BigUint64Array());
    expect(await view.leaves(newRoots[0]!)).toEqual(s.ids("A0", "Z0"));
    for (let ids = s.ids("A0", "Z0"); layerOf(ids[0]!) < 5; ) {
      const parents = await view.parents(ids);
      ids.forEach((id, i) => {
        expect(layerOf(parents[i]!)).toBeGreaterThan(layerOf(id));
      });
      ids = parents;
    }
  });

  test("scenario 7, with a far edge from the ingest: it counts, so the same merge has nothing to do", async () => {
    const s = await openSketch(5, ["A0 0.5 A1", "A1 inf Z0"]);
    await expect(s.merge("A0", "Z0")).rejects.toThrow("both points are in object");
  });

  test("scenario 8: neighbours across a face merge at layer 3 of 3", async () => {
    const s = await openSketch(3, ["A0", "B0"]);
    const { newRoots } = await s.merge("A0", "B0");
    expect(layerOf(newRoots[0]!)).toBe(3);
    expect(await (await s.graph.view()).leaves(newRoots[0]!)).toEqual(s.ids("A0", "B0"));
  });

  test("a refused merge that a client repeats at once is one line in the log", async () => {
    const s = await openSketch(4, ["A0 0.5 A1", "A1 inf B0"]);
    for (let attempt = 0; attempt < 3; attempt++) await expect(s.merge("A0", "B0")).rejects.toThrow("both points");
    await expect(s.merge("A1", "B0")).rejects.toThrow("both points");
    const log = [];
    for await (const operation of s.graph.history.operationsBetween(0n, 1n << 60n)) log.push(operation.status);
    expect(log).toEqual(["refused", "refused"]);
  });

  test("a refusal that cannot be logged is still that refusal, and the log's failure is told", async () => {
    const s = await openSketch(4, ["A0 0.5 A1"]);
    const told: string[] = [];
    const rows: typeof s.rows = Object.assign(Object.create(s.rows), {
      transact: () => Promise.reject(new Error("the disk is full")),
      mutate: () => Promise.reject(new Error("the disk is full")),
    });
    const graph = await openGraph({ rows, logger: { warn: (message) => told.push(message) } });
    await expect(graph.merge(s.request("A0", "A1"))).rejects.toMatchObject({ code: "same-object" });
    expect(told).toEqual(["a refused edit could not be logged"]);
  });

  test("scenario 9: refusals name their reason and leave nothing but a line in the log", async () => {
    const s = await openSketch(4, ["A0 0.5 A1", "A1 inf B0", "C0", "A5"]);
    const before = await graphRows(s.rows);
    const code = async (promise: Promise<unknown>): Promise<string> =>
      await promise.then(
        () => "done",
        (error) => (isGraphError(error) ? error.code : String(error)),
      );
    expect(await code(s.merge("A0", "A0"))).toBe("same-supervoxel");
    expect(await code(s.merge("A0", "A1"))).toBe("same-object");
    expect(await code(s.merge("A0", "B0"))).toBe("same-object");
    expect(await code(s.graph.merge({ ...s.request("A0", "C0"), maxChunkDistance: 1 }))).toBe("too-far");
    const [a, c] = s.request("A0", "C0").picks;
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, id: c.id + 77n }] }))).toBe("unknown-id");
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, id: 0n }] }))).toBe("unknown-id");
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, position: [0, 0, 1e7] }] }))).toBe("outside-volume");
    const level2 = (await (await s.graph.view()).parents(one(s.id("C0"))))[0]!;
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, id: level2 }] }))).toBe("no-voxels");
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, position: [0, Number.NaN, 0] }] }))).toBe(
      "invalid-argument",
    );
    expect(await code(s.graph.merge({ user: "", picks: [a] as never }))).toBe("invalid-argument");
    expect(await code(s.graph.merge({ user: "", picks: [a, { ...c, id: -1n }] }))).toBe("invalid-argument");
    expect(await graphRows(s.rows)).toEqual(before);
    const log = [];
    for await (const operation of s.graph.history.operationsBetween(0n, 1n << 62n)) log.push(operation);
    expect(log.map(({ id, status, refusal }) => [id, status, refusal?.code])).toEqual([
      [1n, "refused", "same-supervoxel"],
      [2n, "refused", "same-object"],
      [3n, "refused", "same-object"],
      [4n, "refused", "too-far"],
      [5n, "refused", "unknown-id"],
      [6n, "refused", "unknown-id"],
      [7n, "refused", "outside-volume"],
    ]);
    expect(log[0]!.supervoxels).toEqual(BigUint64Array.of(s.id("A0"), s.id("A0")));
    expect((await s.merge("A0", "C0")).operationId).toBe(8n);
  });

  test("scenario 10: a diagonal object takes in a loose supervoxel: two roots become one", async () => {
    const s = await openSketch(3, ["A0 inf B0", "A0 inf Y0", "Y0 inf W0", "A1"]);
    expect((await rootsOf(s)).size).toBe(2);
    const { newRoots } = await s.merge("A0", "A1");
    expect(await rootsOf(s)).toEqual(new Set(newRoots));
    expect(await (await s.graph.view()).leaves(newRoots[0]!)).toEqual(s.ids("A0", "A1", "B0", "Y0", "W0"));
  });

  test("scenario 11: a chain over two chunks merges with the chunk after it", async () => {
    const s = await openSketch(5, ["A0 inf A1", "A1 inf B0", "B0 inf B1", "C0"]);
    await s.merge("B0", "C0");
    expect((await rootsOf(s)).size).toBe(1);
  });

  test("an inactive contact between the two is what becomes active, not an edge of the user's", async () => {
    const s = await openSketch(4, ["A0 ~7 A1", "A1 inf B1", "A0 inf B0", "B0 ~3 B1", "B0 ~9 B2"]);
    const { operationId } = await s.merge("A0", "B1");
    const [operation] = await s.graph.history.operations([operationId]);
    expect(operation!.addedEdges).toEqual(BigUint64Array.of(s.id("A0"), s.id("A1"), s.id("B0"), s.id("B1")));
    const view = await s.graph.view();
    const { pairs, affinities, active } = await view.subgraph(await s.root("A0"));
    const edges = Array.from(active, (on, e) => `${pairs[2 * e]} ${pairs[2 * e + 1]} ${affinities[e]} ${on}`).sort();
    const edge = (a: string, b: string, affinity: number): string => `${s.id(a)} ${s.id(b)} ${affinity} 1`;
    expect(edges).toEqual(
      [
        edge("A0", "A1", 7),
        edge("A1", "B1", Number.POSITIVE_INFINITY),
        edge("A0", "B0", Number.POSITIVE_INFINITY),
        edge("B0", "B1", 3),
      ].sort(),
    );
    expect(await s.root("B2")).not.toBe(await s.root("B0"));
    expect(await view.level2Graph(await s.root("A0"))).toEqual(
      BigUint64Array.from(await view.parents(s.ids("A0", "B0"))).sort(),
    );
  });

  test("scenario 33: old roots and level-2 ids are stale, others stay; look-ups keep order and length", async () => {
    const s = await openSketch(4, ["A0", "A1", "B0"]);
    const before = await s.graph.view();
    const ids = BigUint64Array.of(s.id("A1"), 0n, s.id("B0"), s.id("A1"), 12345n, s.id("A0"));
    const oldL2 = (await before.parents(one(s.id("A0"))))[0]!;
    const oldRoot = await s.root("A0");
    const unrelated = await s.root("B0");
    const { newRoots } = await s.merge("A0", "A1");
    const view = await s.graph.view();
    const [root] = newRoots;
    expect(await view.roots(ids)).toEqual(BigUint64Array.of(root!, 0n, unrelated, root!, 0n, root!));
    expect(await view.isLatest(BigUint64Array.of(oldRoot, unrelated, root!, oldL2, s.id("A0"), 5n))).toEqual(
      Uint8Array.of(0, 1, 1, 0, 0, 0),
    );
    expect(await view.roots(one(oldL2))).toEqual(one(oldRoot));
    expect(await view.leaves(oldRoot)).toEqual(s.ids("A0"));
    expect(await before.roots(ids)).toEqual(
      BigUint64Array.of(
        (await before.roots(one(s.id("A1"))))[0]!,
        0n,
        unrelated,
        (await before.roots(one(s.id("A1"))))[0]!,
        0n,
        oldRoot,
      ),
    );
    expect(await before.exist(newRoots)).toEqual(Uint8Array.of(0));
    expect(await before.children(newRoots)).toEqual([undefined]);
    await expect(before.leaves(root!)).rejects.toThrow("no node");
  });

  test("scenario 38: a root look-up stops at the lowest ancestor at or above the layer; roots and 0 stay", async () => {
    const s = await openSketch(5, ["A0 inf B0", "B0 inf C0", "Z0"]);
    const view = await s.graph.view();
    const layers = async (name: string): Promise<number[]> => {
      const found = [];
      for (let stopLayer = 1; stopLayer <= 5; stopLayer++)
        found.push(layerOf((await view.roots(one(s.id(name)), { stopLayer }))[0]!));
      return found;
    };
    expect(await layers("A0")).toEqual([1, 2, 3, 4, 5]);
    expect(await layers("Z0")).toEqual([1, 2, 5, 5, 5]);
    const root = await s.root("Z0");
    expect(await view.roots(BigUint64Array.of(0n, root), { stopLayer: 2 })).toEqual(BigUint64Array.of(0n, root));
    expect(await view.roots(BigUint64Array.of(root + 1000n))).toEqual(BigUint64Array.of(0n));
    await expect(view.roots(one(root), { stopLayer: 6 })).rejects.toThrow("stopLayer 6 is outside 1..5");
  });
});
