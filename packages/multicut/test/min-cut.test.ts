import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/graph.ts";
import { assignRoles, maxFlow, minCut } from "../src/min-cut.ts";
import { scaleCapacities } from "../src/residuals.ts";
import { graphOf, permuted, type Row, randomRows } from "./graphs.ts";
import { augmentFlow } from "./oracles/boykov-kolmogorov.ts";
import { lightestCut } from "./oracles/brute-force.ts";
import { dinic } from "./oracles/dinic.ts";

/** 0 … n−1 with the source 0 and the sink n−1. */
const smallGraphs = fc.integer({ min: 2, max: 12 }).chain((size) => fc.tuple(fc.constant(size), randomRows(size, 30)));

test("the cut is the lightest of all sides, and its source side the smallest of the lightest", () => {
  fc.assert(
    fc.property(smallGraphs, ([size, list]) => {
      const { flow, side } = minCut(graphOf(size, list), [0], [size - 1]);
      const best = lightestCut(size, list, [0], [size - 1]);
      expect(flow).toBe(best.weight);
      expect([...side].map(Boolean)).toEqual(best.side);
    }),
    { numRuns: 300 },
  );
});

test("several sources and sinks act as one each", () => {
  fc.assert(
    fc.property(
      randomRows(9, 30),
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8], { minLength: 4 }),
      (list, picked) => {
        const sources = picked.slice(0, 2);
        const sinks = picked.slice(2, 4);
        const { flow, side } = minCut(graphOf(9, list), sources, sinks);
        const best = lightestCut(9, list, sources, sinks);
        expect(flow).toBe(best.weight);
        expect([...side].map(Boolean)).toEqual(best.side);
      },
    ),
    { numRuns: 300 },
  );
});

describe("on larger random graphs", () => {
  const cases = Array.from({ length: 12 }, (_, seed) => ({ seed, ...largeGraph(seed) }));
  test.each(cases)("push-relabel, Boykov–Kolmogorov and Dinic agree on flow and side, seed $seed", ({ size, list }) => {
    const graph = graphOf(size, list);
    const { flow, side } = minCut(graph, [0], [size - 1]);
    const oracle = dinic(size, list, 0, size - 1);
    expect(flow).toBe(oracle.flow);
    expect([...side].map(Boolean)).toEqual(oracle.side);
    const roles = assignRoles(graph, [0], [size - 1]);
    const scaled = scaleCapacities(
      graph,
      roles,
      list.reduce((sum, [, , w]) => sum + w, 0),
    );
    expect(augmentFlow(graph, roles, scaled.room) * scaled.unit).toBe(flow);
  });

  test.each(cases)("no path of positive room is left between the sides, seed $seed", ({ size, list }) => {
    const graph = graphOf(size, list);
    const { side, edgeFlow, flow } = maxFlow(graph, [0], [size - 1]);
    let across = 0;
    for (let e = 0; e < graph.lower.length; e++) {
      const [a, b] = [side[graph.lower[e]!]!, side[graph.upper[e]!]!];
      expect(Math.abs(edgeFlow[e]!)).toBeLessThanOrEqual(graph.capacities[e]!);
      if (a === b) continue;
      expect(edgeFlow[e]! * (a - b)).toBe(graph.capacities[e]);
      across += edgeFlow[e]! * (a - b);
    }
    expect(across).toBe(flow);
  });

  test.each(cases)("what enters a vertex leaves it, seed $seed", ({ size, list }) => {
    const graph = graphOf(size, list);
    const { edgeFlow, flow } = maxFlow(graph, [0], [size - 1]);
    const balance = new Float64Array(size);
    for (let e = 0; e < graph.lower.length; e++) {
      balance[graph.lower[e]!]! -= edgeFlow[e]!;
      balance[graph.upper[e]!]! += edgeFlow[e]!;
    }
    expect([...balance]).toEqual(Array.from(balance, (_, v) => (v === 0 ? -flow : v === size - 1 ? flow : 0)));
  });
});

test("affinities that are no sums of a common unit give the same cut in every order, to the last bit", () => {
  const weight = fc.double({ min: 1e-3, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(
      randomRows(10, 40, weight).chain((list) => fc.tuple(fc.constant(list), permuted(list))),
      ([list, other]) => {
        const [a, b] = [list, other].map((some) => minCut(graphOf(10, some), [0], [9]));
        expect(b).toEqual(a);
        const best = lightestCut(10, list, [0], [9]);
        expect(Math.abs(a!.flow - best.weight)).toBeLessThanOrEqual(1e-9 * best.weight);
      },
    ),
    { numRuns: 100 },
  );
});

test("a flow of user merges alone, 1e-38 each, is as exact as one of thousands", () => {
  const tiny = Math.fround(1.1754943508222875e-38);
  const list: Row[] = [
    [0, 1, 5e4],
    [1, 2, tiny],
    [1, 3, 2 * tiny],
    [2, 4, 1e5],
    [3, 4, 1e5],
    [0, 5, 1e5],
    [5, 6, tiny],
  ];
  const { flow, side } = minCut(graphOf(7, list), [0], [4]);
  expect(flow).toBe(3 * tiny);
  // Vertex 6 hangs on the source by a thread; cutting that would cost more than nothing.
  expect([...side]).toEqual([1, 1, 0, 0, 0, 1, 1]);
});

test("an affinity a thousand times the rest of the cut does not blur it", () => {
  const list: Row[] = [
    [0, 1, 1e200],
    [1, 2, 0.1],
    [1, 3, 0.2],
    [2, 4, 1e200],
    [3, 4, 1e200],
  ];
  const { flow, side } = minCut(graphOf(5, list), [0], [4]);
  expect(flow).toBeCloseTo(0.3, 12);
  expect([...side]).toEqual([1, 1, 0, 0, 0]);
});

test("edges of capacity 0 carry nothing: what only they reach counts to the sinks", () => {
  const { flow, side } = minCut(
    graphOf(4, [
      [0, 1, 0],
      [1, 3, 4],
      [0, 2, 3],
    ]),
    [0],
    [3],
  );
  expect(flow).toBe(0);
  expect([...side]).toEqual([1, 0, 1, 0]);
});

test("terminals that overlap, are empty or do not exist are refused", () => {
  const graph = graphOf(3, [[0, 1, 1]]);
  expect(() => minCut(graph, [0, 1], [1])).toThrow(/vertex 1 is a source and a sink/);
  expect(() => minCut(graph, [], [1])).toThrow(/sources is empty/);
  expect(() => minCut(graph, [0], [3])).toThrow(/sinks names vertex 3, but vertices are whole numbers from 0 to 2/);
});

test.each<[what: string, graph: unknown, sources: unknown, code: string, message: RegExp]>([
  ["half a vertex", graphOf(3, [[0, 1, 1]]), 0.5, "INVALID_GROUPS", /names vertex 0.5, but vertices are whole numbers/],
  ["no vertex", graphOf(3, [[0, 1, 1]]), undefined, "INVALID_GROUPS", /a vertex or a list of them, got undefined/],
  ["a bigint", graphOf(3, [[0, 1, 1]]), 1n, "INVALID_GROUPS", /a vertex or a list of them, got 1n/],
  ["a bigint in a list", graphOf(3, [[0, 1, 1]]), [1n], "INVALID_GROUPS", /names vertex 1n/],
  ["no graph", undefined, 0, "INVALID_INPUT", /graph must be the `graph` of a Contraction, got undefined/],
  ["the contraction itself", { graph: graphOf(3, [[0, 1, 1]]) }, 0, "INVALID_INPUT", /got a plain object/],
])("%s is refused, by a flow as by a cut", (_, graph, sources, code, message) => {
  for (const solve of [minCut, maxFlow]) {
    const call = () => solve(graph as Graph, sources as number, 2);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ name: "MulticutError", code }));
  }
});

function largeGraph(seed: number): { size: number; list: Row[] } {
  const random = new Random(seed);
  const size = random.between(200, 600);
  const list = Array.from({ length: 6 * size }, (): Row => {
    const a = random.below(size);
    // Mostly near neighbours, so that cuts are not just the terminals.
    const b = random.below(10) === 0 ? random.below(size) : Math.min(size - 1, a + random.below(12));
    return [a, b, Math.round(Math.exp(random.below(8)) * 10)];
  });
  return { size, list };
}
