import { Random } from "@pcg/testkit";
import { describe, expect, test } from "vitest";
import { multicut } from "../src/multicut.ts";
import { plain, type Row } from "./graphs.ts";
import { type Answer, answerBySpecification, type Question } from "./oracles/specification.ts";

/** Numbers without ties, for paths; whole ones with plenty, for cuts. */
const WEIGHTS: Record<Question["mode"], ((random: Random) => number)[]> = {
  augmented: [
    (random) => Math.exp(random.below(6)) * (1 + random.uint32() / 2 ** 32),
    (random) => (random.below(5) === 0 ? Infinity : Math.exp(random.below(4)) * (1 + random.uint32() / 2 ** 32)),
  ],
  direct: [
    (random) => random.below(4),
    (random) => (random.below(4) === 0 ? Infinity : random.below(5)),
    (random) => random.pick([-0, 0, 1, 2]),
  ],
};

/** Ids that ascend with the vertices: from 0, across 2^32 and 2^63, and up to 2^64 − 1. */
const FIRST_IDS = [0n, 2n ** 32n - 4n, 2n ** 63n - 4n, 2n ** 64n - 11n];

function randomQuestion(random: Random, mode: Question["mode"]): Question {
  const size = random.between(3, 11);
  const weigh = random.pick(WEIGHTS[mode]);
  const rows: Row[] = [];
  if (random.below(2) > 0)
    for (let v = 1; v < size; v++) rows.push([Math.max(0, v - random.between(1, 3)), v, weigh(random)]);
  for (let more = random.below(random.pick([4, size, 2 * size])); more >= 0; more--)
    rows.push([random.below(size), random.below(size), weigh(random)]);
  const label = () => random.below(size);
  const groups = [0, 1].map(() => (random.below(2) === 0 ? [label()] : [label(), label()]));
  return { size, rows, groups, mode, disallowIsolating: random.below(2) === 0 };
}

describe.each(["augmented", "direct"] as const)("in %s mode", (mode) => {
  test("the answer is the specification's, letter by letter, on 2000 small graphs", () => {
    const random = new Random(mode === "direct" ? 5 : 1);
    const seen = new Set<string>();
    for (let run = 0; run < 2000; run++) {
      const question = randomQuestion(random, mode);
      const expected = answerBySpecification(question);
      if (expected === undefined) continue;
      seen.add("code" in expected ? expected.code : "cut");
      const first = random.pick(FIRST_IDS);
      const toIds = (list: readonly number[]) => BigUint64Array.from(list, (v) => first + BigInt(v));
      const { rows, groups, disallowIsolating } = question;
      const result = multicut({
        edges: toIds(rows.flatMap((row) => row.slice(0, 2))),
        affinities: Float64Array.from(rows, ([, , w]) => w),
        groups: groups.map(toIds),
        mode,
        disallowIsolating,
        svSplit: "never",
      });
      const context = `${run}: ${JSON.stringify(question)}`;
      if ("code" in expected) {
        expect(result, context).toMatchObject({ kind: "rejected", code: expected.code });
        continue;
      }
      if (result.kind !== "cut") throw new Error(`${context} ${plain(result)}`);
      const back = (ids: BigUint64Array) => Array.from(ids, (id) => Number(id - first));
      const got: Answer = {
        flow: result.flow,
        edges: Array.from(
          { length: result.edges.length / 2 },
          (_, i) => back(result.edges.subarray(2 * i, 2 * i + 2)) as [number, number],
        ),
        parts: result.parts.map(back),
        sides: [...result.sides],
      };
      expect(got, context).toEqual({ ...expected, flow: expect.closeTo(expected.flow, 6) });
    }
    const shared = ["cut", "LABEL_NOT_IN_GRAPH", "SHARED_SUPERVOXEL", "NOT_CONNECTED", "ISOLATING_CUT"];
    const own = mode === "augmented" ? ["BLOCKED_BY_LABELS", "PATHS_OVERLAP", "EMPTY_CUT"] : ["GROUP_SEVERED"];
    for (const answer of [...shared, ...own]) expect(seen).toContain(answer);
  });
});
