import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lineageUntil } from "../src/history/lineage.ts";
import { rootMapping } from "../src/history/root-mapping.ts";
import { editedGraph } from "./support/edited-graph.ts";

test("a root maps to the roots its supervoxels had at a time, and these to the one they have at a later time", async () => {
  const check = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    const { graph, supervoxels, times } = await editedGraph(random, 8);
    const then = await graph.view(random.pick(times));
    const roots = BigUint64Array.from(new Set(await then.roots(supervoxels)));
    // Exactly at an edit, and in the microsecond before it.
    const instants = times.flatMap((time, i) => (i === 0 ? [time] : [time - 1n, time]));
    const from = random.pick(instants);
    const to = random.pick([undefined, ...instants.filter((time) => time >= from)]);
    const window = to === undefined ? { from } : { from, to };
    const mapping = rootMapping(await graph.history.lineage(roots, window), roots, to);
    const [before, after] = [await graph.view(from), await graph.view(to)];
    expect([...mapping.past.keys()]).toEqual([...roots]);
    const began = await graph.history.rootTimes(roots);
    for (const [i, root] of roots.entries()) {
      const origins = began[i]! <= from ? [root] : new Set(await before.roots(await then.leaves(root)));
      expect(mapping.past.get(root)).toEqual(BigUint64Array.from(origins).sort());
      for (const origin of origins) {
        const [member] = await then.leaves(origin);
        expect([mapping.future.get(origin)]).toEqual([...(await after.roots(BigUint64Array.of(member!)))]);
      }
    }
  };
  await fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: 50 });
});

test("roots that were parted again have no single future", () => {
  const nodes = [1n, 2n, 3n, 4n, 5n].map((id) => ({ id, time: id }));
  const link = (source: bigint, target: bigint) => ({ source, target });
  const links = [link(1n, 3n), link(2n, 3n), link(3n, 4n), link(3n, 5n)];
  const { past, future } = rootMapping({ nodes, links }, BigUint64Array.of(3n, 4n));
  expect(past).toEqual(new Map([3n, 4n].map((root) => [root, BigUint64Array.of(1n, 2n)])));
  expect(future).toEqual(new Map());
});

test("a lineage known until a time ends with the roots of that time", async () => {
  const { graph, supervoxels, times } = await editedGraph(new Random(6), 8);
  expect(times.length).toBeGreaterThan(3);
  const first = BigUint64Array.from(new Set(await (await graph.view(times[0])).roots(supervoxels)));
  for (const time of times) {
    const { nodes, links } = lineageUntil(await graph.history.lineage(first), time);
    expect(nodes.filter((node) => node.time > time)).toEqual([]);
    const ended = new Set(links.map(({ source }) => source));
    const open = nodes.filter(({ id }) => !ended.has(id)).map(({ id }) => id);
    const valid = new Set(await (await graph.view(time)).roots(supervoxels));
    expect(new Set(open)).toEqual(valid);
  }
});
