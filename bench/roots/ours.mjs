// Roots of 10^5 supervoxels in LMDB, in one call: first with nothing remembered, then warm, now and before 200 merges:
//   node bench/roots/ours.mjs [--folder DIR]
// PCG_BENCH_SIZE=8 or 64: on a graph as many times larger.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isGraphError, openGraph } from "../../packages/chunkedgraph/dist/index.js";
import { makeGraph } from "../merge/graph.mjs";

const COUNT = 100_000;
const at = process.argv.indexOf("--folder");
const folder = await mkdtemp(join(at > 0 ? process.argv[at + 1] : tmpdir(), "pcg-bench-roots-"));
const { rows, voxels, size } = await makeGraph(folder);
const seen = new Set();
for (let z = 0; z < size[2] && seen.size < COUNT; z += 32)
  for (const id of await voxels.read({ begin: [0, 0, z], end: [size[0], size[1], z + 32] })) seen.add(id);
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const ids = BigUint64Array.from([...seen].slice(0, COUNT));
for (let i = ids.length - 1; i > 0; i--) {
  const k = Math.floor(random() * (i + 1));
  [ids[i], ids[k]] = [ids[k], ids[i]];
}

const editor = await openGraph({ rows, voxels });
const before = await editor.settledTime();
for (let merges = 0; merges < 200; ) {
  const a = [0, 1, 2].map((axis) => Math.floor(random() * (size[axis] - 8)));
  const points = [a, [a[0], a[1] + 5, a[2]]];
  const supervoxels = await editor.supervoxelsAt(points);
  try {
    await editor.merge({ user: "bench", picks: points.map((position, i) => ({ id: supervoxels[i], position })) });
    merges++;
  } catch (error) {
    if (!isGraphError(error)) throw error;
  }
}

const graph = await openGraph({ rows });
const time = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
const median = async (work) => {
  const times = [];
  for (let i = 0; i < 15; i++) times.push(await time(work));
  return times.sort((x, y) => x - y)[7];
};
const now = await graph.view();
const past = await graph.view(before);
const cold = await time(() => now.roots(ids));
const warm = await median(() => now.roots(ids));
const ago = await median(() => past.roots(ids));
await rows.close();
await rm(folder, { recursive: true });
const metric = (value) => ({ value, unit: "ms", better: "lower" });
console.log(JSON.stringify({ roots_warm: metric(warm), roots_past_warm: metric(ago), roots_cold: metric(cold) }));
