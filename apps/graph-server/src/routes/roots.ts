import { z } from "@hono/zod-openapi";
import { bounded } from "../http/bounded.ts";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { binaryIds, idList } from "../http/payload.ts";
import { bounds, integer, time } from "../http/query.ts";
import { Answer } from "../http/respond.ts";
import { REQUEST_LIMITS } from "../limits.ts";
import { idSchema, idsSchema } from "./schemas.ts";

const stopLayer = integer(1, 255);

/** From any node upwards: which object is it part of, now or at a time. */
export function rootRoutes(endpoints: Endpoints): void {
  endpoints.add(
    {
      method: "get",
      path: "/node/{id}/root",
      summary: "The root of a node, or its lowest ancestor at or above stop_layer",
      query: { timestamp: time, stop_layer: stopLayer },
      answer: z.object({ root_id: idSchema }),
    },
    async ({ at, id, query, signal }) => {
      const view = await at.view(query.timestamp);
      const [root] = await view.roots(BigUint64Array.of(id), stopAt(query.stop_layer, signal));
      if (root === 0n)
        throw new HttpError(404, `id ${id} is not in "${at.name}" at that time`, { reason: "unknown-id" });
      return { root_id: root! };
    },
  );

  endpoints.add(
    {
      method: "post",
      path: "/roots",
      summary: "The root of each node, 0 for those the graph does not know",
      query: { timestamp: time, stop_layer: stopLayer, as_binary: z.string().optional() },
      body: idList("node_ids"),
      answer: z.object({ root_ids: idsSchema }),
    },
    async ({ at, query, body, signal }) => {
      const view = await at.view(query.timestamp);
      const roots = await view.roots(body, stopAt(query.stop_layer, signal));
      return query.as_binary ? Answer.ids(roots) : { root_ids: roots };
    },
  );

  endpoints.add(
    {
      method: "post",
      path: "/roots_binary",
      summary: "The root of each node, 0 for those the graph does not know; raw little-endian ids both ways",
      query: { timestamp: time, stop_layer: stopLayer },
      body: binaryIds,
      answer: "binary",
    },
    async ({ at, query, body, signal }) => {
      const view = await at.view(query.timestamp);
      return Answer.ids(await view.roots(body, stopAt(query.stop_layer, signal)));
    },
  );
}

/** From a node downwards: its children, its leaves, the supervoxels of a chunk. */
export function treeRoutes(endpoints: Endpoints): void {
  const limit = endpoints.services.limits.idsPerAnswer;

  endpoints.add(
    {
      method: "get",
      path: "/node/{id}/children",
      summary: "The children of a node; none for a supervoxel",
      answer: z.object({ children_ids: idsSchema }),
    },
    async ({ at, id, signal }) => {
      const view = await at.view();
      const [children] = await view.children(BigUint64Array.of(id), { signal });
      if (children === undefined) throw new HttpError(404, `id ${id} is not in "${at.name}"`, { reason: "unknown-id" });
      return { children_ids: children };
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/node/{id}/leaves",
      summary: "The supervoxels of a node (or its descendants on stop_layer) in chunks that overlap the bounds",
      query: { bounds, stop_layer: stopLayer },
      answer: z.object({ leaf_ids: idsSchema }),
    },
    async ({ at, id, query, signal }) => {
      const view = await at.view();
      const options = stopAt(query.stop_layer, signal);
      const leaves = await bounded({ limit, box: query.bounds }, (part) => view.leaves(id, { ...options, ...part }));
      return { leaf_ids: leaves };
    },
  );

  endpoints.add(
    {
      method: "post",
      path: "/node/leaves_many",
      summary: "The leaves of several nodes by their id",
      query: { bounds, stop_layer: stopLayer },
      body: idList("node_ids", REQUEST_LIMITS.nodesPerRequest),
      answer: z.record(z.string(), idsSchema),
    },
    async ({ at, query, body, signal }) => {
      const view = await at.view();
      const options = stopAt(query.stop_layer, signal);
      return await bounded({ limit, box: query.bounds }, async (part) => {
        const leaves: Record<string, BigUint64Array> = {};
        let left = limit;
        for (const id of new Set(body)) {
          const found = await view.leaves(id, { ...options, ...part, limit: left });
          leaves[String(id)] = found;
          left -= found.length;
        }
        return leaves;
      });
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/l2_chunk_children/{id}",
      summary: "Level-2 ids of a chunk and their supervoxels: [l2, sv, l2, sv, …]",
      query: { timestamp: time },
      answer: z.object({ l2_chunk_children: idsSchema }),
    },
    async ({ at, id, query, signal }) => {
      const view = await at.view(query.timestamp);
      return { l2_chunk_children: await view.chunkMapping(id, { signal }) };
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/l2_chunk_children_binary/{id}",
      summary: "Level-2 ids of a chunk and their supervoxels as raw little-endian ids: [l2, sv, l2, sv, …]",
      query: { timestamp: time },
      answer: "binary",
    },
    async ({ at, id, query, signal }) => {
      const view = await at.view(query.timestamp);
      return Answer.ids(await view.chunkMapping(id, { signal }));
    },
  );
}

function stopAt(layer: number | undefined, signal: AbortSignal): { signal: AbortSignal; stopLayer?: number } {
  return layer === undefined ? { signal } : { signal, stopLayer: layer };
}
