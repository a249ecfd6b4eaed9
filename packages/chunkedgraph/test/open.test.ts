import { memoryRowStore } from "@pcg/rowstore";
import { expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import { openGraph } from "../src/graph.ts";
import * as rows from "../src/rows/index.ts";
import { INGEST_TIME } from "./support/build-graph.ts";
import { openSketch } from "./support/letters.ts";

test("an empty store, and one whose ingest is not complete, do not open and say what to do", async () => {
  const store = memoryRowStore();
  await expect(openGraph({ rows: store })).rejects.toMatchObject({
    code: "not-ingested",
    message: "the row store holds no graph: ingest a segmentation first",
  });
  const s = await openSketch(3, ["A0"]);
  await s.rows.mutate([rows.ingestMutation({ status: "running" })]);
  await expect(openGraph({ rows: s.rows })).rejects.toThrow("resume it first");
});

test("settings of a newer program do not open", async () => {
  const s = await openSketch(3, ["A0"]);
  const value = new TextEncoder().encode('{"version":9}');
  const newer = { op: "set", column: rows.SETTINGS, value, timestamp: rows.PRESENT } as const;
  await s.rows.mutate([{ key: rows.settingsKey(), ops: [newer] }]);
  await expect(openGraph({ rows: s.rows })).rejects.toThrow("layout version 9");
});

test("before any edit the settled time is the ingest's, and a future time means now", async () => {
  const s = await openSketch(3, ["A0", "B0"]);
  expect(await s.graph.settledTime()).toBe(INGEST_TIME);
  expect((await s.graph.view(1n << 62n)).time).toBe(INGEST_TIME);
  const before = await s.graph.view(INGEST_TIME - 1n);
  expect(await before.roots(s.ids("A0"))).toEqual(BigUint64Array.of(0n));
  expect(await before.exist(s.ids("A0"))).toEqual(Uint8Array.of(0));
  await expect(s.graph.view(-1n)).rejects.toMatchObject({ code: "invalid-argument" });
  const { time } = await s.merge("A0", "B0");
  expect(await s.graph.settledTime()).toBe(time);
});

test("commit times rise also when the clock stands still, and never lie in the future", async () => {
  const s = await openSketch(4, ["A0", "B0", "C0", "Y0"]);
  let now = INGEST_TIME + 5n;
  let asked = 0;
  const graph = await openGraph({ rows: s.rows, clock: async () => (++asked % 4 === 0 ? ++now : now) });
  const times = [];
  for (const [a, b] of [
    ["A0", "B0"],
    ["B0", "C0"],
    ["C0", "Y0"],
  ] as const) {
    times.push((await graph.merge(s.request(a, b))).time);
    expect(times.at(-1)! <= now).toBe(true);
  }
  expect(times[0]! < times[1]! && times[1]! < times[2]!).toBe(true);
  expect((await checkGraph(s.rows)).violations).toEqual([]);
});

test("a clock far behind the last commit is refused instead of waited for", async () => {
  const s = await openSketch(4, ["A0", "B0", "C0"]);
  const { time } = await s.merge("A0", "B0");
  const graph = await openGraph({ rows: s.rows, clock: async () => time - 10_000_000n });
  await expect(graph.merge(s.request("B0", "C0"))).rejects.toMatchObject({ code: "clock-behind" });
});

test("an aborted merge writes nothing", async () => {
  const s = await openSketch(3, ["A0", "B0"]);
  const reason = new Error("changed my mind");
  await expect(s.graph.merge(s.request("A0", "B0"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await s.graph.history.operations([1n])).toEqual([undefined]);
});

test("the mapping of a chunk lists level-2 ids and supervoxels as they were", async () => {
  const s = await openSketch(3, ["A0 1 A2", "A1", "B0"]);
  const before = await s.graph.view();
  const chunk = (await before.parents(s.ids("A1")))[0]! & ~0x3ffffffn;
  const mapping = async (view = before): Promise<BigUint64Array> => await view.chunkMapping(chunk);
  const [x, y] = await before.parents(BigUint64Array.of(s.id("A0"), s.id("A1")));
  const old = BigUint64Array.of(x!, s.id("A0"), x!, s.id("A2"), y!, s.id("A1"));
  expect(await mapping()).toEqual(old);
  await s.merge("A1", "A2");
  const after = await s.graph.view();
  const [z] = await after.parents(s.ids("A1"));
  expect(await mapping(after)).toEqual(BigUint64Array.of(z!, s.id("A0"), z!, s.id("A1"), z!, s.id("A2")));
  expect(await mapping()).toEqual(old);
  await expect(before.chunkMapping(s.id("A0"))).rejects.toMatchObject({ code: "wrong-layer" });
  await expect(before.chunkMapping(x!)).rejects.toMatchObject({ code: "wrong-layer" });
  await expect(before.chunkMapping(chunk | (900n << 46n))).rejects.toMatchObject({ code: "outside-volume" });
});
