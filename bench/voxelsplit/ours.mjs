// Measures splitVoxels of @pcg/multicut; peer.py splits the same object with SciPy and scikit-image under the same keys.
//   node bench/voxelsplit/ours.mjs
// Seconds from the mask to the sides; median of runs after one that warms up. Memory is what the process grew by at its highest,
// in the first call, mask aside.
import { loadavg } from "node:os";
import { splitVoxels } from "../../packages/multicut/dist/voxel/index.js";

const small = merger([256, 256, 64], 1);
const large = merger([512, 512, 128], 2);
const before = process.memoryUsage.rss();
await splitVoxels(large);
const grown = process.resourceUsage().maxRSS * 1024 - before;
const seconds = (value, goal) => ({ value, unit: "s", better: "lower", ...(goal && { goal }) });
const result = {
  banded_256x256x64: seconds(await measure("banded_256x256x64", small, "banded", 5), 1),
  banded_512x512x128: seconds(await measure("banded_512x512x128", large, "banded", 3), 6),
  geodesic_256x256x64: seconds(await measure("geodesic_256x256x64", small, "geodesic", 3)),
  geodesic_512x512x128: seconds(await measure("geodesic_512x512x128", large, "geodesic", 2)),
  memory_512x512x128: { value: grown / large.mask.length, unit: "bytes per voxel", better: "lower", goal: 24 },
};
console.log(JSON.stringify(result));

/** The median; on a busy machine the fastest run and the processor time, on stderr, say more. */
async function measure(name, request, method, runs) {
  const times = [];
  const processor = [];
  for (let run = 0; run <= runs; run++) {
    const before = process.cpuUsage();
    const from = performance.now();
    await splitVoxels({ ...request, method });
    const { user, system } = process.cpuUsage(before);
    if (run === 0) continue;
    times.push((performance.now() - from) / 1000);
    processor.push((user + system) / 1e6);
  }
  const [fastest, middle, work] = [Math.min(...times), median(times), median(processor)].map((s) => s.toFixed(2));
  const load = loadavg()[0].toFixed(1);
  console.error(`${name}: fastest ${fastest} s, median ${middle} s, processor time ${work} s, load ${load}`);
  return Math.round(median(times) * 1000) / 1000;
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** Two touching bodies with three seeds each: 30 % of the box. Voxels of 4×4×12 nm, times `scale` in the larger box. */
function merger(size, scale) {
  const [sx, sy, sz] = size;
  const mask = new Uint8Array(sx * sy * sz);
  for (let z = 0, voxel = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, voxel++) {
        const across = (y / scale - 128) ** 2 + ((z / scale - 32) * 3) ** 2;
        if ((x / scale - 80) ** 2 + across < 90 ** 2 || (x / scale - 190) ** 2 + across < 62 ** 2) mask[voxel] = 1;
      }
    }
  }
  const seeds = [
    [
      [60, 128, 32],
      [50, 180, 32],
      [90, 60, 36],
    ],
    [
      [210, 130, 30],
      [220, 100, 32],
      [200, 160, 32],
    ],
  ].map((group) => group.map((at) => at.map((a) => a * scale)));
  return { mask, size, voxelSize: [4, 4, 12], seeds };
}
