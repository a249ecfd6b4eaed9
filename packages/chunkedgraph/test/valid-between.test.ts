import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { validBetween } from "../src/view/valid-between.ts";
import { editedGraph, forestOf } from "./support/edited-graph.ts";

test("valid between two times are the nodes of every state in force meanwhile, and no others", async () => {
  const check = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    const { graph, supervoxels, times } = await editedGraph(random, 5);
    const states: Set<bigint>[] = [];
    for (const time of times) states.push(new Set((await forestOf(await graph.view(time), supervoxels)).keys()));
    const ids = BigUint64Array.from([...new Set(states.flatMap((nodes) => [...nodes])), 0n, 77n]);
    for (let i = 0; i < 8; i++) {
      const [from, to] = [random.pick(times) - BigInt(random.below(2)), random.pick(times) - BigInt(random.below(2))];
      const during = states.filter((_, k) => times[k]! <= to && from <= to && (times[k + 1] ?? to + 1n) > from);
      const expected = Uint8Array.from(ids, (id) => (during.some((nodes) => nodes.has(id)) ? 1 : 0));
      expect(await validBetween(await graph.view(from), await graph.view(to), ids)).toEqual(expected);
    }
  };
  await fc.assert(fc.asyncProperty(fc.integer(), check), { numRuns: 30 });
});
