import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import * as zarrita from "zarrita";
import { createVolumeIn, type DataType, type NewVolume, type VolumeFormat } from "../src/index.ts";
import { randomVoxels } from "./oracle.ts";

const layouts: readonly (readonly [VolumeFormat, NewVolume["zarr"]])[] = [
  ["zarr2", { compressor: "zstd" }],
  ["zarr2", { compressor: "blosc" }],
  ["zarr3", { compressor: "zstd" }],
  ["zarr3", { compressor: "none", shardSize: [12, 8, 16] }],
  ["zarr3", { compressor: "gzip", shardSize: [6, 4, 4] }],
];

/** A store as zarrita wants it. */
function readable(store: KvStore): zarrita.AsyncReadable {
  return {
    get: async (key) => (await store.read(key.slice(1)))?.value,
    getRange: async (key, range) => (await store.read(key.slice(1), { range }))?.value,
  };
}

test.each(
  layouts.flatMap((layout) =>
    (["uint8", "uint32", "uint64", "float32"] as const).map((type) => [...layout, type] as const),
  ),
)("zarrita reads what we write: %s, %j, %s", async (format, zarr, dataType: DataType) => {
  const store = memoryKvStore();
  const scales = [{ size: [13, 9, 11], resolution: [8, 8, 40], chunkSize: [6, 4, 4] }] as const;
  const volume = await createVolumeIn(store, format, { kind: "segmentation", dataType, scales, ...(zarr && { zarr }) });
  const data = randomVoxels(new Random(1), dataType, 13 * 9 * 11);
  await volume.scales[0]!.write({ begin: [0, 0, 0], end: [13, 9, 11] }, data);
  const array = await zarrita.open(zarrita.root(readable(store)).resolve("0"), { kind: "array" });
  const read = await zarrita.get(array);
  expect(read.shape).toEqual([11, 9, 13]);
  expect(read.data).toEqual(data);
});
