import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Assignment } from "../src/assignment.ts";
import { weighSides } from "../src/assignment.ts";
import type { Graph } from "../src/graph.ts";
import { multicut } from "../src/multicut.ts";
import { multiwayCut } from "../src/multiway-cut.ts";
import { run } from "../src/steps.ts";
import { connectedRows, graphOf, ids, permuted, plain, type Row, rows } from "./graphs.ts";
import { lightestMultiwayCut } from "./oracles/brute-force.ts";

/** A graph of up to 8 vertices and k of them as terminals. */
const cases = fc.integer({ min: 5, max: 8 }).chain((size) =>
  fc.tuple(
    fc.constant(size),
    connectedRows(size, 14),
    fc.shuffledSubarray(
      Array.from({ length: size }, (_, v) => v),
      { minLength: 3, maxLength: 4 },
    ),
  ),
);

function solve(graph: Graph, terminals: readonly Int32Array[]): Assignment {
  return run(multiwayCut(graph, terminals));
}

describe("three and more groups", () => {
  test("are parted within 2 − 2/k of the lightest cut, and the certificate is true", () => {
    let exact = 0;
    let runs = 0;
    fc.assert(
      fc.property(cases, ([size, list, terminals]) => {
        const groups = terminals.map((v) => [v]);
        const { side, flow, lowerBound, guarantee } = solve(
          graphOf(size, list),
          groups.map((g) => Int32Array.from(g)),
        );
        const best = lightestMultiwayCut(size, list, groups);
        expect(terminals.map((v) => side[v])).toEqual(terminals.map((_, g) => g));
        expect(flow).toBe(weighSides(graphOf(size, list), side));
        expect(guarantee).toBe(2 - 2 / terminals.length);
        expect(lowerBound).toBeLessThanOrEqual(best);
        expect(flow).toBeLessThanOrEqual(guarantee * lowerBound);
        expect(flow).toBeGreaterThanOrEqual(best);
        runs++;
        if (flow === best) exact++;
      }),
      { numRuns: 300 },
    );
    // The improvement is worth its while: nearly all small cases end at the optimum.
    expect(exact / runs).toBeGreaterThan(0.95);
  });

  test("the classic bad case of the isolation heuristic is improved", () => {
    // A ring of k corners with spokes: isolating each corner costs 2, cutting the ring k.
    const list: Row[] = [
      [0, 3, 1.99],
      [1, 4, 1.99],
      [2, 5, 1.99],
      [3, 4, 1],
      [4, 5, 1],
      [5, 3, 1],
    ];
    const { flow, lowerBound } = solve(graphOf(6, list), [Int32Array.of(0), Int32Array.of(1), Int32Array.of(2)]);
    expect(flow).toBe(3);
    expect(lowerBound).toBeCloseTo(2.985, 12);
  });

  test("stay connected, each on its own, whatever the order of rows", () => {
    const labelled = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 6, maxLength: 6 });
    const any = connectedRows(10, 25).chain((list) => fc.tuple(fc.constant(list), permuted(list)));
    fc.assert(
      fc.property(any, labelled, ([list, other], labels) => {
        const groups = [0, 2, 4].map((i) => ids(labels[i]!, labels[i + 1]!));
        const result = multicut({ ...rows(list), groups, disallowIsolating: false });
        expect(plain(multicut({ ...rows(other), groups, disallowIsolating: false }))).toBe(plain(result));
        if (result.kind !== "cut") return;
        for (const [g, group] of groups.entries()) {
          expect([...group].every((id) => result.parts[g]!.includes(id))).toBe(true);
          expect(result.sides[g]).toBe(g);
        }
        expect(result.certificate.ratio).toBeLessThanOrEqual(result.certificate.guarantee + 1e-12);
      }),
      { numRuns: 150 },
    );
  });

  test("three blobs on a hub are cut at their necks", () => {
    const blob = (at: number): Row[] => [
      [at, at + 1, 9],
      [at + 1, at + 2, 9],
      [at, at + 2, 9],
      [at + 2, 0, 1 + at / 100],
    ];
    const result = multicut({ ...rows([...blob(10), ...blob(20), ...blob(30)]), groups: [ids(10), ids(20), ids(30)] });
    // The hub stays with the dearest neck.
    expect(result).toMatchObject({
      kind: "cut",
      edges: ids(0, 12, 0, 22),
      parts: [ids(10, 11, 12), ids(20, 21, 22), ids(0, 30, 31, 32)],
    });
    expect(result).toMatchObject({ certificate: { guarantee: expect.closeTo(4 / 3, 12) } });
  });

  test("groups that share a supervoxel are all named", () => {
    const result = multicut({
      ...rows([
        [1, 2, 1],
        [2, 3, 1],
      ]),
      groups: [ids(1), ids(1, 2), ids(1, 3)],
    });
    expect(result).toMatchObject({ kind: "svSplitRequired", reps: [{ rep: 1n, groups: [0, 1, 2] }] });
  });

  test("explanations give one flow per group, each as heavy as its isolating cut", () => {
    const list: Row[] = [
      [0, 1, 3],
      [0, 2, 4],
      [0, 3, 5],
    ];
    const result = multicut({ ...rows(list), groups: [ids(1), ids(2), ids(3)], explain: true });
    if (result.kind !== "cut") throw new Error(plain(result));
    const flows = result.explanation!.flows.map(({ from, edges, amounts }) => {
      const own = BigInt(from + 1);
      const out = amounts.reduce((sum, amount, i) => sum + (edges[2 * i] === own ? amount : 0), 0);
      const into = amounts.reduce((sum, amount, i) => sum + (edges[2 * i + 1] !== 0n ? amount : 0), 0);
      return [from, out, into];
    });
    expect(flows).toEqual([
      [0, 3, 3],
      [1, 4, 4],
      [2, 5, 5],
    ]);
  });
});

describe("a single group", () => {
  const neck: Row[] = [];
  for (let at = 0; at < 200; at += 100) {
    for (let i = 0; i < 12; i++)
      for (let step = 1; step < 4; step++) neck.push([at + i, at + ((i + step) % 12), 5 + ((i * step) % 7)]);
  }
  neck.push([3, 104, 1], [4, 105, 1]);

  test("is cut out at the neck", () => {
    const result = multicut({ ...rows(neck), groups: [ids(7)] });
    expect(result).toMatchObject({ kind: "cut", edges: ids(3, 104, 4, 105), flow: 2, sides: [0, 1] });
    expect(result).toMatchObject({ vertexCounts: [12, 12], labelCounts: [[1], [0]] });
  });

  test("takes its explanation and alternatives along", () => {
    const result = multicut({ ...rows(neck), groups: [ids(7, 2)], explain: true, alternatives: 2 });
    if (result.kind !== "cut") throw new Error(plain(result));
    expect(result.explanation!.flows).toHaveLength(1);
    expect(result.alternatives!.every(({ flow }) => flow >= result.flow)).toBe(true);
  });

  test("with nothing beyond it there is nothing to cut", () => {
    expect(
      multicut({
        ...rows([
          [1, 2, 1],
          [8, 9, 1],
        ]),
        groups: [ids(1, 2)],
      }),
    ).toMatchObject({ code: "EMPTY_CUT" });
  });
});
