import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/graph.ts";
import { connectLabels } from "../src/seed-tree.ts";
import { seedTrees } from "../src/seed-trees.ts";
import { connectedRows, graphOf, type Row, randomRows } from "./graphs.ts";

const EPSILON = 2 ** -52;

describe("the tree of one group", () => {
  test("is a minimum spanning tree over the shortest paths of all pairs of labels", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(connectedRows(10, 20), labels, (list, chosen) => {
        const tree = connectLabels(graphOf(10, list), Int32Array.from(chosen), new Uint8Array(10))!;
        const closure = shortestPaths(10, list);
        const expected = spanningTree(chosen, closure).sort((a, b) => a - b);
        expect(tree.lengths).toHaveLength(expected.length);
        for (const [i, length] of expected.entries()) expect(tree.lengths[i]).toBeCloseTo(length, 12);
      }),
      { numRuns: 300 },
    );
  });

  test("connects exactly the labels that have a way around blocked vertices", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 5, maxLength: 7 });
    fc.assert(
      fc.property(randomRows(10, 16), labels, (list, chosen) => {
        const [own, blocked] = [chosen.slice(0, 3), chosen.slice(3)];
        const mask = Uint8Array.from({ length: 10 }, (_, v) => Number(blocked.includes(v)));
        const tree = connectLabels(graphOf(10, list), Int32Array.from(own), mask);
        const closure = shortestPaths(
          10,
          list.filter(([a, b]) => mask[a] === 0 && mask[b] === 0),
        );
        expect(tree !== undefined).toBe(own.every((v) => closure[own[0]!]![v]! < Infinity));
        expect(tree?.vertices.some((v) => mask[v] === 1) ?? false).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("goes by the strongest of parallel rows, as separate rows would", () => {
    // Three rows of 1 add up to 3, but each is a length of 1; the way by 2 has 2 · 1/2.5.
    const list: Row[] = [
      [0, 1, 1],
      [1, 0, 1],
      [0, 1, 1],
      [0, 2, 2.5],
      [2, 1, 2.5],
    ];
    expect([...connectLabels(graphOf(3, list), Int32Array.of(0, 1), new Uint8Array(3))!.vertices]).toEqual([0, 1, 2]);
  });

  test("may cross an affinity of 0 where there is no other way", () => {
    const tree = connectLabels(
      graphOf(3, [
        [0, 1, 0],
        [1, 2, 1],
      ]),
      Int32Array.of(0, 2),
      new Uint8Array(3),
    )!;
    expect([...tree.vertices]).toEqual([0, 1, 2]);
    expect(tree.lengths[0]).toBe(1 / EPSILON + 1);
  });

  test("of hundreds of labels on a grid is found in one search", () => {
    const side = 40;
    const list: Row[] = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        if (x + 1 < side) list.push([y * side + x, y * side + x + 1, 1 + ((x * 7 + y) % 5)]);
        if (y + 1 < side) list.push([y * side + x, y * side + side + x, 1 + ((x + y * 3) % 5)]);
      }
    }
    const labels = Int32Array.from({ length: 400 }, (_, i) => 4 * i + ((i / 10) & 3));
    const tree = connectLabels(graphOf(side * side, list), labels, new Uint8Array(side * side))!;
    expect(tree.lengths).toHaveLength(399);
    expect(tree.edges.length).toBe(tree.vertices.length - 1);
  });
});

describe("the trees of several groups", () => {
  test("are disjoint and connected, or the group in the way is named", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 6, maxLength: 6 });
    const seen = new Set<string>();
    fc.assert(
      fc.property(randomRows(10, 24), labels, (list, chosen) => {
        const groups = [chosen.slice(0, 2), chosen.slice(2, 4), chosen.slice(4)].map((group) => Int32Array.from(group));
        const planted = seedTrees(graphOf(10, list), groups);
        seen.add(planted.kind);
        const closure = shortestPaths(10, list);
        if (planted.kind === "notConnected") {
          const [a, b] = groups[planted.group]! as unknown as [number, number];
          expect(closure[a]![b]).toBe(Infinity);
        }
        if (planted.kind === "blocked") expect(planted.by.length).toBeGreaterThan(0);
        if (planted.kind !== "trees") return;
        const all = planted.trees.flatMap(({ vertices }) => [...vertices]);
        expect(new Set(all).size).toBe(all.length);
        for (const [g, { vertices }] of planted.trees.entries()) {
          expect(groups[g]!.every((v) => vertices.includes(v))).toBe(true);
          const inside = shortestPaths(
            10,
            list.filter(([a, b]) => vertices.includes(a) && vertices.includes(b)),
          );
          expect([...vertices].every((v) => inside[vertices[0]!]![v]! < Infinity)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
    expect(seen).toContain("trees");
    expect(seen).toContain("blocked");
  });
});

const PAIR = graphOf(2, [[0, 1, 1]]);

test.each<[what: string, graph: unknown, groups: unknown, message: RegExp]>([
  [
    "a vertex that is not there",
    PAIR,
    [Int32Array.of(0), Int32Array.of(99)],
    /groups\[1\] names vertex 99, but .* 0 to 1/,
  ],
  ["a vertex below 0", PAIR, [Int32Array.of(-1)], /groups\[0\] names vertex -1/],
  [
    "groups that share a vertex",
    PAIR,
    [Int32Array.of(1), Int32Array.of(1)],
    /groups\[1\] .* vertex 1, which groups\[0\]/,
  ],
  ["a vertex twice", PAIR, [Int32Array.of(1, 1)], /groups\[0\] names vertex 1, which it names already/],
  ["an empty group", PAIR, [Int32Array.of()], /groups\[0\] must be an Int32Array of vertices, got an empty one/],
  ["a group that is a plain array", PAIR, [[0]], /groups\[0\] must be an Int32Array of vertices, got an array/],
  ["no groups", PAIR, [], /one or more Int32Array, got an empty array/],
  ["no graph", undefined, [Int32Array.of(0)], /graph must be the `graph` of a Contraction, got undefined/],
])("seedTrees refuses %s", (_, graph, groups, message) => {
  const call = () => seedTrees(graph as Graph, groups as Int32Array[]);
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ name: "MulticutError" }));
});

/** Floyd and Warshall over lengths 1 / (affinity + 2^-52). */
function shortestPaths(size: number, list: readonly Row[]): number[][] {
  const d = Array.from({ length: size }, (_, a) => Array.from({ length: size }, (__, b) => (a === b ? 0 : Infinity)));
  for (const [a, b, w] of list) {
    const length = 1 / (w + EPSILON);
    if (a !== b && length < d[a]![b]!) d[a]![b] = d[b]![a] = length;
  }
  for (let k = 0; k < size; k++) {
    for (let a = 0; a < size; a++) for (let b = 0; b < size; b++) d[a]![b] = Math.min(d[a]![b]!, d[a]![k]! + d[k]![b]!);
  }
  return d;
}

/** Prim's edge lengths over a complete graph. */
function spanningTree(labels: readonly number[], d: readonly (readonly number[])[]): number[] {
  const inside = [labels[0]!];
  const lengths: number[] = [];
  while (inside.length < labels.length) {
    const outside = labels.filter((v) => !inside.includes(v));
    const next = outside.reduce((best, v) => (reach(v) < reach(best) ? v : best));
    lengths.push(reach(next));
    inside.push(next);
  }
  return lengths;

  function reach(v: number): number {
    return Math.min(...inside.map((u) => d[u]![v]!));
  }
}
