// Latency of merges on a graph of 10^5 supervoxels in LMDB, each durable before the next begins:
//   node bench/merge/ours.mjs [--merges N] [--folder DIR]
// PCG_BENCH_SIZE=8 or 64: on a graph as many times larger.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isGraphError, openGraph } from "../../packages/chunkedgraph/dist/index.js";
import { makeGraph } from "./graph.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : otherwise;
};
const merges = Number(option("merges", 600));
const folder = await mkdtemp(join(option("folder", tmpdir()), "pcg-bench-merge-"));
const { rows, voxels, report, size, width } = await makeGraph(folder);
console.error(`${report.supervoxels} supervoxels, ingested in ${Math.round(report.seconds)} s`);
const graph = await openGraph({ rows, voxels });

let state = 1;
const below = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

/** Two touching objects somewhere: a voxel and another one tube further on. */
async function somewhere() {
  const a = [below(size[0]), below(size[1] - width), below(size[2])];
  const points = [a, [a[0], a[1] + width, a[2]]];
  const supervoxels = await graph.supervoxelsAt(points);
  const objects = await (await graph.view()).roots(supervoxels);
  return objects[0] === objects[1] ? somewhere() : { points, supervoxels, objects };
}

async function measure(by) {
  const times = [];
  while (times.length < merges) {
    const place = await somewhere();
    const [a, b] = place.points.map((position, i) => ({ id: place[by][i], position }));
    const start = performance.now();
    try {
      await graph.merge({ user: "bench", picks: [a, b] });
      times.push(performance.now() - start);
    } catch (error) {
      if (!isGraphError(error)) throw error;
    }
  }
  return times.sort((x, y) => x - y);
}

await measure("supervoxels"); // warm-up of code and caches; the graph is as fresh elsewhere
const bySupervoxel = await measure("supervoxels");
const byObject = await measure("objects");
const syncs = [];
for (let i = 0; i < 200; i++) {
  const start = performance.now();
  const column = { family: "b", qualifier: Uint8Array.of(1) };
  await rows.mutate([{ key: Uint8Array.of(1), ops: [{ op: "set", column, value: Uint8Array.of(i), timestamp: 0n }] }]);
  syncs.push(performance.now() - start);
}
syncs.sort((x, y) => x - y);
await graph.close();
await rows.close();
await rm(folder, { recursive: true });

const at = (times, share) => ({ value: times[Math.floor(times.length * share)], unit: "ms", better: "lower" });
const result = {
  merge_p50: at(bySupervoxel, 0.5),
  merge_p99: at(bySupervoxel, 0.99),
  merge_by_object_p50: at(byObject, 0.5),
  merge_by_object_p99: at(byObject, 0.99),
  one_durable_write_p50: at(syncs, 0.5),
};
console.log(JSON.stringify(result));
