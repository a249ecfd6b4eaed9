import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { level2Path } from "../src/view/level2-path.ts";
import { editedGraph } from "./support/edited-graph.ts";
import { openSketch } from "./support/letters.ts";

/** Steps from `start` along the pairs, by going over all of them until nothing changes. */
function distances(pairs: BigUint64Array, start: bigint): Map<bigint, number> {
  const steps = new Map([[start, 0]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < pairs.length; i++) {
      const [here, there] = [pairs[i]!, pairs[i ^ 1]!];
      const through = (steps.get(here) ?? Number.POSITIVE_INFINITY) + 1;
      if (through >= (steps.get(there) ?? Number.POSITIVE_INFINITY)) continue;
      steps.set(there, through);
      changed = true;
    }
  }
  return steps;
}

test("a path steps along edges of the level-2 graph, and none is shorter", async () => {
  let longest = 0;
  const check = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    const { graph, supervoxels, times } = await editedGraph(random, 6);
    const view = await graph.view(random.pick(times));
    for (let i = 0; i < 8; i++) {
      const ends = BigUint64Array.of(random.pick([...supervoxels]), random.pick([...supervoxels]));
      const [root, other] = await view.roots(ends);
      const [from, to] = await view.roots(ends, { stopLayer: 2 });
      const path = await level2Path(view, random.pick([ends[0]!, from!]), random.pick([ends[1]!, to!]));
      if (root !== other) {
        expect(path).toBeUndefined();
        continue;
      }
      const pairs = await view.level2Graph(root!);
      const steps = distances(pairs, from!);
      expect(path).toHaveLength(steps.get(to!)! + 1);
      expect([path![0], path!.at(-1)]).toEqual([from, to]);
      const edges = new Set(Array.from(pairs, (id, k) => `${id} ${pairs[k ^ 1]}`));
      for (let k = 1; k < path!.length; k++) expect(edges).toContain(`${path![k - 1]} ${path![k]}`);
      longest = Math.max(longest, path!.length);
    }
  };
  await fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: 30 });
  expect(longest).toBeGreaterThan(3);
});

test("no path leads from or to an id the graph does not know, nor between objects", async () => {
  const s = await openSketch(4, ["A0 inf B0", "C0"]);
  const view = await s.graph.view();
  expect(await level2Path(view, 77n, 78n)).toBeUndefined();
  expect(await level2Path(view, s.id("A0"), 77n)).toBeUndefined();
  expect(await level2Path(view, s.id("A0"), s.id("C0"))).toBeUndefined();
  expect(await level2Path(view, s.id("A0"), s.id("A0"))).toHaveLength(1);
  expect(await level2Path(view, s.id("A0"), s.id("B0"))).toHaveLength(2);
});
