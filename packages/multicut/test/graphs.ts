import { readFileSync } from "node:fs";
import fc from "fast-check";
import { buildGraph, type Graph } from "../src/graph.ts";
import { multicut } from "../src/multicut.ts";
import type { MulticutResult } from "../src/result.ts";
import type { MulticutInput } from "../src/settings.ts";

/** Two ids and an affinity. */
export type Row = readonly [a: number, b: number, weight: number];

/** The edge list of rows. */
export function rows(list: readonly Row[]): Pick<MulticutInput, "edges"> & { affinities: Float64Array } {
  return {
    edges: BigUint64Array.from(list.flatMap(([a, b]) => [BigInt(a), BigInt(b)])),
    affinities: Float64Array.from(list, ([, , weight]) => weight),
  };
}

/** A group of labels. */
export function ids(...numbers: readonly number[]): BigUint64Array {
  return BigUint64Array.from(numbers, BigInt);
}

/** Everything of a result that a caller sees, for comparison. */
export function plain(result: MulticutResult): string {
  return JSON.stringify(result, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, String);
    return value;
  });
}

/** A connected-or-not random graph with integer weights, parallel rows and loops among them. */
export function randomRows(
  vertices: number,
  maxRows: number,
  weight: fc.Arbitrary<number> = fc.integer({ min: 0, max: 9 }),
) {
  return fc.array(fc.tuple(fc.nat(vertices - 1), fc.nat(vertices - 1), weight), { minLength: 1, maxLength: maxRows });
}

/** A path 0–1–…–n−1 of the given weights, then random rows: connected for sure. */
export function connectedRows(
  vertices: number,
  maxRows: number,
  weight: fc.Arbitrary<number> = fc.integer({ min: 1, max: 9 }),
) {
  return fc
    .tuple(
      fc.array(weight, { minLength: vertices - 1, maxLength: vertices - 1 }),
      randomRows(vertices, maxRows, weight),
    )
    .map(([path, more]): Row[] => [...path.map((w, v): Row => [v, v + 1, w]), ...more]);
}

export function graphOf(vertices: number, list: readonly Row[]): Graph {
  const rows = list.filter(([a, b]) => a !== b);
  return buildGraph(vertices, {
    lower: Int32Array.from(rows, ([a, b]) => Math.min(a, b)),
    upper: Int32Array.from(rows, ([a, b]) => Math.max(a, b)),
    weights: Float64Array.from(rows, ([, , w]) => w),
  });
}

/** The rows in another order, some of them reversed. */
export function permuted<T extends Row>(list: readonly T[]): fc.Arbitrary<Row[]> {
  return fc
    .tuple(fc.shuffledSubarray([...list], { minLength: list.length, maxLength: list.length }), fc.array(fc.boolean()))
    .map(([shuffled, flips]) => shuffled.map(([a, b, w], i): Row => (flips[i % flips.length] ? [b, a, w] : [a, b, w])));
}

/** The arrays of a case stored as NumPy files under the names of PyChunkedGraph's test data. */
export function readCase(folder: URL): Required<Pick<MulticutInput, "edges" | "affinities" | "groups">> {
  return {
    edges: new BigUint64Array(readNpy(new URL("sv_edges.npy", folder))),
    affinities: new Float64Array(readNpy(new URL("sv_affinity.npy", folder))),
    groups: ["sv_sources.npy", "sv_sinks.npy"].map((name) => new BigUint64Array(readNpy(new URL(name, folder)))),
  };
}

/** The bytes of a little-endian 64-bit NumPy array, version 1. */
function readNpy(file: URL): ArrayBuffer {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  if (!/'descr': '<[fiu]8'/.test(bytes.toString("latin1", 10, start)))
    throw new Error(`${file.pathname} is not 64-bit`);
  return Uint8Array.from(bytes.subarray(start)).buffer;
}

export type Options = Omit<MulticutInput, "edges" | "affinities" | "groups">;

export function cut(
  list: readonly Row[],
  groups: readonly (readonly number[])[],
  options: Options = {},
): MulticutResult {
  return multicut({ ...rows(list), groups: groups.map((group) => ids(...group)), ...options });
}

/** Pairs of a cut. */
export function pairs(result: MulticutResult): string[] {
  if (result.kind !== "cut" && result.kind !== "preview") throw new Error(plain(result));
  return Array.from({ length: result.edges.length / 2 }, (_, i) => `${result.edges[2 * i]}-${result.edges[2 * i + 1]}`);
}
