import fc from "fast-check";
import { expect, test } from "vitest";
import { contract } from "../src/contract.ts";
import { permuted, type Row, randomRows, rows } from "./graphs.ts";

function contractRows(list: readonly Row[]) {
  const { edges, affinities } = rows(list);
  return contract(edges, affinities);
}

function edgesOf(list: readonly Row[]): [bigint, bigint, number][] {
  const { graph, reps } = contractRows(list);
  return Array.from(graph.lower, (a, e) => [reps[a]!, reps[graph.upper[e]!]!, graph.capacities[e]!]);
}

test("the representative of a chain of infinite edges is its smallest supervoxel", () => {
  const { reps, ids, vertexOf } = contractRows([
    [9, 4, Infinity],
    [4, 7, Infinity],
    [7, 1, 5],
  ]);
  expect([...reps]).toEqual([1n, 4n]);
  expect(Object.fromEntries(Array.from(ids, (id, i) => [String(id), reps[vertexOf[i]!]]))).toEqual({
    "1": 1n,
    "4": 4n,
    "7": 4n,
    "9": 4n,
  });
});

test("duplicate and reversed infinite edges contract once", () => {
  const { reps, members, memberOffsets, ids } = contractRows([
    [1, 2, Infinity],
    [2, 1, Infinity],
    [1, 2, Infinity],
    [2, 3, 1],
  ]);
  expect([...reps]).toEqual([1n, 3n]);
  expect(Array.from(members.subarray(memberOffsets[0], memberOffsets[1]), (m) => ids[m])).toEqual([1n, 2n]);
});

test("two components of infinite edges stay two", () => {
  expect([
    ...contractRows([
      [1, 2, Infinity],
      [3, 4, Infinity],
      [2, 3, 1],
    ]).reps,
  ]).toEqual([1n, 3n]);
});

test("a finite edge inside a vertex is tolerated: it counts as a row and is no edge", () => {
  const { finiteRows, graph } = contractRows([
    [1, 2, Infinity],
    [1, 2, 5],
    [3, 3, 4],
  ]);
  expect(finiteRows).toBe(2);
  expect(graph.lower.length).toBe(0);
});

test("parallel rows add up, reversed ones too, also those that contraction makes parallel", () => {
  expect(
    edgesOf([
      [1, 2, 1],
      [2, 1, 2],
      [1, 2, 4],
    ]),
  ).toEqual([[1n, 2n, 7]]);
  expect(
    edgesOf([
      [1, 2, Infinity],
      [1, 3, 5],
      [3, 2, 6],
    ]),
  ).toEqual([[1n, 3n, 11]]);
});

test("the strongest of parallel rows sets the length of a path along them", () => {
  const { graph } = contractRows([
    [1, 2, 1],
    [2, 1, 3],
    [1, 2, 2],
  ]);
  expect([...graph.strongest]).toEqual([3, 3]);
});

test("ids of all 64 bits keep apart", () => {
  const edges = BigUint64Array.of(2n ** 64n - 1n, 2n ** 64n - 2n, 2n ** 32n, 1n, 1n, 2n ** 64n - 1n, 0n, 2n ** 63n);
  const { ids } = contract(edges, Float64Array.of(1, 1, 1, 1));
  expect([...ids]).toEqual([0n, 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n]);
});

test("a list that grows the table of ids many times over is numbered by rank", () => {
  const count = 60_000;
  const scrambled = BigUint64Array.from(
    { length: count },
    (_, i) => (BigInt(Math.imul(i, 0x9e3779b1) >>> 0) << 20n) + 5n,
  );
  const edges = new BigUint64Array(2 * count);
  for (let i = 0; i < count; i++) {
    edges[2 * i] = scrambled[i]!;
    edges[2 * i + 1] = scrambled[(i + 1) % count]!;
  }
  const { ids, ends } = contract(edges, new Float64Array(count).fill(1));
  expect([...ids]).toEqual([...scrambled].sort((a, b) => (a < b ? -1 : 1)));
  expect(ends.every((rank, i) => ids[rank] === edges[i])).toBe(true);
});

test("a hub with thousands of neighbours keeps each weight with its neighbour", () => {
  const list = Array.from({ length: 5000 }, (_, i): Row => [0, ((i * 2741) % 5000) + 1, i]);
  expect(edgesOf(list)).toEqual(
    list.map(([, b, w]): [bigint, bigint, number] => [0n, BigInt(b), w]).sort((x, y) => Number(x[1] - y[1])),
  );
});

test("order and direction of rows do not show, sums of many parallel rows included", () => {
  const weight = fc.oneof(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), fc.constant(Infinity));
  fc.assert(
    fc.property(
      randomRows(6, 40, weight).chain((list) => fc.tuple(fc.constant(list), permuted(list))),
      ([list, other]) => {
        const [a, b] = [list, other].map((some) => {
          const { ends: _, ...rest } = contractRows(some);
          return rest;
        });
        expect(b).toEqual(a);
      },
    ),
  );
});

test("the graph is its own mirror: each arc's twin leads back along the same edge", () => {
  fc.assert(
    fc.property(randomRows(8, 30), (list) => {
      const { graph } = contractRows(list);
      for (let v = 0; v < graph.size; v++) {
        for (let a = graph.offsets[v]!; a < graph.offsets[v + 1]!; a++) {
          const u = graph.heads[a]!;
          const dart = graph.darts[a]!;
          const twin = graph.darts.indexOf(dart ^ 1);
          expect(graph.heads[twin]).toBe(v);
          expect(twin >= graph.offsets[u]! && twin < graph.offsets[u + 1]!).toBe(true);
          expect([graph.lower[dart >> 1], graph.upper[dart >> 1]]).toEqual(dart % 2 === 0 ? [v, u] : [u, v]);
          if (a > graph.offsets[v]!) expect(graph.heads[a]).toBeGreaterThan(graph.heads[a - 1]!);
        }
      }
    }),
  );
});
