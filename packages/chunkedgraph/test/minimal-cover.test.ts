import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { minimalCover } from "../src/view/minimal-cover.ts";
import { editedGraph, forestOf } from "./support/edited-graph.ts";
import { openSketch } from "./support/letters.ts";

test("a cover is the highest nodes that hold nothing but supervoxels of the given ones", async () => {
  const check = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    const { graph, supervoxels, times } = await editedGraph(random, 6);
    const view = await graph.view(random.pick(times));
    const forest = await forestOf(view, supervoxels);
    const nodes = [...forest.keys()];
    for (let i = 0; i < 6; i++) {
      const share = random.pick([0.05, 0.3, 0.8]);
      const given = nodes.filter(() => random.uint32() / 2 ** 32 < share);
      const wanted = new Set(given.flatMap((node) => [...forest.get(node)!]));
      const isInside = (node: bigint): boolean => [...forest.get(node)!].every((member) => wanted.has(member));
      const parents = await view.parents(BigUint64Array.from(nodes));
      const expected = nodes.filter((node, k) => isInside(node) && (parents[k] === 0n || !isInside(parents[k]!)));
      const cover = await minimalCover(view, BigUint64Array.from([...given, 0n, 77n, ...given.slice(0, 2)]));
      expect(cover).toEqual(BigUint64Array.from(expected).sort());
    }
  };
  await fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: 30 });
});

test("nothing is covered by nothing, and superseded nodes by superseded ones", async () => {
  const s = await openSketch(4, ["A0 1 A1", "B0"]);
  const before = await s.root("A0");
  const [old] = await (await s.graph.view()).parents(s.ids("A0"));
  await s.merge("A0", "B0");
  const view = await s.graph.view();
  expect(await minimalCover(view, new BigUint64Array())).toEqual(new BigUint64Array());
  expect(await minimalCover(view, BigUint64Array.of(before))).toEqual(BigUint64Array.of(before));
  const [cover] = await minimalCover(view, BigUint64Array.of(old!));
  expect(await view.leaves(cover!)).toEqual(s.ids("A0", "A1"));
});
