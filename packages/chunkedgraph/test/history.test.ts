import { describe, expect, test } from "vitest";
import type { Lineage, Operation } from "../src/contract.ts";
import { openGraph } from "../src/graph.ts";
import { INGEST_TIME } from "./support/build-graph.ts";
import { openSketch, type Sketched } from "./support/letters.ts";

const one = (id: bigint): BigUint64Array => BigUint64Array.of(id);

/** {A0, B0} by one edit, then {A0, B0, C0} by another. */
async function chain(): Promise<Sketched & { readonly names: Map<bigint, string>; readonly times: readonly bigint[] }> {
  const s = await openSketch(4, ["A0", "B0", "C0", "Y0"]);
  const names = new Map<bigint, string>();
  for (const name of ["A0", "B0", "C0", "Y0"]) names.set(await s.root(name), name);
  const first = await s.merge("A0", "B0");
  const second = await s.merge("B0", "C0");
  names.set(first.newRoots[0]!, "AB");
  names.set(second.newRoots[0]!, "ABC");
  return { ...s, names, times: [first.time, second.time] };
}

describe("lineage", () => {
  const shown = ({ nodes, links }: Lineage, names: Map<bigint, string>): { nodes: string[]; links: string[] } => ({
    nodes: nodes.map(({ id, operationId }) => `${names.get(id)}${operationId === undefined ? "" : `@${operationId}`}`),
    links: links.map(({ source, target }) => `${names.get(source)}→${names.get(target)}`).sort(),
  });

  test("scenario 28: the merged root's past is everything it was made from", async () => {
    const s = await chain();
    const past = shown(await s.graph.history.lineage(one(await s.root("A0"))), s.names);
    expect(new Set(past.nodes)).toEqual(new Set(["A0", "B0", "C0", "AB@1", "ABC@2"]));
    expect(past.links).toEqual(["A0→AB", "AB→ABC", "B0→AB", "C0→ABC"]);
  });

  test("a root in the middle has its past and its future, but not the future of its past", async () => {
    const s = await chain();
    const [middle] = [...s.names].find(([, name]) => name === "AB")!;
    const { links } = shown(await s.graph.history.lineage(one(middle)), s.names);
    expect(links).toEqual(["A0→AB", "AB→ABC", "B0→AB"]);
    const [original] = [...s.names].find(([, name]) => name === "A0")!;
    expect(shown(await s.graph.history.lineage(one(original)), s.names).links).toEqual(["A0→AB", "AB→ABC"]);
  });

  test("scenario 29: windows keep the links that cross their edge and nothing beyond", async () => {
    const s = await chain();
    const root = one(await s.root("A0"));
    const [first, second] = s.times as [bigint, bigint];
    const within = async (roots: BigUint64Array, window: { from?: bigint; to?: bigint }): Promise<string[]> =>
      shown(await s.graph.history.lineage(roots, window), s.names).links;
    expect(await within(root, { from: second })).toEqual([]);
    expect(await within(root, { from: second - 1n })).toEqual(["AB→ABC", "C0→ABC"]);
    expect(await within(root, { from: first })).toEqual(["AB→ABC", "C0→ABC"]);
    expect(await within(root, { from: first - 1n })).toEqual(["A0→AB", "AB→ABC", "B0→AB", "C0→ABC"]);
    const original = one([...s.names].find(([, name]) => name === "A0")![0]);
    expect(await within(original, { from: 0n, to: INGEST_TIME - 1n })).toEqual([]);
    expect(await within(original, { to: INGEST_TIME })).toEqual(["A0→AB"]);
    expect(await within(original, { to: first })).toEqual(["A0→AB", "AB→ABC"]);
  });

  test("unknown ids and ids of other layers are refused", async () => {
    const s = await chain();
    await expect(s.graph.history.lineage(one(77n))).rejects.toMatchObject({ code: "unknown-id" });
    await expect(s.graph.history.lineage(one(s.id("A0")))).rejects.toMatchObject({ code: "wrong-layer" });
    await expect(s.graph.history.changeLog(s.id("A0"))).rejects.toMatchObject({ code: "wrong-layer" });
    await expect(s.graph.history.rootTimes(one(5n))).rejects.toMatchObject({ code: "unknown-id" });
  });
});

test("root times are when a root began and, for the latest, when its successor did", async () => {
  const s = await chain();
  const root = (name: string): bigint => [...s.names].find(([, n]) => n === name)![0];
  const roots = BigUint64Array.of(root("A0"), root("AB"), root("ABC"), root("Y0"));
  const [first, second] = s.times as [bigint, bigint];
  expect(await s.graph.history.rootTimes(roots)).toEqual([INGEST_TIME, first, second, INGEST_TIME]);
  expect(await s.graph.history.rootTimes(roots, { latest: true, at: second + 9n })).toEqual([
    first,
    second,
    second + 9n,
    second + 9n,
  ]);
  expect(await s.graph.history.rootTimes(roots, { latest: true })).toEqual([first, second, second, second]);
});

describe("the log", () => {
  test("a change log has the operations of a root's past, oldest first, and no others", async () => {
    const s = await chain();
    const ids = (log: readonly Operation[]): bigint[] => log.map(({ id }) => id);
    expect(ids(await s.graph.history.changeLog(await s.root("C0")))).toEqual([1n, 2n]);
    expect(ids(await s.graph.history.changeLog(await s.root("Y0")))).toEqual([]);
    const [middle] = [...s.names].find(([, name]) => name === "AB")!;
    expect(ids(await s.graph.history.changeLog(middle))).toEqual([1n]);
  });

  test("an operation is logged with its input, what it was taken to mean and what it changed", async () => {
    const s = await chain();
    const [operation, none] = await s.graph.history.operations([1n, 99n]);
    expect(none).toBeUndefined();
    const { picks } = s.request("A0", "B0");
    expect(operation).toEqual({
      id: 1n,
      kind: "merge",
      status: "done",
      user: "ann",
      time: s.times[0],
      picks,
      supervoxels: BigUint64Array.of(s.id("A0"), s.id("B0")),
      addedEdges: BigUint64Array.of(s.id("A0"), s.id("B0")),
      oldRoots: BigUint64Array.from([...s.names].filter(([, n]) => n === "A0" || n === "B0").map(([id]) => id)).sort(),
      newRoots: one([...s.names].find(([, n]) => n === "AB")![0]),
      oldL2: new BigUint64Array(),
      newL2: new BigUint64Array(),
    });
  });

  test("operations of a time window come in order, both ends included, by user when asked", async () => {
    const s = await chain();
    const [first, second] = s.times as [bigint, bigint];
    const between = async (from: bigint, to: bigint, user?: string): Promise<bigint[]> => {
      const found: bigint[] = [];
      const options = user === undefined ? {} : { user };
      for await (const { id } of s.graph.history.operationsBetween(from, to, options)) found.push(id);
      return found;
    };
    expect(await between(0n, 1n << 63n)).toEqual([1n, 2n]);
    expect(await between(first, second)).toEqual([1n, 2n]);
    expect(await between(first + 1n, second)).toEqual([2n]);
    expect(await between(first, second - 1n)).toEqual([1n]);
    expect(await between(second, first)).toEqual([]);
    expect(await between(0n, second, "ann")).toEqual([1n, 2n]);
    expect(await between(0n, second, "bob")).toEqual([]);
  });

  test("a window longer than one read holds every operation once", async () => {
    const s = await openSketch(3, ["A0", "A1"]);
    for (let i = 0; i < 260; i++)
      await s.graph.merge({ ...s.request("A0", "A0"), user: `user ${i}` }).catch(() => undefined);
    await s.merge("A0", "A1");
    const found: Operation[] = [];
    for await (const operation of s.graph.history.operationsBetween(0n, 1n << 62n)) found.push(operation);
    expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 261 }, (_, i) => BigInt(i + 1)));
    expect(found.filter(({ status }) => status === "done")).toHaveLength(1);
  });

  test("the difference between two times leaves out what came and went", async () => {
    const s = await chain();
    const root = (name: string): bigint => [...s.names].find(([, n]) => n === name)![0];
    const [first, second] = s.times as [bigint, bigint];
    const sorted = (...names: string[]): BigUint64Array => BigUint64Array.from(names, root).sort();
    expect(await s.graph.history.delta(INGEST_TIME, second)).toEqual({
      oldRoots: sorted("A0", "B0", "C0"),
      newRoots: sorted("ABC"),
    });
    expect(await s.graph.history.delta(first, second)).toEqual({
      oldRoots: sorted("AB", "C0"),
      newRoots: sorted("ABC"),
    });
    expect(await s.graph.history.delta(first - 1n, first)).toEqual({
      oldRoots: sorted("A0", "B0"),
      newRoots: sorted("AB"),
    });
    expect(await s.graph.history.delta(second, second + 10n)).toEqual({ oldRoots: sorted(), newRoots: sorted() });
  });
});

describe("subscribers", () => {
  test("hear of every commit of any graph on the store, once, in order, and of no refusal", async () => {
    const s = await openSketch(4, ["A0", "B0", "C0", "Y0"]);
    const other = await openGraph({ rows: s.rows });
    const heard: bigint[] = [];
    const stop = other.subscribe(({ id }) => heard.push(id));
    await s.merge("A0", "B0");
    await s.merge("A0", "A0").catch(() => undefined);
    await other.merge(s.request("C0", "Y0"));
    await expect.poll(() => heard, { timeout: 5000 }).toEqual([1n, 3n]);
    stop();
    const later: bigint[] = [];
    other.subscribe(({ id }) => later.push(id));
    await s.merge("B0", "C0");
    await expect.poll(() => later, { timeout: 5000 }).toEqual([4n]);
    expect(heard).toEqual([1n, 3n]);
    await other.close();
  });

  test("one listener's failure is reported and does not keep the others from hearing", async () => {
    const s = await openSketch(3, ["A0", "B0"]);
    const warnings: unknown[] = [];
    const graph = await openGraph({ rows: s.rows, logger: { warn: (_, { error }) => warnings.push(error) } });
    const heard: bigint[] = [];
    graph.subscribe(() => {
      throw new Error("deaf");
    });
    graph.subscribe(({ id }) => heard.push(id));
    await s.merge("A0", "B0");
    await expect.poll(() => heard, { timeout: 5000 }).toEqual([1n]);
    expect(warnings).toEqual([new Error("deaf")]);
    await graph.close();
  });
});
