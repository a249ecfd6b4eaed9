import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import { joinNearestPieces } from "../../src/ingest/nearest-pieces.ts";
import { UnionFind } from "../../src/union-find.ts";

function squaredDistance(points: Float64Array, a: number, b: number): number {
  return [0, 1, 2].reduce((sum, axis) => sum + (points[3 * a + axis]! - points[3 * b + axis]!) ** 2, 0);
}

/** Kruskal over all pairs. */
function naiveJoins(points: Float64Array, pieces: Uint32Array, pieceCount: number): number[] {
  const pairs: [number, number][] = [];
  for (let a = 0; a < pieces.length; a++) for (let b = a + 1; b < pieces.length; b++) pairs.push([a, b]);
  pairs.sort((p, q) => squaredDistance(points, ...p) - squaredDistance(points, ...q) || p[0] - q[0] || p[1] - q[1]);
  const groups = new UnionFind(pieceCount);
  return pairs.filter(([a, b]) => groups.union(pieces[a]!, pieces[b]!)).map(([a, b]) => a * 2 ** 20 + b);
}

function packed(joins: Uint32Array): number[] {
  return Array.from({ length: joins.length / 2 }, (_, i) => joins[2 * i]! * 2 ** 20 + joins[2 * i + 1]!).sort(
    (a, b) => a - b,
  );
}

test("joins are the minimum spanning tree between pieces, also where distances are equal", () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const count = random.between(2, 60);
    const pieceCount = random.between(1, count);
    // Few distinct coordinates, so that many distances are equal and some points coincide.
    const points = Float64Array.from({ length: 3 * count }, () => random.below(random.pick([2, 5, 1000])));
    const pieces = Uint32Array.from({ length: count }, (_, i) => (i < pieceCount ? i : random.below(pieceCount)));
    const joins = joinNearestPieces(points, pieces, pieceCount);
    expect(packed(joins)).toEqual(naiveJoins(points, pieces, pieceCount).sort((a, b) => a - b));
  }
});

test("one piece needs no joins", () => {
  expect(joinNearestPieces(Float64Array.of(1, 2, 3, 4, 5, 6), Uint32Array.of(0, 0), 1)).toEqual(new Uint32Array(0));
});

test("a label with 40,000 pieces is joined in seconds", () => {
  const random = new Random(2);
  const count = 80_000;
  const points = Float64Array.from({ length: 3 * count }, () => random.below(1 << 16));
  const pieces = Uint32Array.from({ length: count }, (_, i) => (i < 40_000 ? i : random.below(10)));
  const started = performance.now();
  expect(joinNearestPieces(points, pieces, 40_000).length).toBe(2 * 39_999);
  expect(performance.now() - started).toBeLessThan(15_000);
});
