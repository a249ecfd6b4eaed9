import { z } from "@hono/zod-openapi";
import { IdLayout, LAYER_BITS } from "@pcg/chunkedgraph/ids";
import type { Call, Endpoints, Services } from "../http/endpoint.ts";
import type { JsonOut } from "../http/json-write.ts";
import { supervoxelVolume } from "../supervoxel-volume.ts";
import { API_VERSION, SERVER_VERSION } from "../version.ts";
import { volumeTag } from "../volume-address.ts";

/** Where clients begin: the info document of a table, and the versions of the interface. */
export function infoRoutes(root: Endpoints): void {
  const paths = [
    "/segmentation/table/{table}/info",
    "/segmentation/api/v1/table/{table}/info",
    // Addresses without "/table/": Neuroglancer's older form, and the one CAVEclient hands to cloud-volume.
    "/segmentation/1.0/{table}/info",
    "/segmentation/api/v1/{table}/info",
  ];
  for (const path of paths) {
    root.add(
      {
        method: "get",
        path,
        summary: "Neuroglancer's info of the segmentation, with what graphene clients need",
        answer: z.record(z.string(), z.unknown()),
      },
      (call) => infoDocument(root.services, call),
    );
  }

  for (const path of ["/segmentation/api/versions", "/meshing/api/versions"]) {
    root.add({ method: "get", path, summary: "Versions of the interface", answer: z.array(z.int()) }, () => [0, 1]);
  }
  for (const path of ["/segmentation/api/version", "/meshing/api/version"]) {
    root.add(
      {
        method: "get",
        path,
        summary: "The PyChunkedGraph version whose interface this is; clients open their methods by it",
        answer: z.string(),
      },
      () => API_VERSION,
    );
  }
}

async function infoDocument(
  services: Services,
  { at, origin }: Call<Record<never, never>, undefined>,
): Promise<JsonOut> {
  const { table } = at;
  const { settings } = table.graph;
  const { info } = await supervoxelVolume(table.supervoxels);
  const layout = new IdLayout(settings.layers, settings.spatialBits);
  const bits = Array.from({ length: settings.layers }, (_, i) => [String(i + 1), layout.bits(i + 1)] as const);
  return {
    ...(info as unknown as Record<string, JsonOut>),
    data_dir: `${origin}/data/${table.name}/supervoxels~${volumeTag(services.auth, table)}`,
    graph: {
      chunk_size: settings.chunkSize,
      n_bits_for_layer_id: LAYER_BITS,
      n_layers: settings.layers,
      spatial_bit_masks: Object.fromEntries(bits),
      cv_mip: 0,
      bounding_box: settings.size,
    },
    chunks_start_at_voxel_offset: true,
    app: { supported_api_versions: [0, 1], name: "pcg", version: SERVER_VERSION },
  };
}
