import { memoryRowStore, type RowStore } from "@pcg/rowstore";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import type { Graph } from "../src/contract.ts";
import { isGraphError } from "../src/errors.ts";
import { openGraph } from "../src/graph.ts";
import { buildGraph, positionIn, settingsOf } from "./support/build-graph.ts";
import { openSketch } from "./support/letters.ts";
import { partition } from "./support/oracle.ts";
import { randomGraph } from "./support/random-graph.ts";

/** The store itself, as an object whose methods can be replaced one by one. */
function passing(store: RowStore): RowStore {
  return {
    caps: store.caps,
    now: () => store.now(),
    read: (selection, options) => store.read(selection, options),
    mutate: (rows) => store.mutate(rows),
    checkAndMutate: (...args) => store.checkAndMutate(...args),
    increment: (...args) => store.increment(...args),
    transact: (...args) => store.transact(...args),
    gc: (rules) => store.gc(rules),
    close: () => store.close(),
  };
}

/** A store whose every call waits for the scheduler, as if other processes ran in between. */
function scheduled(store: RowStore, scheduler: fc.Scheduler): RowStore {
  return {
    ...passing(store),
    async *read(selection, options) {
      await scheduler.schedule(Promise.resolve(), "read");
      yield* store.read(selection, options);
    },
    async transact(guards, rows) {
      await scheduler.schedule(Promise.resolve(), "transact");
      return await store.transact(guards, rows);
    },
  };
}

test("merges of several processes in any order of their reads and writes end as one after another would", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer(), async (scheduler, seed) => {
      const random = new Random(seed);
      const sketch = randomGraph(random, { layers: 5, supervoxels: 12 });
      const settings = settingsOf(sketch);
      const store = await buildGraph(sketch, memoryRowStore());
      const opened: Graph[] = [];
      for (let i = 0; i < 3; i++) opened.push(await openGraph({ rows: store }));
      const wanted: (readonly [bigint, bigint])[] = [];
      const merges = Array.from({ length: 6 }, async () => {
        const [a, b] = [random.pick(sketch.supervoxels), random.pick(sketch.supervoxels)];
        const graph = await openGraph({ rows: scheduled(store, scheduler) });
        const picks = [a, b].map((id) => ({ id, position: positionIn(settings, id) }));
        try {
          await graph.merge({ user: "ann", picks: [picks[0]!, picks[1]!], maxChunkDistance: 99 });
          wanted.push([a, b]);
        } catch (error) {
          if (!isGraphError(error, "same-object", "same-supervoxel")) throw error;
          wanted.push([a, b]);
        }
      });
      await scheduler.waitFor(Promise.all(merges));
      expect((await checkGraph(store)).violations).toEqual([]);
      const joined = [...sketch.edges.filter(({ active }) => active).map(({ a, b }) => [a, b] as const), ...wanted];
      const supervoxels = BigUint64Array.from(sketch.supervoxels);
      for (const graph of opened) {
        const roots = await (await graph.view()).roots(supervoxels);
        expect(partition(Array.from(supervoxels, (id, i) => [id, roots[i]!]))).toEqual(components(supervoxels, joined));
      }
    }),
    { numRuns: 60 },
  );
});

function components(supervoxels: BigUint64Array, joined: readonly (readonly [bigint, bigint])[]): bigint[][] {
  const objectOf = new Map(Array.from(supervoxels, (id) => [id, id]));
  for (const [a, b] of joined) {
    const [from, to] = [objectOf.get(a)!, objectOf.get(b)!];
    for (const [id, object] of objectOf) if (object === from) objectOf.set(id, to);
  }
  return partition([...objectOf]);
}

test("a reader at any moment of an edit sees all of it or nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const s = await openSketch(5, ["A0 inf B0", "B0 inf C0", "Z0 1 Z1", "A1 ~5 A0"]);
      const editor = await openGraph({ rows: s.rows });
      const opening = openGraph({ rows: scheduled(s.rows, scheduler) });
      const all = BigUint64Array.from(s.test.supervoxels).sort();
      const edit = scheduler
        .schedule(Promise.resolve(), "first edit")
        .then(() => editor.merge(s.request("C0", "Z0")))
        .then(() => scheduler.schedule(Promise.resolve(), "second edit"))
        .then(() => editor.merge(s.request("A0", "A1")));
      const reads = Array.from({ length: 4 }, async () => {
        const view = await (await opening).view();
        const roots = await view.roots(all);
        const distinct = new Set(roots);
        expect([1, 2, 3]).toContain(distinct.size);
        let members = 0;
        for (const root of distinct) members += (await view.leaves(root)).length;
        expect(members).toBe(all.length);
        expect(await view.isLatest(BigUint64Array.from(distinct))).toEqual(new Uint8Array(distinct.size).fill(1));
      });
      await scheduler.waitFor(Promise.all([edit, ...reads]));
    }),
    { numRuns: 100 },
  );
});

describe("a process that dies", () => {
  test("before or after its transaction leaves the old graph or the new one, and the next edit works", async () => {
    const died = new Error("killed");
    for (const after of [false, true]) {
      const s = await openSketch(5, ["A0", "A1", "B0 inf C0", "Z0"]);
      const dying: RowStore = {
        ...passing(s.rows),
        async transact(guards, rows) {
          if (after) await s.rows.transact(guards, rows);
          throw died;
        },
      };
      const graph = await openGraph({ rows: dying });
      await expect(graph.merge(s.request("A0", "Z0"))).rejects.toBe(died);
      expect((await checkGraph(s.rows)).violations).toEqual([]);
      expect((await s.root("A0")) === (await s.root("Z0"))).toBe(after);
      const { operationId } = await s.merge("A1", "C0");
      expect(operationId).toBe(after ? 2n : 1n);
      expect((await checkGraph(s.rows)).violations).toEqual([]);
    }
  });
});
