// Box reads and writes of a real segmentation; the peer does the same with TensorStore (on all processors) and with
// cloud-volume (on one, like us). New arrays cost the system's clearing of their pages; "into one array" is without that.
// PCG_BENCH_WORK=8 or 64: so many times over, which shows whether the rate holds.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { encodeInfo, readInfo } from "../../packages/neuroglancer-precomputed/dist/index.js";
import { openVolumeIn } from "../../packages/volume/dist/index.js";

const source = fileURLToPath(new URL("../../../shared/data/segmentation", import.meta.url));
const volume = await openVolumeIn(fileKvStore(source), "neuroglancer-precomputed");
const [scale] = volume.scales;
const box = { begin: scale.voxelOffset, end: scale.voxelOffset.map((o, a) => o + scale.size[a]) };
const voxels = scale.size.reduce((a, b) => a * b);

const labels = await scale.read(box); // warm: files in the page cache, code compiled
const times = Number(process.env.PCG_BENCH_WORK ?? 1);
const read = await seconds(() => scale.read(box));
const readInto = await seconds(() => scale.read(box, { out: labels }));

const target = mkdtempSync(join(tmpdir(), "pcg-bench-"));
const store = fileKvStore(target, { fsync: false });
const { info } = await readInfo(fileKvStore(source));
await store.write("info", encodeInfo({ ...info, scales: [info.scales[0]] }));
const copy = await openVolumeIn(store, "neuroglancer-precomputed", { writable: true });
await copy.scales[0].write(box, labels);
const write = await seconds(() => copy.scales[0].write(box, labels));
rmSync(target, { recursive: true });

const rate = (time) => ({ value: voxels / time / 1e6, unit: "MVoxel/s", better: "higher" });
console.log(
  JSON.stringify({
    "read, beside TensorStore": rate(read),
    "read, beside cloud-volume": rate(read),
    "read into one array, beside TensorStore": rate(readInto),
    "write, beside TensorStore": rate(write),
    "write, beside cloud-volume": rate(write),
  }),
);

async function seconds(work) {
  const begin = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (performance.now() - begin) / 1000 / times;
}
