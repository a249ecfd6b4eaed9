// Measures @pcg/kernels on the real segmentation beside the repository; peer.py measures the C++ peers under the same keys.
//   node bench/kernels/ours.mjs [--data ../shared/data]
// MVoxel/s, median of runs over at least `SECONDS`, one thread.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as kernels from "../../packages/kernels/dist/index.js";

const SECONDS = 0.7;
const CHUNK = [64, 64, 64];
const BLOCK = [8, 8, 8];
const SIDE = 256;

const at = process.argv.indexOf("--data");
const data = at > 0 ? process.argv[at + 1] : fileURLToPath(new URL("../../../shared/data", import.meta.url));
const chunks = await readChunks(join(data, "segmentation", "8_8_40"));
const decoded = chunks.map(({ bytes }) => kernels.decodeCompressedSegmentation(bytes, CHUNK, 1, BLOCK, "uint64"));
const indexed = decoded.map((labels) => kernels.renumber(labels));
const volume = assemble();
const components = kernels.connectedComponents(volume, [SIDE, SIDE, SIDE], 6);
const chunkComponents = decoded.map((labels) => kernels.connectedComponents(labels, CHUNK, 6));
// Decoding and components write into arrays that are used again, as a reader of many chunks does; the peers' allocators
// hand out the same memory again by themselves. The `_fresh` metrics take new arrays, whose pages the system must clear.
const scratchLabels = new BigUint64Array(64 ** 3);
const scratchComponents = new Uint32Array(64 ** 3);
const scratchVolume = new Uint32Array(SIDE ** 3);
const voxels = SIDE ** 3;
const cube = [SIDE, SIDE, SIDE];

const metrics = {
  decode_fresh_u64_64: () =>
    each((i) => kernels.decodeCompressedSegmentation(chunks[i].bytes, CHUNK, 1, BLOCK, "uint64")),
  decode_u64_64: () =>
    each((i) => kernels.decodeCompressedSegmentation(chunks[i].bytes, CHUNK, 1, BLOCK, "uint64", scratchLabels)),
  encode_u64_64: () => each((i) => kernels.encodeCompressedSegmentation(decoded[i], CHUNK, 1, BLOCK)),
  components6_fresh_u64_64: () => each((i) => kernels.connectedComponents(decoded[i], CHUNK, 6)),
  components26_fresh_u64_64: () => each((i) => kernels.connectedComponents(decoded[i], CHUNK, 26)),
  components6_u64_64: () => each((i) => kernels.connectedComponents(decoded[i], CHUNK, 6, scratchComponents)),
  components26_u64_64: () => each((i) => kernels.connectedComponents(decoded[i], CHUNK, 26, scratchComponents)),
  components6_u64_256: () => kernels.connectedComponents(volume, cube, 6, scratchVolume),
  components6_fresh_u64_256: () => kernels.connectedComponents(volume, cube, 6),
  components26_u64_256: () => kernels.connectedComponents(volume, cube, 26, scratchVolume),
  components26_fresh_u64_256: () => kernels.connectedComponents(volume, cube, 26),
  statistics_64: () =>
    each((i) => kernels.componentStats(chunkComponents[i].components, CHUNK, chunkComponents[i].count)),
  statistics_256: () => kernels.componentStats(components.components, cube, components.count),
  contacts_64: () => each((i) => kernels.countContacts(chunkComponents[i].components, CHUNK)),
  contacts_256: () => kernels.countContacts(components.components, cube),
  renumber_u64_64: () => each((i) => kernels.renumber(decoded[i])),
  decode_indexed_64: () => each((i) => kernels.decodeCompressedSegmentationIndexed(chunks[i].bytes, CHUNK, BLOCK)),
  encode_indexed_64: () =>
    each((i) => kernels.encodeCompressedSegmentationIndexed(indexed[i].indices, indexed[i].labels, CHUNK, BLOCK)),
  remap_64: () =>
    each((i) => kernels.remapCompressedSegmentation(chunks[i].bytes, CHUNK, 1, BLOCK, (labels) => labels)),
};

const result = {};
for (const [name, run] of Object.entries(metrics)) result[name] = measure(run);
console.log(
  JSON.stringify(
    Object.fromEntries(
      Object.entries(result).map(([name, value]) => [name, { value, unit: "MVoxel/s", better: "higher" }]),
    ),
  ),
);

function each(run) {
  for (let i = 0; i < chunks.length; i++) run(i);
}

function measure(run) {
  run();
  const times = [];
  for (const start = performance.now(); performance.now() - start < SECONDS * 1000 || times.length < 3; ) {
    const from = performance.now();
    run();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return Math.round((voxels / times[times.length >> 1] / 1000) * 10) / 10;
}

/** The first SIDE³ voxels, as encoded chunks in the order of their corners. */
async function readChunks(folder) {
  const names = (await readdir(folder)).map((name) => {
    const corner = name.split("_").map((range) => Number(range.split("-")[0]));
    return { name, corner };
  });
  const low = [0, 1, 2].map((axis) => Math.min(...names.map(({ corner }) => corner[axis])));
  const inside = names
    .map(({ name, corner }) => ({ name, at: corner.map((x, axis) => x - low[axis]) }))
    .filter(({ at }) => at.every((x) => x < SIDE))
    .sort((a, b) => a.at[2] - b.at[2] || a.at[1] - b.at[1] || a.at[0] - b.at[0]);
  return Promise.all(
    inside.map(async ({ name, at }) => ({ at, bytes: new Uint8Array(await readFile(join(folder, name))) })),
  );
}

function assemble() {
  const whole = new BigUint64Array(SIDE ** 3);
  chunks.forEach(({ at }, i) => {
    for (let row = 0; row < 64 * 64; row++) {
      const y = at[1] + (row % 64);
      const z = at[2] + Math.floor(row / 64);
      whole.set(decoded[i].subarray(row * 64, row * 64 + 64), at[0] + SIDE * (y + SIDE * z));
    }
  });
  return whole;
}
