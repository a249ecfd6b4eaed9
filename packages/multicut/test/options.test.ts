import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { multicut } from "../src/multicut.ts";
import { connectedRows, ids, plain, type Row, rows } from "./graphs.ts";

const LINE: Row[] = [
  [1, 2, 5],
  [2, 3, 1],
  [3, 4, 2],
  [4, 5, 5],
];
const line = rows(LINE);
const ends = [ids(1), ids(5)];

describe("mustJoin", () => {
  test("moves the cut to the next weakest place", () => {
    expect(multicut({ ...line, groups: ends, mustJoin: ids(2, 3) })).toMatchObject({
      kind: "cut",
      edges: ids(3, 4),
      flow: 2,
    });
  });

  test("may join supervoxels that no edge connects", () => {
    expect(multicut({ ...line, groups: ends, mustJoin: ids(1, 3) })).toMatchObject({ kind: "cut", edges: ids(3, 4) });
  });

  test("that joins the groups is a contradiction, not a supervoxel split", () => {
    const result = multicut({ ...line, groups: ends, mustJoin: ids(1, 3, 3, 5) });
    expect(result).toMatchObject({ kind: "rejected", code: "CONTRADICTION", condition: "precondition" });
  });

  test("of a supervoxel that is not here is refused by name", () => {
    expect(multicut({ ...line, groups: ends, mustJoin: ids(2, 77) })).toMatchObject({
      code: "LABEL_NOT_IN_GRAPH",
      detail: expect.stringMatching(/77 of mustJoin/),
    });
  });
});

describe("mustCut", () => {
  test("parts a pair at the lightest place, whichever way round is lighter", () => {
    expect(multicut({ ...line, groups: ends, mustCut: ids(3, 4) })).toMatchObject({
      kind: "cut",
      edges: ids(3, 4),
      flow: 2,
    });
    expect(multicut({ ...line, groups: ends, mustCut: ids(4, 3) })).toMatchObject({
      kind: "cut",
      edges: ids(3, 4),
      flow: 2,
    });
    expect(multicut({ ...line, groups: ends, mustCut: ids(1, 3) })).toMatchObject({
      kind: "cut",
      edges: ids(2, 3),
      flow: 1,
    });
  });

  test("with a single group names what is not part of it", () => {
    expect(multicut({ ...line, groups: [ids(1)], mustCut: ids(3, 4) })).toMatchObject({
      kind: "cut",
      edges: ids(3, 4),
    });
  });

  test("of a pair in one group, or in one supervoxel, is a contradiction", () => {
    expect(multicut({ ...line, groups: [ids(1, 2), ids(5)], mustCut: ids(1, 2) })).toMatchObject({
      code: "CONTRADICTION",
    });
    expect(multicut({ ...line, groups: ends, mustCut: ids(2, 3), mustJoin: ids(2, 3) })).toMatchObject({
      code: "CONTRADICTION",
    });
    expect(multicut({ ...line, groups: ends, mustCut: ids(2, 2) })).toMatchObject({ code: "CONTRADICTION" });
  });

  test("is as light as the best of the two ways round, each asked for by labels", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(connectedRows(8, 16), labels, (list, [s, t, a, b]) => {
        const ask = (sources: number[], sinks: number[]) => {
          const result = multicut({
            ...rows(list),
            groups: [ids(...sources), ids(...sinks)],
            disallowIsolating: false,
          });
          return result.kind === "cut" ? result.flow : Infinity;
        };
        const best = Math.min(ask([s!, a!], [t!, b!]), ask([s!, b!], [t!, a!]));
        const result = multicut({
          ...rows(list),
          groups: [ids(s!), ids(t!)],
          mustCut: ids(a!, b!),
          disallowIsolating: false,
        });
        expect(result.kind === "cut" ? result.flow : Infinity).toBe(best);
      }),
      { numRuns: 150 },
    );
  });

  test("that leaves more than 64 ways is an error that says so", () => {
    const pairs = ids(...Array.from({ length: 14 }, (_, i) => i));
    const long = rows(Array.from({ length: 20 }, (_, i): Row => [i, i + 1, 1]));
    expect(() => multicut({ ...long, groups: [ids(19), ids(20)], mustCut: pairs })).toThrow(
      /more than 64 ways to give its 7 pairs to 2 groups/,
    );
  });
});

describe("an explanation", () => {
  test("names the paths of the groups and the edges that carry the flow, in its direction", () => {
    const list: Row[] = [
      [1, 2, 9],
      [2, 3, 4],
      [3, 2, 2],
      [2, 9, 1],
      [3, 4, 9],
      [3, 8, 7],
      [8, 4, 2],
    ];
    const result = multicut({ ...rows(list), groups: [ids(4, 8), ids(1)], explain: true, disallowIsolating: false });
    if (result.kind !== "cut") throw new Error(plain(result));
    expect(result.explanation!.trees).toEqual([ids(3, 4, 8), ids(1)]);
    // Parallel rows share what their edge carries; the loose end 9 carries nothing.
    expect(result.explanation!.flows).toEqual([{ from: 0, edges: ids(2, 1, 3, 2), amounts: Float64Array.of(6, 6) }]);
  });

  test("shows the edges of the cut full to the last bit, however the solver rounds", () => {
    const weight = fc.double({ min: 1e-6, max: 1000, noNaN: true });
    fc.assert(
      fc.property(connectedRows(8, 20, weight), (list) => {
        const result = multicut({ ...rows(list), groups: [ids(0), ids(7)], explain: true, disallowIsolating: false });
        if (result.kind !== "cut") throw new Error(plain(result));
        const { edges, amounts } = result.explanation!.flows[0]!;
        const name = (a: number | bigint, b: number | bigint) => (a < b ? `${a}-${b}` : `${b}-${a}`);
        const affinity = new Map<string, number>();
        // Parallel rows are added up as the answer adds them: ascending.
        for (const [a, b, w] of list.toSorted(([, , v], [, , w]) => v - w))
          affinity.set(name(a, b), (affinity.get(name(a, b)) ?? 0) + w);
        const carried = new Map(Array.from(amounts, (amount, i) => [name(edges[2 * i]!, edges[2 * i + 1]!), amount]));
        for (let i = 0; i < result.edges.length; i += 2) {
          const edge = name(result.edges[i]!, result.edges[i + 1]!);
          expect(carried.get(edge)).toBe(affinity.get(edge));
        }
        for (const [edge, amount] of carried) expect(amount).toBeLessThanOrEqual(affinity.get(edge)! * (1 + 1e-15));
      }),
      { numRuns: 200 },
    );
  });

  test("carries the whole flow out of the first group's tree and into the second's, and no edge more than it can", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(connectedRows(10, 30), labels, (list, [a, b, c, d]) => {
        const result = multicut({ ...rows(list), groups: [ids(a!, b!), ids(c!, d!)], explain: true, preview: true });
        if (result.kind !== "preview") return;
        const { trees, flows } = result.explanation!;
        const { edges, amounts } = flows[0]!;
        const capacity = new Map<string, number>();
        for (const [x, y, w] of list)
          if (x !== y)
            capacity.set(
              `${Math.min(x, y)}-${Math.max(x, y)}`,
              (capacity.get(`${Math.min(x, y)}-${Math.max(x, y)}`) ?? 0) + w,
            );
        let [out, into] = [0, 0];
        const balance = new Map<bigint, number>();
        for (const [i, amount] of amounts.entries()) {
          const [from, to] = [edges[2 * i]!, edges[2 * i + 1]!];
          const key = from < to ? `${from}-${to}` : `${to}-${from}`;
          expect(amount).toBeGreaterThan(0);
          expect(amount).toBeLessThanOrEqual(capacity.get(key)! + 1e-9);
          balance.set(from, (balance.get(from) ?? 0) - amount);
          balance.set(to, (balance.get(to) ?? 0) + amount);
        }
        for (const [v, net] of balance) {
          if (trees[0]!.includes(v)) out -= net;
          else if (trees[1]!.includes(v)) into += net;
          else expect(net).toBeCloseTo(0, 9);
        }
        expect(out).toBeCloseTo(result.flow, 9);
        expect(into).toBeCloseTo(result.flow, 9);
      }),
      { numRuns: 150 },
    );
  });
});

describe("alternatives", () => {
  test("of a line are its other edges, lightest first", () => {
    const result = multicut({ ...line, groups: ends, alternatives: 3 });
    if (result.kind !== "cut") throw new Error(plain(result));
    expect(result.alternatives!.map(({ flow, edges }) => [flow, ...edges])).toEqual([
      [2, 3n, 4n],
      [5, 1n, 2n],
      [5, 4n, 5n],
    ]);
  });

  test("are distinct, legal and no lighter than the cut", () => {
    const labels = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(connectedRows(10, 30), labels, (list, [a, b, c, d]) => {
        const result = multicut({ ...rows(list), groups: [ids(a!, b!), ids(c!, d!)], alternatives: 3 });
        if (result.kind !== "cut") return;
        const all = [result, ...result.alternatives!];
        expect(new Set(all.map(({ edges }) => edges.join())).size).toBe(all.length);
        expect(all.map(({ flow }) => flow)).toEqual(all.map(({ flow }) => flow).sort((x, y) => x - y));
        for (const { parts } of all) {
          expect([a!, b!].every((v) => parts[0]!.includes(BigInt(v)))).toBe(true);
          expect([c!, d!].every((v) => parts[1]!.includes(BigInt(v)))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
