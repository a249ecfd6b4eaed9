import { memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { describe, expect, test } from "vitest";
import {
  createVolumeIn,
  type DataType,
  dataTypes,
  type NewVolume,
  openVolumeIn,
  type VolumeFormat,
  type Xyz,
} from "../src/index.ts";
import { expectSame, Oracle, randomBox, randomVoxels } from "./oracle.ts";

interface Case {
  readonly format: VolumeFormat;
  readonly dataType: DataType;
  readonly options: Partial<NewVolume>;
  readonly chunkSize?: Xyz;
}

const identity = {
  "@type": "neuroglancer_uint64_sharded_v1",
  preshift_bits: 1,
  hash: "identity",
  minishard_bits: 1,
  shard_bits: 8,
  minishard_index_encoding: "gzip",
  data_encoding: "gzip",
} as const;

const precomputedTypes = dataTypes.filter((type) => type !== "int64" && type !== "float64");
const zarr: Case[] = dataTypes.flatMap((dataType) => [
  { format: "zarr2", dataType, options: { zarr: { compressor: "blosc" } } },
  { format: "zarr2", dataType, options: { channels: 3, zarr: { compressor: "gzip" } } },
  { format: "zarr3", dataType, options: { channels: 2 } },
  { format: "zarr3", dataType, options: { zarr: { compressor: "none", shardSize: [16, 14, 12] } } },
  { format: "zarr3", dataType, options: { channels: 2, zarr: { fillValue: 7, shardSize: [8, 14, 24] } } },
]);
const precomputed: Case[] = precomputedTypes.flatMap((dataType) => [
  { format: "neuroglancer-precomputed", dataType, options: { kind: "image", channels: 3 } },
  { format: "neuroglancer-precomputed", dataType, options: { kind: "image", precomputed: { sharding: identity } } },
]);
const labels: Case[] = (["uint32", "uint64"] as const).flatMap((dataType) => [
  { format: "neuroglancer-precomputed", dataType, options: {} },
  {
    format: "neuroglancer-precomputed",
    dataType,
    options: { precomputed: { sharding: { ...identity, hash: "murmurhash3_x86_128", shard_bits: 1 } } },
  },
]);

describe.each([...zarr, ...precomputed, ...labels])(
  "$format of $dataType, $options",
  ({ format, dataType, options }) => {
    test.each([1, 2])("reads what was written, in any order of boxes (seed %i)", async (seed) => {
      const random = new Random(seed);
      const store = memoryKvStore();
      const scale = {
        size: [random.between(1, 40), random.between(1, 30), random.between(1, 25)] as const,
        voxelOffset: [random.between(-20, 20), random.below(1000), 2 ** 40] as const,
        resolution: [8, 8, 40] as const,
        chunkSize: [8, 7, 6] as const,
      };
      const created = await createVolumeIn(store, format, {
        kind: "segmentation",
        dataType,
        scales: [scale],
        ...options,
      });
      expect(created.scales[0]).toMatchObject({ ...scale, dataType, channels: options.channels ?? 1 });
      const wide = dataType === "uint64" || dataType === "int64";
      const fill = options.zarr?.fillValue ?? 0;
      const oracle = new Oracle(created.scales[0]!, wide ? BigInt(fill) : fill);
      const whole = {
        begin: scale.voxelOffset,
        end: scale.voxelOffset.map((o, i) => o + scale.size[i]!) as unknown as Xyz,
      };
      expectSame(await created.scales[0]!.read(whole), oracle.read(whole));
      for (let step = 0; step < 6; step++) {
        const written = randomBox(random, created.scales[0]!);
        const data = randomVoxels(random, dataType, oracle.count(written));
        await created.scales[0]!.write(written, data);
        oracle.write(written, data);
        const read = randomBox(random, created.scales[0]!);
        expectSame(await created.scales[0]!.read(read), oracle.read(read));
      }
      const opened = await openVolumeIn(store, undefined);
      expectSame(await opened.scales[0]!.read(whole), oracle.data);
    });
  },
);
