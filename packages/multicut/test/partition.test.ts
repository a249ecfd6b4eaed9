import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logOdds, partition } from "../src/partition/partition.ts";
import { ids, permuted, type Row, randomRows, rows } from "./graphs.ts";
import { lightestPartition } from "./oracles/brute-force.ts";

const signed = fc.integer({ min: -9, max: 9 });

async function split(list: readonly Row[]) {
  const { edges, affinities } = rows(list);
  return partition({ edges, weights: affinities });
}

describe("a graph with signed weights", () => {
  test("comes apart where the weights say so, parts largest first", async () => {
    const list: Row[] = [
      [1, 2, 3],
      [2, 3, 3],
      [1, 3, -1],
      [3, 4, -2],
      [4, 5, 1],
    ];
    expect(await split(list)).toEqual({ parts: [ids(1, 2, 3), ids(4, 5)], edges: ids(3, 4), weight: -2 });
  });

  test("is parted as well as the best of all partitions, nearly always, and never worse than not at all", async () => {
    let optimal = 0;
    const runs = 200;
    await fc.assert(
      fc.asyncProperty(randomRows(8, 18, signed), async (list) => {
        const { weight, parts, edges } = await split(list);
        const best = lightestPartition(8, list);
        expect(weight).toBeGreaterThanOrEqual(best);
        expect(weight).toBeLessThanOrEqual(0);
        if (weight === best) optimal++;
        // The weight is that of the edges named, and those are the ones between parts.
        const partOf = new Map(parts.flatMap((part, p) => [...part].map((id) => [Number(id), p] as const)));
        const between = list.filter(([a, b]) => partOf.get(a) !== partOf.get(b));
        expect(weight).toBe(between.reduce((sum, [, , w]) => sum + w, 0));
        expect(edges.length / 2).toBe(new Set(between.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)).size);
      }),
      { numRuns: runs },
    );
    expect(optimal / runs).toBeGreaterThan(0.95);
  });

  test("ends where moving one vertex, or joining two parts, gains nothing", async () => {
    await fc.assert(
      fc.asyncProperty(randomRows(14, 50, signed), async (list) => {
        const { parts } = await split(list);
        const partOf = new Map(parts.flatMap((part, p) => [...part].map((id) => [Number(id), p] as const)));
        const pull = (v: number, p: number) =>
          list.reduce(
            (sum, [a, b, w]) =>
              sum + (a !== b && ((a === v && partOf.get(b) === p) || (b === v && partOf.get(a) === p)) ? w : 0),
            0,
          );
        for (const [v, own] of partOf) {
          for (let p = 0; p < parts.length; p++) if (p !== own) expect(pull(v, p)).toBeLessThanOrEqual(pull(v, own));
          expect(pull(v, own)).toBeGreaterThanOrEqual(0);
        }
        for (let p = 0; p < parts.length; p++) {
          for (let q = 0; q < p; q++) {
            expect(
              [...partOf].filter(([, own]) => own === q).reduce((sum, [v]) => sum + pull(v, p), 0),
            ).toBeLessThanOrEqual(0);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test("gives the same parts for rows in any order", async () => {
    const weight = fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constantFrom(1, -1, Infinity));
    await fc.assert(
      fc.asyncProperty(
        randomRows(10, 40, weight).chain((list) => fc.tuple(fc.constant(list), permuted(list))),
        async ([list, other]) => {
          expect(await split(other)).toEqual(await split(list));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("keeps every part connected and infinite edges whole", async () => {
    const { parts } = await split([
      [1, 2, Infinity],
      [2, 3, -5],
      [1, 3, -5],
      [4, 5, 1],
      [6, 7, 0],
    ]);
    expect(parts.map((part) => [...part])).toEqual([[1n, 2n], [4n, 5n], [3n], [6n], [7n]]);
  });

  test("that is large can be watched and stopped", async () => {
    const list = Array.from(
      { length: 200_000 },
      (_, i): Row => [i % 30_000, (i * 7919 + 13) % 30_000, ((i * 31) % 21) - 10],
    );
    const { edges, affinities: weights } = rows(list);
    const controller = new AbortController();
    const steps: string[] = [];
    const running = partition({
      edges,
      weights,
      signal: controller.signal,
      onProgress: ({ step, done, total }) => {
        steps.push(step);
        expect(done).toBeLessThanOrEqual(total);
        controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(steps).toHaveLength(1);
  });

  test("refuses weights that are no numbers, by place", async () => {
    const { edges } = rows([[1, 2, 1]]);
    await expect(partition({ edges, weights: Float64Array.of(Number.NaN) })).rejects.toThrow(
      /weights\[0\] is NaN \(edge 1–2\)/,
    );
    await expect(partition({ edges, weights: Float64Array.of(-Infinity) })).rejects.toThrow(
      /weights\[0\] is -Infinity/,
    );
    await expect(partition({ edges, weights: Float64Array.of(1, 2) })).rejects.toThrow(
      /weights has 2 values for 1 edges/,
    );
  });
});

describe("log odds", () => {
  test("are positive above the threshold, zero at it, and bounded", () => {
    const weights = logOdds(Float64Array.of(0, 0.2, 0.5, 1), 0.2);
    expect(weights[0]).toBeCloseTo(Math.log(1e-6) - Math.log(0.25), 4);
    expect(weights[1]).toBeCloseTo(0, 12);
    expect(weights[2]).toBeCloseTo(Math.log(4), 12);
    expect(weights[3]).toBeLessThan(16);
  });

  test("of what is no probability are refused", () => {
    expect(() => logOdds(Float64Array.of(0.5, 1.5))).toThrow(/probabilities\[1\] is 1.5/);
    expect(() => logOdds(Float64Array.of(0.5), 1)).toThrow(/threshold must be a number between 0 and 1/);
    expect(() => logOdds(Float64Array.of(0.5), "0.5" as unknown as number)).toThrow(/threshold must be .* got "0.5"/);
    expect(() => logOdds([0.5] as unknown as Float64Array)).toThrow(/probabilities must be .* got an array/);
  });
});
