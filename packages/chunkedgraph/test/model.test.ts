import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import type { Graph } from "../src/contract.ts";
import { isGraphError } from "../src/errors.ts";
import { openGraph } from "../src/graph.ts";
import { buildGraph, INGEST_TIME, positionIn, settingsOf } from "./support/build-graph.ts";
import { Oracle, partition } from "./support/oracle.ts";
import { randomGraph } from "./support/random-graph.ts";

/** Every read of the partition at a time agrees with the oracle's. */
async function compareAt(graph: Graph, oracle: Oracle, supervoxels: BigUint64Array, time: bigint): Promise<void> {
  const view = await graph.view(time);
  const expected = oracle.objectsAt(time);
  const roots = await view.roots(supervoxels);
  expect(partition(Array.from(supervoxels, (id, i) => [id, roots[i]!]))).toEqual(expected);
  for (const members of expected) {
    const root = roots[supervoxels.indexOf(members[0]!)]!;
    expect(await view.leaves(root)).toEqual(BigUint64Array.from(members));
    expect(await view.isLatest(BigUint64Array.of(root))).toEqual(Uint8Array.of(1));
  }
}

async function play(seed: number, merges: number): Promise<void> {
  const random = new Random(seed);
  const sketch = randomGraph(random);
  const rows = await buildGraph(sketch);
  const settings = settingsOf(sketch);
  const supervoxels = BigUint64Array.from(sketch.supervoxels).sort();
  const joined = sketch.edges.filter(({ active }) => active).map(({ a, b }) => [a, b] as const);
  const oracle = new Oracle(INGEST_TIME, sketch.supervoxels, joined);
  expect((await checkGraph(rows)).violations).toEqual([]);
  // One long-lived graph and one that sees the edits only through the store.
  const editor = await openGraph({ rows });
  const observer = await openGraph({ rows });
  for (let i = 0; i < merges; i++) {
    const [a, b] = [random.pick(sketch.supervoxels), random.pick(sketch.supervoxels)];
    const request = {
      user: `user ${i}`,
      maxChunkDistance: 1000,
      picks: [
        { id: a, position: positionIn(settings, a) },
        { id: b, position: positionIn(settings, b) },
      ],
    } as const;
    try {
      const { time } = await random.pick([editor, observer]).merge(request);
      expect(oracle.together(a, b)).toBe(false);
      oracle.merge(a, b, time);
    } catch (error) {
      if (!isGraphError(error, "same-object", "same-supervoxel")) throw error;
      expect(oracle.together(a, b)).toBe(true);
    }
    expect((await checkGraph(rows)).violations).toEqual([]);
  }
  const fresh = await openGraph({ rows });
  for (const time of oracle.times) expect((await checkGraph(rows, { time })).violations).toEqual([]);
  for (const time of oracle.times)
    for (const graph of [editor, observer, fresh]) await compareAt(graph, oracle, supervoxels, time);
  await compareHistory(fresh, oracle);
}

async function compareHistory(graph: Graph, oracle: Oracle): Promise<void> {
  const times = oracle.times;
  const now = times.at(-1)!;
  const rootsAt = async (time: bigint): Promise<Set<bigint>> => {
    const members = oracle.objectsAt(time).map(([first]) => first!);
    return new Set(await (await graph.view(time)).roots(BigUint64Array.from(members)));
  };
  const present = await rootsAt(now);
  for (const time of times) {
    const past = await rootsAt(time);
    const { oldRoots, newRoots } = await graph.history.delta(time, now);
    expect(new Set(oldRoots)).toEqual(new Set([...past].filter((root) => !present.has(root))));
    expect(new Set(newRoots)).toEqual(new Set([...present].filter((root) => !past.has(root))));
    const latest = await graph.history.rootTimes(BigUint64Array.from(past), { latest: true });
    const created = await graph.history.rootTimes(BigUint64Array.from(past));
    created.forEach((began, i) => {
      expect(began <= time && time <= latest[i]!).toBe(true);
    });
  }
}

test("random merges agree with a union-find over active edges at every time, and leave a sound graph each", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      await play(seed, 8);
    }),
    { numRuns: 30 },
  );
});

test("regression: a node above the merged one's new parents keeps its place until its own layer is reached", async () => {
  await play(-763097887, 8);
});
