import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ingest, voxelTasks } from "@pcg/chunkedgraph/ingest";
import { memoryKvStore, openKvStore } from "@pcg/kvstore";
import { fileDriver, fileKvStore } from "@pcg/kvstore/file";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import { inlineRunner } from "@pcg/tasks";
import type { Random } from "@pcg/testkit";
import { createVolumeIn, openVolume, openVolumeIn, type Xyz } from "@pcg/volume";
import { ChunkGrid } from "neuroglancer-precomputed";

export const SIZE: Xyz = [70, 50, 40];
export const OFFSET: Xyz = [3, 1000, 7];
const RESOLUTION: Xyz = [8, 8, 40];

/** Labels like a foam: each voxel belongs to the nearest of some seeds, or to none far from all. */
export function foam(random: Random, seeds: number): BigUint64Array {
  const places = Array.from({ length: seeds }, () => SIZE.map((size) => random.below(size)));
  const labels = new BigUint64Array(SIZE[0] * SIZE[1] * SIZE[2]);
  let at = 0;
  for (let z = 0; z < SIZE[2]; z++) {
    for (let y = 0; y < SIZE[1]; y++) {
      for (let x = 0; x < SIZE[0]; x++, at++) {
        let best = 900;
        for (const [number, [px, py, pz]] of places.entries()) {
          const distance = (x - px!) ** 2 + (y - py!) ** 2 + (z - pz!) ** 2;
          if (distance >= best) continue;
          best = distance;
          labels[at] = 2n ** 60n + BigInt(number);
        }
      }
    }
  }
  return labels;
}

export interface DataFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A data folder with one table, `foam`, made from the labels. */
export async function dataFolderOf(labels: BigUint64Array): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), "pcg-graph-server-"));
  const store = (name: string) => fileKvStore(join(path, name), { fsync: false });
  const source = await createVolumeIn(store("source"), "neuroglancer-precomputed", {
    kind: "segmentation",
    dataType: "uint64",
    scales: [{ key: "8_8_40", size: SIZE, voxelOffset: OFFSET, resolution: RESOLUTION, chunkSize: [32, 32, 32] }],
  });
  const end: Xyz = [OFFSET[0] + SIZE[0], OFFSET[1] + SIZE[1], OFFSET[2] + SIZE[2]];
  await source.scales[0]!.write({ begin: OFFSET, end }, labels);
  await mkdir(join(path, "foam"), { recursive: true });
  const rows = await openLmdbRowStore(join(path, "foam", "rows"));
  const open = (url: string) => openKvStore(url, fileDriver());
  await ingest({
    name: "foam",
    source: await openVolume(pathToFileURL(join(path, "source/")).href, { open }),
    rows,
    supervoxels: store("foam/supervoxels"),
    scratch: store("foam/scratch"),
    runner: inlineRunner(voxelTasks({ openVolume: (url) => openVolume(url, { open }), openKvStore: open })),
    chunkSize: [32, 32, 32],
  });
  await rows.close();
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** All voxels of a precomputed volume read through an app's own routes, x fastest. */
export async function readThrough(
  request: (path: string) => Promise<Response>,
  folder: string,
): Promise<BigUint64Array> {
  const store = memoryKvStore();
  const info = (await (await request(`${folder}/info`)).json()) as { scales: [{ key: string; chunk_sizes: [Xyz] }] };
  await store.write("info", new TextEncoder().encode(JSON.stringify(info)));
  const { key, chunk_sizes } = info.scales[0];
  const grid = new ChunkGrid({ size: SIZE, voxelOffset: OFFSET, chunkSize: chunk_sizes[0] });
  for (const position of grid.chunks()) {
    const path = `${key}/${grid.chunkName(position)}`;
    const response = await request(`${folder}/${path}`);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    await store.write(path, new Uint8Array(await response.arrayBuffer()));
  }
  const volume = await openVolumeIn(store, "neuroglancer-precomputed");
  return (await volume.scales[0]!.read(grid.bounds)) as BigUint64Array;
}
