import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectedRows, cut, pairs, permuted, plain, type Row } from "./graphs.ts";
import { lightestCut } from "./oracles/brute-force.ts";

describe("for any connected graph", () => {
  const cases = fc.integer({ min: 4, max: 10 }).chain((size) =>
    fc.tuple(
      fc.constant(size),
      connectedRows(size, 16),
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, v) => v),
        { minLength: 4, maxLength: 4 },
      ),
    ),
  );

  test("rows in any order and labels in any order give the same answer, to the last bit", () => {
    const weight = fc.oneof(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), fc.constantFrom(0, 1, 2, Infinity));
    const any = connectedRows(10, 20, weight).chain((list) => fc.tuple(fc.constant(list), permuted(list)));
    fc.assert(
      fc.property(
        any,
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 4, maxLength: 6 }),
        (both, labels) => {
          const [a, b] = both.map((list, i) => {
            const groups = [labels.slice(0, 2), labels.slice(2)].map((group) =>
              i === 0 ? group : [...group].reverse(),
            );
            return plain(cut(list, groups, { preview: true, explain: true, alternatives: 2 }));
          });
          expect(b).toBe(a);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("contracting infinite edges beforehand changes nothing", () => {
    fc.assert(
      fc.property(cases, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), ([size, list, labels], joins) => {
        // Vertex v gets a twin v + 100 by an infinite edge; some rows go to the twin.
        const split = list.map(
          ([a, b, w], i): Row => [joins[i % 12] ? a + 100 : a, joins[(i + 5) % 12] ? b + 100 : b, w],
        );
        const infinite = Array.from({ length: size }, (_, v): Row => [v, v + 100, Infinity]);
        const groups = [labels.slice(0, 2), labels.slice(2)];
        const plainCut = cut(list, groups, { preview: true });
        const contracted = cut([...split, ...infinite], groups, { preview: true });
        expect(contracted.kind).toBe(plainCut.kind);
        if (plainCut.kind !== "preview" || contracted.kind !== "preview") return;
        expect(contracted.flow).toBe(plainCut.flow);
        expect(contracted.vertexCounts).toEqual(plainCut.vertexCounts);
        expect(contracted.parts.map((part) => part.filter((id) => id < 100n))).toEqual(plainCut.parts);
      }),
      { numRuns: 150 },
    );
  });

  test("a cut parts the groups, keeps each connected, names every edge between sides and no other", () => {
    fc.assert(
      fc.property(cases, ([, list, labels]) => {
        const groups = [labels.slice(0, 2), labels.slice(2)];
        const result = cut(list, groups);
        if (result.kind !== "cut") return;
        const removed = new Set(pairs(result));
        const left = list.filter(([a, b]) => !removed.has(`${Math.min(a, b)}-${Math.max(a, b)}`));
        const reached = flood(left, labels[0]!);
        expect(groups[0]!.every((v) => reached.has(v))).toBe(true);
        expect(groups[1]!.some((v) => reached.has(v))).toBe(false);
        expect(groups[1]!.every((v) => flood(left, labels[2]!).has(v))).toBe(true);
        // None of the removed edges is inside a side.
        for (const pair of removed) {
          const [a, b] = pair.split("-").map(Number) as [number, number];
          const side = (v: number) => result.sides[result.parts.findIndex((part) => part.includes(BigInt(v)))];
          expect(side(a)).not.toBe(side(b));
        }
        expect(result.flow).toBe(
          list.reduce(
            (sum, [a, b, w]) => sum + (removed.has(`${Math.min(a, b)}-${Math.max(a, b)}`) && a !== b ? w : 0),
            0,
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("with one label each the cut is the lightest there is", () => {
    fc.assert(
      fc.property(cases, ([size, list, labels]) => {
        const result = cut(list, [[labels[0]!], [labels[1]!]]);
        expect(result).toMatchObject({ kind: "cut", flow: lightestCut(size, list, [labels[0]!], [labels[1]!]).weight });
      }),
      { numRuns: 200 },
    );
  });

  test("a severed group in direct mode is never called a cut", () => {
    fc.assert(
      fc.property(cases, ([size, list, labels]) => {
        const groups = [labels.slice(0, 2), labels.slice(2)];
        const result = cut(list, groups, { mode: "direct", preview: true });
        if (result.kind !== "preview") throw new Error(plain(result));
        expect(result.flow).toBe(lightestCut(size, list, groups[0]!, groups[1]!).weight);
        const severed = groups.some((_, g) => result.labelCounts.filter((counts) => counts[g]! > 0).length > 1);
        expect(result.problems.some(({ code }) => code === "GROUP_SEVERED")).toBe(severed);
      }),
      { numRuns: 200 },
    );
  });
});

function flood(list: readonly Row[], start: number): Set<number> {
  const seen = new Set([start]);
  for (let size = 0; size !== seen.size; ) {
    size = seen.size;
    for (const [a, b] of list) {
      if (seen.has(a)) seen.add(b);
      if (seen.has(b)) seen.add(a);
    }
  }
  return seen;
}
