import type { Box, Xyz } from "@pcg/volume";
import type { Time } from "../contract.ts";
import { sortedDistinct } from "../ids.ts";
import { USER_AFFINITY } from "../rows/index.ts";
import { UnionFind } from "../union-find.ts";
import type { ViewContext } from "../view/context.ts";
import { concatenate, descend } from "../view/leaves.ts";
import { climb } from "../view/roots.ts";
import { edgesAmong } from "../view/subgraph.ts";
import type { EdgeChange } from "./plan.ts";

/** How far around the picks a merge looks for edges, in voxels: PyChunkedGraph's bounding-box offset. */
const REACH: Xyz = [240, 240, 24];

/**
 * The edges a merge of two supervoxels makes active: the inactive edges between their neighbourhoods, which are what
 * active edges reach from each inside the chunks around the picks; when there are none, an edge of the user's between
 * the two. Their roots must differ.
 */
export async function edgesToActivate(
  context: ViewContext,
  supervoxels: readonly [bigint, bigint],
  positions: readonly Xyz[],
  time: Time,
  signal?: AbortSignal,
): Promise<EdgeChange[]> {
  const ends = BigUint64Array.from(supervoxels);
  const [roots, level2] = await Promise.all([
    climb(context, ends, context.settings.layers, time, signal),
    climb(context, ends, 2, time, signal),
  ]);
  const around = await descend(context, roots, 2, time, { box: boxAround(positions), signal });
  const local = await edgesAmong(context, sortedDistinct(concatenate([around, level2])), time, { signal });
  const reached = new UnionFind(local.supervoxels.length);
  for (let e = 0; e < local.edges.active.length; e++)
    if (local.edges.active[e]) reached.union(local.ends[2 * e]!, local.ends[2 * e + 1]!);
  const [a, b] = supervoxels.map((id) => reached.find(local.supervoxels.indexOf(id)));
  const changes: EdgeChange[] = [];
  for (let e = 0; e < local.edges.active.length; e++) {
    if (local.edges.active[e]) continue;
    const s = reached.find(local.ends[2 * e]!);
    const t = reached.find(local.ends[2 * e + 1]!);
    if (!((s === a && t === b) || (s === b && t === a))) continue;
    changes.push({
      kind: "activate",
      smaller: local.edges.pairs[2 * e]!,
      larger: local.edges.pairs[2 * e + 1]!,
      affinity: local.edges.affinities[e]!,
      area: local.edges.areas[e]!,
    });
  }
  if (changes.length > 0) return changes;
  const [smaller, larger] = supervoxels[0] < supervoxels[1] ? supervoxels : [supervoxels[1], supervoxels[0]];
  return [{ kind: "add", smaller, larger, affinity: USER_AFFINITY, area: 0n }];
}

function boxAround(positions: readonly Xyz[]): Box {
  const low = (axis: 0 | 1 | 2): number => Math.floor(Math.min(...positions.map((p) => p[axis]))) - REACH[axis];
  const high = (axis: 0 | 1 | 2): number => Math.floor(Math.max(...positions.map((p) => p[axis]))) + 1 + REACH[axis];
  return { begin: [low(0), low(1), low(2)], end: [high(0), high(1), high(2)] };
}
