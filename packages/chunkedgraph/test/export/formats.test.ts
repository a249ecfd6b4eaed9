import type { VolumeFormat, Xyz } from "@pcg/volume";
import { beforeAll, describe, expect, test } from "vitest";
import type { ExportOptions, ExportReport } from "../../src/export.ts";
import { differences, World } from "./world.ts";

const precomputed = "neuroglancer-precomputed" satisfies VolumeFormat;
/** 2×2×2 chunks in a shard. */
const smallShards = {
  "@type": "neuroglancer_uint64_sharded_v1",
  hash: "identity",
  preshift_bits: 1,
  minishard_bits: 2,
  shard_bits: 6,
  minishard_index_encoding: "gzip",
  data_encoding: "gzip",
} as const;
const targets: readonly (readonly [string, Partial<ExportOptions> & { readonly format: VolumeFormat }])[] = [
  ["precomputed as it comes", { format: precomputed }],
  ["precomputed in chunks that cut across supervoxel files", { format: precomputed, chunkSize: [13, 29, 11] }],
  ["precomputed in one chunk larger than the volume", { format: precomputed, chunkSize: [128, 128, 128] }],
  ["precomputed in other blocks", { format: precomputed, precomputed: { compressedSegmentationBlockSize: [5, 4, 3] } }],
  ["precomputed raw", { format: precomputed, precomputed: { encoding: "raw" } }],
  ["precomputed in one shard", { format: precomputed, chunkSize: [16, 16, 16], precomputed: { sharding: true } }],
  ["precomputed in shards", { format: precomputed, chunkSize: [16, 16, 16], precomputed: { sharding: smallShards } }],
  [
    "precomputed in hashed shards, which are no boxes",
    {
      format: precomputed,
      chunkSize: [16, 16, 16],
      precomputed: { sharding: { ...smallShards, hash: "murmurhash3_x86_128" } },
    },
  ],
  ["zarr v2", { format: "zarr2" }],
  ["zarr v3", { format: "zarr", chunkSize: [20, 30, 40] }],
  ["zarr v3 in shards", { format: "zarr3", chunkSize: [16, 8, 8], zarr: { shardSize: [32, 48, 16] } }],
];

const shapes: readonly (readonly [string, { size: Xyz; voxelOffset: Xyz; chunkSize: Xyz }])[] = [
  ["odd size, offsets of either sign", { size: [61, 43, 37], voxelOffset: [5, -9, 1000], chunkSize: [24, 16, 16] }],
  ["one slice", { size: [70, 50, 1], voxelOffset: [0, 0, 3], chunkSize: [32, 32, 1] }],
  ["one graph chunk", { size: [20, 21, 22], voxelOffset: [1, 2, 3], chunkSize: [64, 64, 64] }],
];

describe.each(shapes)("a volume of %s", (_, shape) => {
  let world: World;
  let [atFirst, now]: [BigUint64Array, BigUint64Array] = [new BigUint64Array(), new BigUint64Array()];
  let early: ExportReport;

  beforeAll(async () => {
    world = await World.make(shape);
    atFirst = world.objects();
    early = await world.export("early");
    for (let n = 0; n < 4; n++) await world.merge();
    now = world.objects();
  });

  test("exports what was ingested, before anything is merged", async () => {
    const { settings } = world.graph;
    const objects = new Set(atFirst.filter((root) => root !== 0n)).size;
    const { size } = settings;
    const voxels = size[0] * size[1] * size[2];
    expect(early).toMatchObject({ outcome: "new", time: settings.ingestTime, size, voxels, objects });
    expect(differences(await world.read("early"), atFirst)).toBe(0);
    expect(differences(now, atFirst)).toBeGreaterThan(0);
  });

  test.each(targets)("exports to %s: every voxel its root, now and then", async (name, options) => {
    const report = await world.export(`${name}/now`, options);
    expect(report.time).toBe(await world.graph.settledTime());
    expect(report.objects).toBe(early.objects! - 4);
    expect(differences(await world.read(`${name}/now`), now)).toBe(0);

    const { kind, scales } = await world.open(`${name}/now`);
    const { size, voxelOffset, resolution } = world.graph.settings;
    expect(kind).toBe("segmentation");
    expect(scales).toHaveLength(1);
    expect(scales[0]).toMatchObject({ dataType: "uint64", channels: 1, size, voxelOffset, resolution });

    await world.export(`${name}/past`, { ...options, time: early.time });
    expect(differences(await world.read(`${name}/past`), atFirst)).toBe(0);
  });
});
