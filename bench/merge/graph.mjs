// A graph of about 10^5 supervoxels to measure on: winding tubes of 128 voxels, 5 voxels wide, in chunks of 64×64×32.
// PCG_BENCH_SIZE=8 (or 64) makes one as many times larger; its ingest, on one thread, takes as many times longer.

import { ingest, voxelTasks } from "../../packages/chunkedgraph/dist/ingest.js";
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStore } from "../../packages/kvstore/dist/index.js";
import { openLmdbRowStore } from "../../packages/rowstore/dist/lmdb.js";
import { inlineRunner } from "../../packages/tasks/dist/index.js";
import { openVolume } from "../../packages/volume/dist/index.js";

const SIZE = [640 * Number(process.env.PCG_BENCH_SIZE ?? 1), 640, 256];
const WIDTH = 5;
const LENGTH = 128;
const open = (url) => openKvStore(url, fileDriver());

/** Ingests the graph into a folder and opens its rows and supervoxels. */
export async function makeGraph(folder) {
  const rows = await openLmdbRowStore(`${folder}/rows`);
  const openAny = async (url) => (url === tubes.url ? tubes : openVolume(url, { open }));
  const runner = inlineRunner(voxelTasks({ openVolume: openAny, openKvStore: open }));
  const report = await ingest({
    name: "tubes",
    source: tubes,
    rows,
    supervoxels: await open(`file://${folder}/supervoxels/`),
    scratch: await open(`file://${folder}/scratch/`),
    runner,
    chunkSize: [64, 64, 32],
  });
  const supervoxels = await openVolume(`file://${folder}/supervoxels/|neuroglancer-precomputed:`, { open });
  return { rows, voxels: supervoxels.scales[0], report, size: SIZE, width: WIDTH };
}

function label(x, y, z) {
  const row = Math.floor((y + 3 * Math.sin(x / 37)) / WIDTH) + 2;
  const column = Math.floor((z + 3 * Math.cos(x / 29)) / WIDTH) + 2;
  const piece = Math.floor((x + 17 * row + 29 * column) / LENGTH);
  return 1 + piece + 64 * (column + 64 * row);
}

async function read({ begin, end }) {
  const labels = new Uint32Array((end[0] - begin[0]) * (end[1] - begin[1]) * (end[2] - begin[2]));
  let at = 0;
  for (let z = begin[2]; z < end[2]; z++)
    for (let y = begin[1]; y < end[1]; y++) for (let x = begin[0]; x < end[0]; x++) labels[at++] = label(x, y, z);
  return labels;
}

const tubes = {
  url: "memory://tubes/",
  kind: "segmentation",
  scales: [
    {
      key: "8_8_40",
      dataType: "uint32",
      channels: 1,
      size: SIZE,
      voxelOffset: [0, 0, 0],
      resolution: [8, 8, 40],
      chunkSize: [64, 64, 32],
      chunkOrigin: [0, 0, 0],
      read,
      readLabels: read,
      write: () => Promise.reject(new Error("the tubes are read-only")),
    },
  ],
  close: async () => {},
};
