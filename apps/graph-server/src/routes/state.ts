import { z } from "@hono/zod-openapi";
import { minimalCover, type Time, validBetween } from "@pcg/chunkedgraph";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { idList } from "../http/payload.ts";
import { flag, time } from "../http/query.ts";
import { Answer } from "../http/respond.ts";
import { earlier, toIso, toSeconds } from "../http/time-text.ts";
import { idsSchema } from "./schemas.ts";

/** Which ids are valid when. */
export function stateRoutes(endpoints: Endpoints): void {
  endpoints.add(
    {
      method: "post",
      path: "/is_latest_roots",
      summary: "Whether each id is a root without successor",
      query: { timestamp: time },
      body: idList("node_ids"),
      answer: z.object({ is_latest: z.array(z.boolean()) }),
    },
    async ({ at, query, body, signal }) => {
      const view = await at.view(query.timestamp);
      const latest = await view.isLatest(body, { signal });
      return { is_latest: Array.from(latest, (flag) => flag === 1) };
    },
  );

  endpoints.add(
    {
      method: "post",
      path: "/root_timestamps",
      summary: "When each root began, or with latest=true the last moment it was valid (at most the time asked for)",
      query: { latest: flag, timestamp: time },
      body: idList("node_ids"),
      answer: z.object({ timestamp: z.array(z.number()) }),
    },
    async ({ at, query, body, signal }) => {
      const now = endpoints.services.now();
      const moment = earlier(at.at(query.timestamp) ?? now, now);
      const times = await at.graph.history.rootTimes(body, { latest: query.latest, at: moment, signal });
      if (query.latest) return { timestamp: times.map((end) => toSeconds(earlier(end, moment))) };
      if (at.pin !== undefined) requireBefore(times, body, at.pin, at.name);
      return { timestamp: times.map(toSeconds) };
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/valid_nodes",
      summary: "Those of the ids, of any layer, that belong to the graph at some moment of a window of time",
      query: { start_timestamp: time, end_timestamp: time },
      body: idList("node_ids"),
      answer: z.object({ valid_roots: idsSchema }),
    },
    async ({ at, query, body, signal }) => {
      const [first, last] = [await at.view(query.start_timestamp ?? 0n), await at.view(query.end_timestamp)];
      const valid = await validBetween(first, last, body, { signal });
      return { valid_roots: body.filter((_, i) => valid[i] === 1) };
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/delta_roots",
      summary: "Roots that ended and began by edits with timestamp_past < time <= timestamp_future",
      query: { timestamp_past: time, timestamp_future: time },
      answer: z.object({ old_roots: idsSchema, new_roots: idsSchema }),
    },
    async ({ at, query, signal }) => {
      if (query.timestamp_past === undefined) throw new HttpError(400, "parameter timestamp_past is needed");
      const view = await at.view(query.timestamp_future);
      if (query.timestamp_past >= view.time) return { old_roots: [], new_roots: [] };
      const { oldRoots, newRoots } = await at.graph.history.delta(query.timestamp_past, view.time, { signal });
      return { old_roots: oldRoots, new_roots: newRoots };
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/oldest_timestamp",
      summary: "The graph's beginning",
      query: { delimiter: z.string().max(1).optional() },
      answer: z.object({ iso: z.string() }),
    },
    ({ at, query }) => ({ iso: toIso(at.graph.settings.ingestTime, query.delimiter || " ") }),
  );

  endpoints.add(
    {
      method: "post",
      path: "/minimal_covering_nodes",
      summary: "The fewest nodes that together have exactly the supervoxels of the given ones; raw little-endian ids",
      body: idList("node_ids"),
      answer: "binary",
    },
    async ({ at, body, signal }) => Answer.ids(await minimalCover(await at.view(), body, { signal })),
  );
}

function requireBefore(times: readonly Time[], roots: BigUint64Array, pin: Time, name: string): void {
  const later = times.findIndex((begin) => begin > pin);
  if (later < 0) return;
  throw new HttpError(404, `id ${roots[later]} is not in "${name}" at that time`, { reason: "unknown-id" });
}
