import { expect, test } from "vitest";
import { type Contraction, contract } from "../src/contract.ts";
import { isMulticutError } from "../src/errors.ts";
import { verticesOf } from "../src/labels.ts";
import { multicut } from "../src/multicut.ts";
import { type PartitionInput, partition } from "../src/partition/partition.ts";
import type { MulticutInput } from "../src/settings.ts";
import { ids, type Row, rows } from "./graphs.ts";

const GOOD: MulticutInput = {
  ...rows([
    [1, 2, 5],
    [2, 3, 1],
  ]),
  groups: [ids(1), ids(3)],
};

const BAD: [what: string, change: Record<string, unknown>, code: string, message: RegExp][] = [
  ["an odd number of ids", { edges: ids(1, 2, 3) }, "INVALID_EDGES", /edges has 3 ids, an odd number/],
  ["edges as numbers", { edges: [1, 2] }, "INVALID_EDGES", /edges must be a BigUint64Array.*got an array/],
  ["signed ids", { edges: new BigInt64Array(4) }, "INVALID_EDGES", /got a BigInt64Array/],
  [
    "too few affinities",
    { affinities: Float64Array.of(1) },
    "INVALID_AFFINITIES",
    /affinities has 1 values for 2 edges \(edges has 4 ids\)/,
  ],
  [
    "affinities of another kind",
    { affinities: [1, 2] },
    "INVALID_AFFINITIES",
    /must be a Float64Array or Float32Array, got an array/,
  ],
  [
    "a NaN",
    { affinities: Float64Array.of(1, Number.NaN) },
    "INVALID_AFFINITIES",
    /affinities\[1\] is NaN \(edge 2–3\)/,
  ],
  [
    "a negative affinity",
    { affinities: Float32Array.of(-1, 1) },
    "INVALID_AFFINITIES",
    /affinities\[0\] is -1 \(edge 1–2\)/,
  ],
  [
    "minus infinity",
    { affinities: Float64Array.of(1, -Infinity) },
    "INVALID_AFFINITIES",
    /affinities\[1\] is -Infinity/,
  ],
  [
    "an affinity too large to add up",
    { affinities: Float64Array.of(1, 1e300) },
    "INVALID_AFFINITIES",
    /is 1e\+300 .* from 1e-200 to 1e\+200/,
  ],
  ["an affinity too small to divide by", { affinities: Float64Array.of(1, 5e-324) }, "INVALID_AFFINITIES", /is 5e-324/],
  ["no groups", { groups: [] }, "INVALID_GROUPS", /one or more BigUint64Array, got an empty array/],
  ["an empty group", { groups: [ids(1), ids()] }, "INVALID_GROUPS", /groups\[1\] is empty/],
  [
    "a group of numbers",
    { groups: [ids(1), [3]] },
    "INVALID_GROUPS",
    /groups\[1\] must be a BigUint64Array, got an array/,
  ],
  ["an unknown mode", { mode: "fast" }, "INVALID_OPTION", /mode must be "augmented" or "direct", got "fast"/],
  ["a flag that is none", { disallowIsolating: 1 }, "INVALID_OPTION", /disallowIsolating must be true or false, got 1/],
  [
    "half an alternative",
    { alternatives: 0.5 },
    "INVALID_OPTION",
    /alternatives must be a whole number from 0 to 100, got 0.5/,
  ],
  ["an odd mustCut", { mustCut: ids(1) }, "INVALID_PAIRS", /mustCut has 1 ids/],
  ["an unknown svSplit", { svSplit: true }, "INVALID_OPTION", /svSplit must be .* got true/],
  ["a mode that is a bigint", { mode: 3n }, "INVALID_OPTION", /mode must be .* got 3n/],
  ["an svSplit that is a symbol", { svSplit: Symbol("a") }, "INVALID_OPTION", /svSplit must be .* got Symbol\(a\)/],
  ["a misspelt option", { disalowIsolating: false }, "INVALID_OPTION", /multicut has no option "disalowIsolating"/],
  ["null for a mode", { mode: null }, "INVALID_OPTION", /mode must be .* got null/],
  ["null for a flag", { disallowIsolating: null }, "INVALID_OPTION", /disallowIsolating must be .* got null/],
  ["null for alternatives", { alternatives: null }, "INVALID_OPTION", /alternatives must be .* got null/],
  ["null for pairs", { mustJoin: null }, "INVALID_PAIRS", /mustJoin must be .* got null/],
  [
    "edges and affinities that were sent away",
    { edges: sent(ids(1, 2)), affinities: sent(Float64Array.of(1)) },
    "INVALID_EDGES",
    /edges is a BigUint64Array whose buffer was transferred/,
  ],
  ["a group that was sent away", { groups: [sent(ids(1)), ids(3)] }, "INVALID_GROUPS", /groups\[0\] is .* transferred/],
];

/** An array whose buffer went to another thread. */
function sent<T extends BigUint64Array | Float64Array>(array: T): T {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

test("undefined stands for the default of every option", () => {
  const { edges, affinities, groups } = GOOD;
  const nothing = Object.fromEntries(
    ["mode", "disallowIsolating", "preview", "svSplit", "mustJoin", "mustCut", "explain", "alternatives"].map(
      (name) => [name, undefined],
    ),
  );
  expect(multicut({ edges, affinities, groups, ...nothing })).toEqual(multicut(GOOD));
});

test.each([
  ["a signal that is none", { signal: {} }, /signal must be an AbortSignal, got a plain object/],
  ["a null signal", { signal: null }, /signal must be an AbortSignal, got null/],
  ["a progress that is no function", { onProgress: 5 }, /onProgress must be a function, got 5/],
  ["a misspelt option", { onprogress: () => {} }, /partition has no option "onprogress"; it takes edges, weights/],
])("partition refuses %s by name", async (_, change, message) => {
  const input = { edges: ids(1, 2), weights: Float64Array.of(1), ...change } as unknown as PartitionInput;
  await expect(partition(input)).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringMatching(message),
  });
});

test.each(BAD)("%s is an error that names the value and the limit", (_, change, code, message) => {
  const call = () => multicut({ ...GOOD, ...change } as MulticutInput);
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ name: "MulticutError", code }));
});

test.each([undefined, null, 5, "edges"])("a call with %s for its argument says what it has to be", async (argument) => {
  const call = () => multicut(argument as unknown as MulticutInput);
  expect(call).toThrow(/argument of multicut must be an object/);
  expect(call).toThrow(expect.objectContaining({ name: "MulticutError", code: "INVALID_INPUT" }));
  await expect(partition(argument as unknown as PartitionInput)).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("verticesOf takes 64-bit ids and a contraction, nothing like them", () => {
  const contraction = contract(GOOD.edges, GOOD.affinities);
  expect(verticesOf(contraction, ids(3, 1))).toEqual(Int32Array.of(0, 2));
  expect(() => verticesOf(contraction, [1, 2] as unknown as BigUint64Array)).toThrow(
    expect.objectContaining({ code: "INVALID_GROUPS", message: "ids must be a BigUint64Array, got an array" }),
  );
  expect(() => verticesOf(contraction.graph as unknown as Contraction, ids(1))).toThrow(
    expect.objectContaining({ code: "INVALID_INPUT" }),
  );
});

test("the guard goes by name and code, so it holds for another copy of the package", () => {
  const foreign = Object.assign(new Error("x"), { name: "MulticutError", code: "INVALID_EDGES" });
  expect(isMulticutError(foreign)).toBe(true);
  expect(isMulticutError(foreign, "INVALID_EDGES", "TOO_LARGE")).toBe(true);
  expect(isMulticutError(foreign, "TOO_LARGE")).toBe(false);
  expect(isMulticutError(new Error("x"))).toBe(false);
});

test("the input is left as it was", () => {
  const input = { ...GOOD, mustJoin: ids(1, 2), explain: true, alternatives: 1 };
  const before = [input.edges.slice(), input.affinities.slice(), ...input.groups.map((group) => group.slice())];
  multicut(input);
  expect([input.edges, input.affinities, ...input.groups]).toEqual(before);
});

test("arrays may be views into larger buffers", () => {
  const buffer = new BigUint64Array([0n, ...GOOD.edges, 0n]);
  expect(multicut({ ...GOOD, edges: buffer.subarray(1, 5) })).toEqual(multicut(GOOD));
});

test("floats and doubles of the same values give the same answer", () => {
  expect(multicut({ ...GOOD, affinities: Float32Array.from(GOOD.affinities) })).toEqual(multicut(GOOD));
});

test.each([1, 2, 3])("minus zero is zero, with %i groups", (count) => {
  const list: Row[] = [
    [1, 2, 5],
    [2, 3, 0],
    [3, 4, 2],
    [4, 5, 0],
    [5, 1, 1],
    [3, 6, 4],
  ];
  const groups = [ids(1), ids(4), ids(6)].slice(0, count);
  const [zero, minus] = [0, -0].map((nothing) =>
    multicut({
      ...rows(list.map(([a, b, w]): Row => [a, b, w === 0 ? nothing : w])),
      groups,
      disallowIsolating: false,
    }),
  );
  expect(zero).toMatchObject({ kind: "cut" });
  expect(minus).toEqual(zero);
});
