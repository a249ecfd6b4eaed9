import { z } from "@hono/zod-openapi";
import { type Lineage, lineageUntil, rootMapping } from "@pcg/chunkedgraph";
import type { Call, Endpoints } from "../http/endpoint.ts";
import type { JsonOut } from "../http/json-write.ts";
import { idList } from "../http/payload.ts";
import { time } from "../http/query.ts";
import { toSeconds } from "../http/time-text.ts";
import { idSchema, idsSchema } from "./schemas.ts";

const window = { timestamp_past: time, timestamp_future: time };
type Window = Call<typeof window, unknown>;

const lineageSchema = z.object({
  directed: z.literal(true),
  multigraph: z.literal(false),
  graph: z.object({}),
  nodes: z.array(z.object({ id: idSchema, timestamp: z.number(), operation_id: idSchema.optional() })),
  links: z.array(z.object({ source: idSchema, target: idSchema })),
});

/** How roots became other roots. */
export function lineageRoutes(endpoints: Endpoints): void {
  const summary =
    "Former and later roots within a window of time (edits after timestamp_past, up to and with timestamp_future), as a networkx node-link document";

  endpoints.add(
    { method: "get", path: "/root/{id}/lineage_graph", summary, query: window, answer: lineageSchema },
    async (call) => nodeLink(await lineage(call, BigUint64Array.of(call.id))),
  );

  endpoints.add(
    {
      method: "post",
      path: "/lineage_graph_multiple",
      summary,
      query: window,
      body: idList("root_ids"),
      answer: lineageSchema,
    },
    async (call) => nodeLink(await lineage(call, call.body)),
  );

  endpoints.add(
    {
      method: "get",
      path: "/past_id_mapping",
      summary: "The roots at timestamp_past that each root was made from, and what they were at timestamp_future",
      query: window,
      body: idList("root_ids"),
      answer: z.object({ past_id_map: z.record(z.string(), idsSchema), future_id_map: z.record(z.string(), idSchema) }),
    },
    async (call) => {
      const maps = rootMapping(await lineage(call, call.body), call.body, call.query.timestamp_future);
      return { past_id_map: Object.fromEntries(maps.past), future_id_map: Object.fromEntries(maps.future) };
    },
  );
}

/** The lineage in the call's window; a pinned table knows nothing that began after its instant. */
async function lineage({ at, query, signal }: Window, roots: BigUint64Array): Promise<Lineage> {
  const to = at.at(query.timestamp_future);
  const from = query.timestamp_past;
  const found = await at.graph.history.lineage(
    roots,
    { ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
    { signal },
  );
  return at.pin === undefined ? found : lineageUntil(found, at.pin);
}

function nodeLink({ nodes, links }: Lineage): JsonOut {
  return {
    directed: true,
    multigraph: false,
    graph: {},
    nodes: nodes.map((node) => ({
      id: node.id,
      timestamp: toSeconds(node.time),
      operation_id: node.operationId,
    })),
    links: links.map(({ source, target }) => ({ source, target })),
  };
}
