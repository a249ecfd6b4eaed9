// Measures splitVoxels of @pcg/multicut; peer.py splits the same object with SciPy and scikit-image under the same keys.
//   node bench/voxelsplit/ours.mjs
// Seconds from the mask to the sides; median of runs after one that warms up.
import { splitVoxels } from "../../packages/multicut/dist/voxel/index.js";

const small = merger([256, 256, 64], 1);
const large = merger([512, 512, 128], 2);
const result = {
  banded_256x256x64: await measure(small, "banded", 5),
  banded_512x512x128: await measure(large, "banded", 3),
  geodesic_256x256x64: await measure(small, "geodesic", 3),
  geodesic_512x512x128: await measure(large, "geodesic", 2),
};
console.log(
  JSON.stringify(
    Object.fromEntries(Object.entries(result).map(([name, value]) => [name, { value, unit: "s", better: "lower" }])),
  ),
);

async function measure(request, method, runs) {
  const times = [];
  for (let run = 0; run <= runs; run++) {
    const from = performance.now();
    await splitVoxels({ ...request, method });
    if (run > 0) times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return Math.round(times[times.length >> 1]) / 1000;
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
