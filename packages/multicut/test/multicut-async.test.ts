import { expect, test } from "vitest";
import { multicut, multicutAsync } from "../src/multicut.ts";
import type { MulticutAsyncInput, MulticutInput } from "../src/settings.ts";
import { ids, type Row, rows } from "./graphs.ts";

/** A grid of 30 × 30 whose weights look random: 900 vertices, 1,740 edges. */
const SIDE = 30;
const GRID: Row[] = Array.from({ length: SIDE * SIDE }, (_, v): Row[] => [
  ...(v % SIDE < SIDE - 1 ? [[v, v + 1, 1 + ((v * 7919) % 31)] as const] : []),
  ...(v < SIDE * (SIDE - 1) ? [[v, v + SIDE, 1 + ((v * 104_729) % 29)] as const] : []),
]).flat();
const FIVE = [ids(32, 33), ids(55), ids(465), ids(835, 805), ids(865)];
const HARD: MulticutInput = { ...rows(GRID), groups: FIVE, explain: true, alternatives: 3, disallowIsolating: false };

test.each<[what: string, change: Partial<MulticutInput>, kind: string]>([
  ["five groups, explained, with alternatives", {}, "cut"],
  ["two groups", { groups: FIVE.slice(0, 2) }, "cut"],
  ["one group", { groups: FIVE.slice(0, 1) }, "cut"],
  ["direct mode", { mode: "direct" }, "cut"],
  ["a preview", { preview: true }, "preview"],
  ["pairs to part and to join", { groups: FIVE.slice(0, 2), mustCut: ids(305, 730), mustJoin: ids(5, 6) }, "cut"],
  ["a supervoxel that groups share", { groups: [ids(1), ids(1, 2)] }, "svSplitRequired"],
  ["a label that is not here", { groups: [ids(1), ids(99_999)] }, "rejected"],
])("gives the answer of multicut for %s", async (_, change, kind) => {
  const input = { ...HARD, ...change };
  const result = await multicutAsync(input);
  expect(result.kind).toBe(kind);
  expect(result).toEqual(multicut(input));
});

test("lets other events run while it works, and stops between solves when one of them aborts it", async () => {
  const controller = new AbortController();
  const long = { ...HARD, alternatives: 100 };
  let turns = 0;
  const watch = setInterval(() => {
    if (++turns === 2) controller.abort(new Error("enough"));
  }, 0);
  try {
    await expect(multicutAsync({ ...long, signal: controller.signal })).rejects.toThrow("enough");
  } finally {
    clearInterval(watch);
  }
  expect(turns).toBe(2);
});

test("does nothing for a signal that is aborted already", async () => {
  const signal = AbortSignal.abort(new Error("too late"));
  await expect(multicutAsync({ ...HARD, signal })).rejects.toThrow("too late");
});

test.each<[what: string, input: unknown, code: string, message: RegExp]>([
  ["no argument", undefined, "INVALID_INPUT", /argument of multicutAsync must be an object/],
  [
    "a signal that is none",
    { ...HARD, signal: {} },
    "INVALID_OPTION",
    /signal must be an AbortSignal, got a plain object/,
  ],
  ["a misspelt option", { ...HARD, singal: 1 }, "INVALID_OPTION", /multicutAsync has no option "singal"; .*, signal$/],
  ["an affinity below 0", { ...rows([[1, 2, -1]]), groups: FIVE }, "INVALID_AFFINITIES", /affinities\[0\] is -1/],
])("rejects %s by name", async (_, input, code, message) => {
  const expected = { name: "MulticutError", code, message: expect.stringMatching(message) };
  await expect(multicutAsync(input as MulticutAsyncInput)).rejects.toMatchObject(expected);
});

test("a signal is none of multicut's options, as nothing could abort a call that does not pause", () => {
  const input = { ...HARD, signal: new AbortController().signal };
  expect(() => multicut(input)).toThrow(/multicut has no option "signal"/);
});
