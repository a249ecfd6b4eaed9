import type { Contraction } from "./contract.ts";
import { MulticutError } from "./errors.ts";
import { notInGraph, verticesOf } from "./labels.ts";
import { type Rejected, reject } from "./result.ts";

/** Solves are the price of each way round. */
const MAX_WAYS = 64;

/** Pairs of vertices of the pairs of ids, or why they cannot be parted. */
export function pairsToPart(contraction: Contraction, mustCut: BigUint64Array): [number, number][] | Rejected {
  const pairs: [number, number][] = [];
  for (let i = 0; i < mustCut.length; i += 2) {
    const ends: number[] = [];
    for (const id of mustCut.subarray(i, i + 2)) {
      const vertex = verticesOf(contraction, BigUint64Array.of(id));
      if (typeof vertex === "bigint") return notInGraph(vertex, "mustCut");
      ends.push(vertex[0]!);
    }
    const [a, b] = ends as [number, number];
    if (a === b) {
      return reject({
        code: "CONTRADICTION",
        detail:
          `mustCut asks to part ${mustCut[i]} from ${mustCut[i + 1]}, which infinite edges or mustJoin hold together. ` +
          "Drop the pair, or split the supervoxel.",
      });
    }
    if (!pairs.some(([x, y]) => x === Math.min(a, b) && y === Math.max(a, b)))
      pairs.push([Math.min(a, b), Math.max(a, b)]);
  }
  return pairs.sort(([a, b], [x, y]) => a - x || b - y);
}

/**
 * Every way to give the ends of each pair to two different groups, as groups with those ends added as labels: a pair whose
 * ends lie in a group already leaves fewer ways. A single group gets a second one, for the ends beyond it.
 *
 * @throws MulticutError `TOO_LARGE` beyond 64 ways.
 */
export function waysToPart(
  groups: readonly Int32Array[],
  pairs: readonly (readonly [number, number])[],
): Int32Array[][] {
  const count = pairs.length > 0 ? Math.max(groups.length, 2) : groups.length;
  const start = new Map<number, number>();
  for (const [g, labels] of groups.entries()) for (const v of labels) start.set(v, g);
  let ways = [start];
  for (const [a, b] of pairs) {
    ways = ways.flatMap((way) => {
      const options: Map<number, number>[] = [];
      for (let ga = 0; ga < count; ga++) {
        for (let gb = 0; gb < count; gb++) {
          if (ga === gb || (way.get(a) ?? ga) !== ga || (way.get(b) ?? gb) !== gb) continue;
          options.push(new Map(way).set(a, ga).set(b, gb));
        }
      }
      return options;
    });
    if (ways.length > MAX_WAYS) {
      throw new MulticutError(
        "TOO_LARGE",
        `mustCut leaves more than ${MAX_WAYS} ways to give its ${pairs.length} pairs to ${count} groups; ` +
          "name fewer pairs, or put their ends into groups",
        { pairs: pairs.length, groups: count, limit: MAX_WAYS },
      );
    }
  }
  return ways.map((way) =>
    Array.from({ length: count }, (_, g) =>
      Int32Array.from([...way].filter(([, group]) => group === g).map(([v]) => v)).sort(),
    ),
  );
}
