import type { TestEdge, TestGraph } from "./build-graph.ts";
import { layoutOf } from "./build-graph.ts";

/** 4×4×2 chunks of 16 supervoxels each, touching one another inside and over faces; nothing is joined yet. */
export function gridGraph(): TestGraph {
  const layers = 5;
  const layout = layoutOf(layers);
  const id = (x: number, y: number, z: number, k: number): bigint =>
    layout.nodeId(layout.chunkId(1, [x, y, z]), BigInt(k + 1));
  const supervoxels: bigint[] = [];
  const edges: TestEdge[] = [];
  const contact = (a: bigint, b: bigint): number => edges.push({ a, b, affinity: 5, area: 5n, active: false });
  for (let x = 0; x < 4; x++)
    for (let y = 0; y < 4; y++)
      for (let z = 0; z < 2; z++)
        for (let k = 0; k < 16; k++) {
          const a = id(x, y, z, k);
          supervoxels.push(a);
          if (k < 15) contact(a, id(x, y, z, k + 1));
          if (x < 3 && k % 3 === 0) contact(a, id(x + 1, y, z, k));
          if (z < 1 && k % 5 === 0) contact(a, id(x, y, z + 1, k));
        }
  return { layers, supervoxels, edges };
}
