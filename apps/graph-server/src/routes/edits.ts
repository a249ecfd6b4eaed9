import { isGraphError } from "@pcg/chunkedgraph";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { toPick, twoPoints } from "../http/payload.ts";
import { integer } from "../http/query.ts";
import { editSchema } from "./schemas.ts";

/** Changes of the graph. An edit that was received is carried out even if its client goes away. */
export function editRoutes(endpoints: Endpoints): void {
  endpoints.add(
    {
      method: "post",
      path: "/merge",
      summary: "Joins the objects at two points",
      query: { chebyshev_distance: integer(0, 1_000_000) },
      body: twoPoints,
      edits: true,
      answer: editSchema,
    },
    async ({ at, query, body, user }) => {
      const { resolution } = at.graph.settings;
      const distance = query.chebyshev_distance;
      try {
        const result = await at.graph.merge({
          user,
          picks: [toPick(body[0], resolution), toPick(body[1], resolution)],
          ...(distance !== undefined && { maxChunkDistance: distance }),
        });
        return { operation_id: result.operationId, new_root_ids: result.newRoots };
      } catch (error) {
        if (!isGraphError(error, "unknown-id")) throw error;
        throw new HttpError(400, error.message, { reason: error.code, cause: error });
      }
    },
  );
}
