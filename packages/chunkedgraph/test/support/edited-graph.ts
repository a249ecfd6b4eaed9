import type { Random } from "@pcg/testkit";
import type { Graph, GraphView } from "../../src/contract.ts";
import { isGraphError } from "../../src/errors.ts";
import { openGraph } from "../../src/graph.ts";
import { buildGraph, INGEST_TIME, positionIn, settingsOf } from "./build-graph.ts";
import { randomGraph } from "./random-graph.ts";

export interface EditedGraph {
  readonly graph: Graph;
  readonly supervoxels: BigUint64Array;
  /** When the graph changed, oldest first; the ingest's time is the first. */
  readonly times: readonly bigint[];
}

/** A random graph after some random merges. */
export async function editedGraph(random: Random, merges: number): Promise<EditedGraph> {
  const sketch = randomGraph(random);
  const settings = settingsOf(sketch);
  const graph = await openGraph({ rows: await buildGraph(sketch) });
  const times = [INGEST_TIME];
  const pick = (id: bigint) => ({ id, position: positionIn(settings, id) });
  for (let i = 0; i < merges; i++) {
    const picks = [pick(random.pick(sketch.supervoxels)), pick(random.pick(sketch.supervoxels))] as const;
    try {
      times.push((await graph.merge({ user: "ann", picks, maxChunkDistance: 1000 })).time);
    } catch (error) {
      if (!isGraphError(error, "same-object", "same-supervoxel")) throw error;
    }
  }
  return { graph, supervoxels: BigUint64Array.from(sketch.supervoxels).sort(), times };
}

/** Every node above or among the supervoxels, with the supervoxels below it: by following each one's parents. */
export async function forestOf(view: GraphView, supervoxels: BigUint64Array): Promise<Map<bigint, Set<bigint>>> {
  const below = new Map<bigint, Set<bigint>>();
  let nodes = supervoxels;
  while (nodes.some((node) => node !== 0n)) {
    nodes.forEach((node, i) => {
      if (node === 0n) return;
      const members = below.get(node);
      if (members === undefined) below.set(node, new Set([supervoxels[i]!]));
      else members.add(supervoxels[i]!);
    });
    nodes = await view.parents(nodes);
  }
  return below;
}
