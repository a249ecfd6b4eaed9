import type { SupervoxelEdges, Time } from "../contract.ts";
import { halves, sortedDistinct } from "../ids.ts";
import type { ViewContext } from "./context.ts";
import { IdIndex } from "./id-table.ts";
import { concatenate } from "./leaves.ts";
import { requireWithin } from "./limit.ts";
import { readChildren } from "./node-reader.ts";

/** Supervoxels of some objects and the edges among them; `ends` are positions in `supervoxels`, two per edge. */
export interface LocalGraph {
  /** Distinct, ascending. */
  readonly supervoxels: BigUint64Array;
  readonly ends: Uint32Array;
  readonly edges: SupervoxelEdges;
}

/** Level-2 nodes whose supervoxels are read at once, and chunks whose edges are: they bound what is in flight. */
const NODES_PER_READ = 8192;
const CHUNKS_PER_READ = 256;

/**
 * All edges, active or not, whose both ends are supervoxels of the given level-2 nodes. More than `limit` supervoxels or
 * edges: GraphError `too-large`.
 */
export async function edgesAmong(
  context: ViewContext,
  level2: BigUint64Array,
  time: Time,
  { limit, signal }: { readonly limit?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<LocalGraph> {
  const { layout } = context;
  const supervoxels = await supervoxelsOf(context, level2, time, { limit, signal });
  const chunks = sortedDistinct(BigUint64Array.from(level2, (id) => layout.chunkId(1, layout.coordsOf(id))));
  const index = new IdIndex(supervoxels);
  const ends: number[] = [];
  const affinities: number[] = [];
  const areas: bigint[] = [];
  const active: number[] = [];
  for (let i = 0; i < chunks.length; i += CHUNKS_PER_READ) {
    const blocks = await context.edges.read(chunks.subarray(i, i + CHUNKS_PER_READ), time, signal);
    for (const block of blocks) {
      const half = halves(block.pairs);
      for (let e = 0; e < block.active.length; e++) {
        const a = index.of(half[4 * e]!, half[4 * e + 1]!);
        if (a < 0) continue;
        const b = index.of(half[4 * e + 2]!, half[4 * e + 3]!);
        if (b < 0) continue;
        ends.push(a, b);
        affinities.push(block.affinities[e]!);
        areas.push(block.areas[e]!);
        active.push(block.active[e]!);
      }
      requireWithin(limit, active.length, "edges between supervoxels");
    }
  }
  const pairs = new BigUint64Array(ends.length);
  for (let i = 0; i < ends.length; i++) pairs[i] = supervoxels[ends[i]!]!;
  return {
    supervoxels,
    ends: Uint32Array.from(ends),
    edges: {
      pairs,
      affinities: Float32Array.from(affinities),
      areas: BigUint64Array.from(areas),
      active: Uint8Array.from(active),
    },
  };
}

/** Children of level-2 nodes, ascending. */
async function supervoxelsOf(
  context: ViewContext,
  level2: BigUint64Array,
  time: Time,
  { limit, signal }: { readonly limit: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<BigUint64Array> {
  const parts: BigUint64Array[] = [];
  let count = 0;
  for (let i = 0; i < level2.length; i += NODES_PER_READ) {
    const nodes = await readChildren(context.rows, level2.subarray(i, i + NODES_PER_READ), time, { signal });
    for (const { children } of nodes.values()) {
      parts.push(children);
      count += children.length;
    }
    requireWithin(limit, count, "supervoxels");
  }
  return concatenate(parts).slice().sort();
}
