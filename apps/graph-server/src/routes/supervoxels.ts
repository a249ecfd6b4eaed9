import { z } from "@hono/zod-openapi";
import type { Xyz } from "@pcg/volume";
import type { Endpoints } from "../http/endpoint.ts";
import { voxelList } from "../http/payload.ts";
import { time } from "../http/query.ts";
import { idsSchema } from "./schemas.ts";

/** From places to ids. */
export function supervoxelRoutes(endpoints: Endpoints): void {
  endpoints.add(
    {
      method: "post",
      path: "/supervoxel_lookup",
      summary: "The supervoxel at each voxel and its root; 0 for background",
      query: { timestamp: time },
      body: voxelList("voxels"),
      answer: z.object({ supervoxel_ids: idsSchema, root_ids: idsSchema }),
    },
    async ({ at, query, body, signal }) => {
      const view = await at.view(query.timestamp);
      const voxels = body.map(([x, y, z]): Xyz => [Math.floor(x), Math.floor(y), Math.floor(z)]);
      const supervoxels = await at.graph.supervoxelsAt(voxels, { signal });
      return { supervoxel_ids: supervoxels, root_ids: await view.roots(supervoxels, { signal }) };
    },
  );
}
