import type { Graph, MergeRequest } from "../../src/contract.ts";
import { openGraph } from "../../src/graph.ts";
import { buildGraph, layoutOf, positionIn, settingsOf, type TestEdge, type TestGraph } from "./build-graph.ts";

/** Chunks by letter, as in the acceptance scenarios of the graph this one follows. */
const CHUNKS: Readonly<Record<string, readonly [number, number, number]>> = {
  A: [0, 0, 0],
  B: [1, 0, 0],
  C: [2, 0, 0],
  Y: [0, 1, 0],
  W: [1, 1, 0],
  Z: [7, 7, 7],
};

/** Supervoxel `A0` is segment 1 of chunk A. */
export function named(layers: number): (name: string) => bigint {
  const layout = layoutOf(layers);
  return (name) => layout.nodeId(layout.chunkId(1, CHUNKS[name[0]!]!), BigInt(name.slice(1)) + 1n);
}

/** A graph written as `["A0", "A0 inf B0", "B0 0.5 B1", "A0 ~3 A1"]`; `~` marks an inactive edge. */
export function sketch(layers: number, lines: readonly string[]): TestGraph {
  const id = named(layers);
  const supervoxels = new Set<bigint>();
  const edges: TestEdge[] = [];
  for (const line of lines) {
    const [a, weight, b] = line.split(" ");
    supervoxels.add(id(a!));
    if (weight === undefined || b === undefined) continue;
    supervoxels.add(id(b));
    const active = !weight.startsWith("~");
    const number = active ? weight : weight.slice(1);
    const affinity = number === "inf" ? Number.POSITIVE_INFINITY : Math.fround(Number(number));
    edges.push({ a: id(a!), b: id(b), affinity, active });
  }
  return { layers, supervoxels: [...supervoxels], edges };
}

export interface Sketched {
  readonly graph: Graph;
  readonly test: TestGraph;
  id(name: string): bigint;
  ids(...names: string[]): BigUint64Array;
  root(name: string): Promise<bigint>;
  request(a: string, b: string): MergeRequest;
  merge(a: string, b: string): ReturnType<Graph["merge"]>;
}

/** Builds and opens a sketched graph. */
export async function openSketch(
  layers: number,
  lines: readonly string[],
): Promise<Sketched & { rows: Awaited<ReturnType<typeof buildGraph>> }> {
  const test = sketch(layers, lines);
  const rows = await buildGraph(test);
  const graph = await openGraph({ rows });
  const id = named(layers);
  const settings = settingsOf(test);
  const request = (a: string, b: string): MergeRequest => ({
    user: "ann",
    picks: [
      { id: id(a), position: positionIn(settings, id(a)) },
      { id: id(b), position: positionIn(settings, id(b)) },
    ],
    maxChunkDistance: 100,
  });
  return {
    graph,
    test,
    rows,
    id,
    ids: (...names) => BigUint64Array.from(names, id).sort(),
    root: async (name) => (await (await graph.view()).roots(BigUint64Array.of(id(name))))[0]!,
    request,
    merge: async (a, b) => await graph.merge(request(a, b)),
  };
}
