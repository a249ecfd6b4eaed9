import { z } from "@hono/zod-openapi";
import { type GraphSettings, type GraphView, level2Path } from "@pcg/chunkedgraph";
import { ChunkGrid, IdLayout } from "@pcg/chunkedgraph/ids";
import type { Xyz } from "@pcg/volume";
import { bounded } from "../http/bounded.ts";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { IdPairs } from "../http/json-write.ts";
import { type NmPoint, toPick, twoPoints } from "../http/payload.ts";
import { bounds } from "../http/query.ts";
import { Answer } from "../http/respond.ts";
import type { TableAt } from "../tables.ts";
import { idsSchema, pointSchema } from "./schemas.ts";

const MAX_INT32 = 2 ** 31 - 1;

/** How the parts of an object hang together. */
export function connectivityRoutes(endpoints: Endpoints): void {
  const limit = endpoints.services.limits.edgesPerAnswer;

  endpoints.add(
    {
      method: "get",
      path: "/node/{id}/lvl2_graph",
      summary: "Pairs of level-2 ids of an object that touch",
      query: { bounds },
      answer: z.object({ edge_graph: z.array(idsSchema) }),
    },
    async ({ at, id, query, signal }) => {
      const box = query.bounds;
      const view = await at.view();
      const edges = await bounded({ limit, box }, (part) => view.level2Graph(id, { ...part, signal }));
      const headers: Record<string, string> = box === undefined ? {} : { "Used-Bounds": "true" };
      return Answer.json({ edge_graph: new IdPairs(edges) }, { headers });
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/node/{id}/subgraph",
      summary: "Supervoxel edges inside an object, with affinity and contact area",
      query: { bounds },
      answer: z.object({ nodes: z.array(idsSchema), affinities: z.array(z.number()), areas: z.array(z.int()) }),
    },
    async ({ at, id, query, signal }) => {
      const view = await at.view();
      const edges = await bounded({ limit, box: query.bounds }, (part) => view.subgraph(id, { ...part, signal }));
      return {
        nodes: new IdPairs(edges.pairs),
        affinities: Array.from(edges.affinities),
        areas: Array.from(edges.areas, (area) => Math.min(Number(area), MAX_INT32)),
      };
    },
  );

  endpoints.add(
    {
      method: "post",
      path: "/graph/find_path",
      summary: "The shortest way between two points of one object, from level-2 node to level-2 node",
      body: twoPoints,
      answer: z.object({ centroids_list: z.array(pointSchema), failed_l2_ids: idsSchema, l2_path: idsSchema }),
    },
    async ({ at, body, signal }) => {
      const view = await at.view();
      const supervoxels = await resolvePoints(at, view, body, signal);
      const remedy = "the object is too large to search; use lvl2_graph with bounds";
      const path = await bounded({ limit, remedy }, (part) =>
        level2Path(view, supervoxels[0]!, supervoxels[1]!, { ...part, signal }),
      );
      if (path === undefined) {
        const roots = await view.roots(supervoxels, { signal });
        throw new HttpError(400, `the points lie in two objects, ${roots.join(" and ")}; a path exists within one`);
      }
      const centre = chunkCentre(at.graph.settings);
      return { centroids_list: Array.from(path, centre), failed_l2_ids: [], l2_path: path };
    },
  );
}

/** The supervoxel of each point; in the past the one at the voxel, whose root must then be the one named. */
async function resolvePoints(
  at: TableAt,
  view: GraphView,
  points: readonly NmPoint[],
  signal: AbortSignal,
): Promise<BigUint64Array> {
  const picks = points.map((point) => toPick(point, at.graph.settings.resolution));
  if (at.pin === undefined) return at.graph.resolve(picks, { signal });
  const voxels = picks.map(({ position }) => position.map(Math.floor) as unknown as Xyz);
  const supervoxels = await at.graph.supervoxelsAt(voxels, { signal });
  const roots = await view.roots(supervoxels, { signal });
  const named = await view.roots(
    BigUint64Array.from(picks, ({ id }) => id),
    { signal },
  );
  picks.forEach(({ id }, i) => {
    if (roots[i] === 0n || roots[i] !== named[i]) {
      throw new HttpError(400, `id ${id} does not cover voxel ${voxels[i]!.join(", ")} in "${at.name}"`);
    }
  });
  return supervoxels;
}

/** Centre of a node's chunk in nanometres. */
function chunkCentre(settings: GraphSettings): (id: bigint) => Xyz {
  const grid = new ChunkGrid(new IdLayout(settings.layers, settings.spatialBits), settings);
  return (id) => {
    const { begin, end } = grid.chunkBox(id);
    const along = (axis: 0 | 1 | 2): number => ((begin[axis] + end[axis]) / 2) * settings.resolution[axis];
    return [along(0), along(1), along(2)];
  };
}
