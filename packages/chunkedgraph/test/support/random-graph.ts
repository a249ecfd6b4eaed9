import type { Random } from "@pcg/testkit";
import { USER_AFFINITY } from "../../src/rows/index.ts";
import { layoutOf, type TestEdge, type TestGraph } from "./build-graph.ts";

/**
 * A graph with supervoxels in clustered chunks; contacts and active edges inside chunks, over faces, and far joins as
 * the ingest makes them for labels in pieces.
 */
export function randomGraph(random: Random, most = { layers: 6, supervoxels: 40 }): TestGraph {
  const layers = random.between(2, most.layers);
  const layout = layoutOf(layers);
  const side = 2 ** (layers - 2);
  const reach = random.between(1, side);
  const origin = [0, 1, 2].map(() => random.below(side - reach + 1)) as [number, number, number];
  const supervoxels: bigint[] = [];
  const count = random.between(2, most.supervoxels);
  const segments = new Map<bigint, bigint>();
  for (let i = 0; i < count; i++) {
    const chunk = layout.chunkId(1, origin.map((o) => o + random.below(reach)) as [number, number, number]);
    const segment = (segments.get(chunk) ?? 0n) + BigInt(random.between(1, 3));
    segments.set(chunk, segment);
    supervoxels.push(layout.nodeId(chunk, segment));
  }
  const edges = new Map<string, TestEdge>();
  const activity = random.pick([0, 0.2, 0.5, 0.9]);
  for (let i = 0; i < 3 * count; i++) {
    const [a, b] = [random.pick(supervoxels), random.pick(supervoxels)].sort((x, y) => (x < y ? -1 : 1)) as [
      bigint,
      bigint,
    ];
    if (a === b) continue;
    const active = random.uint32() / 2 ** 32 < activity;
    const [p, q] = [layout.coordsOf(a), layout.coordsOf(b)];
    const distance = Math.abs(p[0] - q[0]) + Math.abs(p[1] - q[1]) + Math.abs(p[2] - q[2]);
    const area = BigInt(random.between(1, 99));
    if (distance === 0) edges.set(`${a} ${b}`, { a, b, area, affinity: Number(area), active });
    else if (distance === 1)
      edges.set(`${a} ${b}`, { a, b, area, affinity: active ? Number.POSITIVE_INFINITY : Number(area), active });
    else if (active && random.below(3) === 0)
      edges.set(`${a} ${b}`, { a, b, area: 0n, affinity: USER_AFFINITY, active });
  }
  return { layers, supervoxels, edges: [...edges.values()] };
}
