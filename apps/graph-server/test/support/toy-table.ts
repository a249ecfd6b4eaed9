import { encodeCompressedSegmentation } from "@pcg/kernels/compressed-segmentation";
import { memoryKvStore } from "@pcg/kvstore";
import { ChunkGrid, encodeInfo } from "neuroglancer-precomputed";
import { createServer, type GraphApp, type ServerOptions, type Table } from "../../src/index.ts";
import { FakeGraph, SETTINGS, SUPERVOXELS } from "./fake-graph.ts";

export interface Toy {
  readonly app: GraphApp;
  readonly graph: FakeGraph;
  readonly table: Table;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: BodyInit, init?: RequestInit): Promise<Response>;
}

export const API = "/segmentation/api/v1/table/toy";

/** A server with one table, `toy`: the fake graph and its voxels. */
export async function toy(options: Partial<ServerOptions> = {}): Promise<Toy> {
  const graph = new FakeGraph();
  const supervoxels = memoryKvStore();
  const { size, chunkSize, voxelOffset, resolution } = SETTINGS;
  const scale = {
    key: "8_8_40",
    size,
    resolution,
    voxel_offset: voxelOffset,
    chunk_sizes: [chunkSize],
    encoding: "compressed_segmentation",
    compressed_segmentation_block_size: [8, 8, 8],
  } as const;
  await supervoxels.write(
    "info",
    encodeInfo({ type: "segmentation", data_type: "uint64", num_channels: 1, scales: [scale] }),
  );
  const grid = new ChunkGrid({ size, chunkSize, voxelOffset });
  for (const position of grid.chunks()) {
    const labels = new BigUint64Array(64 ** 3);
    for (let i = 0; i < labels.length; i++) labels[i] = SUPERVOXELS[2 * position[0] + ((i & 63) >> 5)]!;
    labels[0] = 0n;
    const bytes = encodeCompressedSegmentation(labels, [64, 64, 64], 1, [8, 8, 8]);
    await supervoxels.write(`8_8_40/${grid.chunkName(position)}`, bytes);
  }
  const image = memoryKvStore();
  await image.write("info", new TextEncoder().encode('{"type":"image"}'));
  await image.write("8_8_40/0-1_0-1_0-1", Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  await image.write("large", new Uint8Array(4000));
  const table: Table = { name: "toy", graph, supervoxels, image };
  const app = createServer({ tables: new Map([["toy", table]]), ...options });
  const request = async (path: string, init: RequestInit): Promise<Response> =>
    app.request(`http://localhost${path}`, init);
  return {
    app,
    graph,
    table,
    get: (path, init = {}) => request(path, init),
    post: (path, body, init = {}) => request(path, { ...init, method: "POST", body }),
  };
}

/** The raw bytes of ids. */
export function idBytes(...ids: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(ids).buffer);
}

export async function idsOf(response: Response): Promise<bigint[]> {
  return Array.from(new BigUint64Array(await response.arrayBuffer()));
}
