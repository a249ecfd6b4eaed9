import type { MergeRequest, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import type { ViewContext } from "../view/context.ts";
import { climb } from "../view/roots.ts";
import { buildUpwards, type NewCrossEdge } from "./hierarchy.ts";
import { edgesToActivate } from "./local-edges.ts";
import { type EdgeChange, type EditPlan, planOf } from "./plan.ts";
import { PlannedGraph } from "./planned-graph.ts";

/** Chunks on an axis between the two supervoxels of a merge, unless the request says otherwise; as PyChunkedGraph. */
export const DEFAULT_CHUNK_DISTANCE = 3;

/** Plans to join the objects of two supervoxels as of `time`. Throws GraphError when they cannot be joined. */
export async function planMerge(
  context: ViewContext,
  request: MergeRequest,
  supervoxels: readonly [bigint, bigint],
  time: Time,
  signal?: AbortSignal,
): Promise<EditPlan> {
  await checkMerge(context, request, supervoxels, time, signal);
  const positions = request.picks.map(({ position }) => position);
  const edges = await edgesToActivate(context, supervoxels, positions, time, signal);
  const graph = new PlannedGraph(context, time, signal);
  await joinLevel2(graph, edges);
  await buildUpwards(graph, crossEdges(context, edges));
  return planOf(graph, edges, {
    kind: "merge",
    user: request.user,
    picks: request.picks,
    supervoxels: BigUint64Array.from(supervoxels),
  });
}

async function checkMerge(
  context: ViewContext,
  request: MergeRequest,
  [a, b]: readonly [bigint, bigint],
  time: Time,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (a === b)
    throw new GraphError("same-supervoxel", `both points are in supervoxel ${a}: choose points in two objects`, {
      supervoxel: a.toString(),
    });
  const { layout, settings } = context;
  const [first, second] = [layout.coordsOf(a), layout.coordsOf(b)];
  const distance = Math.max(...first.map((c, axis) => Math.abs(c - second[axis]!)));
  const limit = request.maxChunkDistance ?? DEFAULT_CHUNK_DISTANCE;
  if (distance > limit)
    throw new GraphError(
      "too-far",
      `the two points are ${distance} chunks apart, more than ${limit}: choose points closer together`,
      { distance, limit },
    );
  const roots = await climb(context, BigUint64Array.of(a, b), settings.layers, time, signal);
  if (roots[0] === roots[1])
    throw new GraphError("same-object", `both points are in object ${roots[0]}: there is nothing to merge`, {
      root: String(roots[0]),
    });
}

/** Joins the level-2 nodes of edges inside a chunk: a node whose members change is a new node. */
async function joinLevel2(graph: PlannedGraph, edges: readonly EdgeChange[]): Promise<void> {
  const { context, time } = graph;
  const inside = edges.filter(({ smaller, larger }) => context.layout.crossLayer(smaller, larger) === 1);
  const ends = await climb(context, BigUint64Array.from(inside.flatMap((e) => [e.smaller, e.larger])), 2, time);
  await graph.load(ends);
  const groups = new Map<bigint, Set<bigint>>();
  for (let i = 0; i < ends.length; i += 2) {
    const [a, b] = [ends[i]!, ends[i + 1]!];
    if (groups.has(a) && groups.get(a) === groups.get(b)) continue;
    const joined = new Set([...(groups.get(a) ?? [a]), ...(groups.get(b) ?? [b])]);
    for (const member of joined) groups.set(member, joined);
  }
  for (const group of new Set(groups.values())) {
    if (group.size === 1) continue;
    const formers = Array.from(group, (id) => graph.get(id).record!);
    const children = formers.flatMap((former) => [...former.children]);
    graph.create(2, context.layout.chunkOf(formers[0]!.id), children, formers);
  }
}

function crossEdges(context: ViewContext, edges: readonly EdgeChange[]): NewCrossEdge[] {
  return edges
    .map(({ smaller, larger }) => ({
      ends: [smaller, larger] as const,
      layer: context.layout.crossLayer(smaller, larger),
    }))
    .filter(({ layer }) => layer > 1);
}
