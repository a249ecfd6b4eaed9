import type { SupervoxelEdges, Time } from "../contract.ts";
import { halves, sortedDistinct } from "../ids.ts";
import type { ViewContext } from "./context.ts";
import { IdIndex } from "./id-table.ts";
import { concatenate } from "./leaves.ts";
import { readChildren } from "./node-reader.ts";

/** Supervoxels of some objects and the edges among them; `ends` are positions in `supervoxels`, two per edge. */
export interface LocalGraph {
  /** Distinct, ascending. */
  readonly supervoxels: BigUint64Array;
  readonly ends: Uint32Array;
  readonly edges: SupervoxelEdges;
}

/** All edges, active or not, whose both ends are supervoxels of the given level-2 nodes. */
export async function edgesAmong(
  context: ViewContext,
  level2: BigUint64Array,
  time: Time,
  signal?: AbortSignal,
): Promise<LocalGraph> {
  const { layout } = context;
  const nodes = await readChildren(context.rows, level2, time, { signal });
  const supervoxels = concatenate(Array.from(nodes.values(), (node) => node.children))
    .slice()
    .sort();
  const chunks = sortedDistinct(BigUint64Array.from(level2, (id) => layout.chunkId(1, layout.coordsOf(id))));
  const blocks = await context.edges.read(chunks, time, signal);
  const index = new IdIndex(supervoxels);
  const ends: number[] = [];
  const kept: [block: SupervoxelEdges, edge: number][] = [];
  for (const block of blocks) {
    const half = halves(block.pairs);
    for (let e = 0; e < block.active.length; e++) {
      const a = index.of(half[4 * e]!, half[4 * e + 1]!);
      if (a < 0) continue;
      const b = index.of(half[4 * e + 2]!, half[4 * e + 3]!);
      if (b < 0) continue;
      ends.push(a, b);
      kept.push([block, e]);
    }
  }
  const pairs = new BigUint64Array(ends.length);
  for (let i = 0; i < ends.length; i++) pairs[i] = supervoxels[ends[i]!]!;
  return {
    supervoxels,
    ends: Uint32Array.from(ends),
    edges: {
      pairs,
      affinities: Float32Array.from(kept, ([block, e]) => block.affinities[e]!),
      areas: BigUint64Array.from(kept, ([block, e]) => block.areas[e]!),
      active: Uint8Array.from(kept, ([block, e]) => block.active[e]!),
    },
  };
}
