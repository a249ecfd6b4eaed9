import { memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { addScale, encodeInfo, isPrecomputedError, parseInfo, readInfo, writeInfo } from "../src/index.ts";

type Json = Record<string, unknown>;

const scale: Json = {
  key: "8_8_40",
  size: [100, 90, 80],
  resolution: [8, 8, 40],
  chunk_sizes: [[64, 64, 64]],
  encoding: "compressed_segmentation",
  compressed_segmentation_block_size: [8, 8, 8],
};
const document: Json = { type: "segmentation", data_type: "uint64", num_channels: 1, scales: [scale] };
const withScale = (members: Json): Json => ({ ...document, scales: [{ ...scale, ...members }] });
const image = (encoding: string, dataType: string, channels: number): Json => ({
  ...document,
  type: "image",
  data_type: dataType,
  num_channels: channels,
  scales: [{ ...scale, encoding }],
});
const sharding: Json = {
  "@type": "neuroglancer_uint64_sharded_v1",
  preshift_bits: 1,
  hash: "identity",
  minishard_bits: 2,
  shard_bits: 3,
};

function failure(json: unknown): { path: unknown; message: string } {
  try {
    parseInfo(json);
  } catch (error) {
    if (isPrecomputedError(error, "INVALID_INFO")) return { path: error.fields.path, message: error.message };
    throw error;
  }
  throw new Error("the info was accepted");
}

test("an info gets its offset, loses a null sharding and keeps what we do not know", () => {
  const info = parseInfo({
    ...document,
    mesh: "mesh",
    vendor: [1, { a: null }],
    scales: [{ ...scale, sharding: null, realize: true }],
  });
  expect(info.scales[0]).toEqual({ ...scale, voxel_offset: [0, 0, 0], realize: true });
  expect(parseInfo(encodeInfo(info))).toEqual(info);
  expect(info).toMatchObject({ mesh: "mesh", vendor: [1, { a: null }] });
});

test("data types are read in any case", () => {
  expect(parseInfo({ ...document, data_type: "UInt64" }).data_type).toBe("uint64");
});

test("a scale in an encoding we do not know parses, so that the other scales can be read", () => {
  expect(parseInfo(withScale({ encoding: "crackle" })).scales[0]!.encoding).toBe("crackle");
});

test.each<[string, unknown, string]>([
  ["not an object", [], ""],
  ["not JSON", "{", ""],
  ["not UTF-8", Uint8Array.of(0xff, 0xfe, 0x7b), ""],
  ["a mesh's info", { ...document, "@type": "neuroglancer_legacy_mesh" }, "@type"],
  ["another type", { ...document, type: "mesh" }, "type"],
  ["no data type", { ...document, data_type: undefined }, "data_type"],
  ["a data type of numpy's", { ...document, data_type: "int64" }, "data_type"],
  ["channels as text", { ...document, num_channels: "1" }, "num_channels"],
  ["no channel", { ...document, num_channels: 0 }, "num_channels"],
  ["a segmentation of three channels", { ...document, num_channels: 3 }, "num_channels"],
  ["a segmentation of floats", { ...document, data_type: "float32" }, "data_type"],
  ["a mesh that is no path", { ...document, mesh: 5 }, "mesh"],
  ["no scales", { ...document, scales: [] }, "scales"],
  ["a scale that is no object", { ...document, scales: [scale, 3] }, "scales[1]"],
  ["an empty key", withScale({ key: "" }), "scales[0].key"],
  ["two sizes", withScale({ size: [1, 2] }), "scales[0].size"],
  ["a size of zero", withScale({ size: [1, 0, 2] }), "scales[0].size"],
  ["a size past 2^53", withScale({ size: [2 ** 53, 1, 1] }), "scales[0].size"],
  ["a fractional offset", withScale({ voxel_offset: [0.5, 0, 0] }), "scales[0].voxel_offset"],
  ["an offset whose far end passes 2^53", withScale({ voxel_offset: [2 ** 53 - 50, 0, 0] }), "scales[0].voxel_offset"],
  ["a resolution of zero", withScale({ resolution: [8, 8, 0] }), "scales[0].resolution"],
  ["no chunk size", withScale({ chunk_sizes: [] }), "scales[0].chunk_sizes"],
  ["a negative chunk size", withScale({ chunk_sizes: [[64, -64, 64]] }), "scales[0].chunk_sizes[0]"],
  [
    "chunks past 2 GiB",
    withScale({
      size: [4096, 4096, 4096],
      chunk_sizes: [
        [64, 64, 64],
        [2048, 2048, 128],
      ],
    }),
    "scales[0].chunk_sizes[1]",
  ],
  ["no encoding", withScale({ encoding: undefined }), "scales[0].encoding"],
  [
    "no block size",
    withScale({ compressed_segmentation_block_size: undefined }),
    "scales[0].compressed_segmentation_block_size",
  ],
  [
    "a block of zero",
    withScale({ compressed_segmentation_block_size: [8, 8, 0] }),
    "scales[0].compressed_segmentation_block_size",
  ],
  [
    "a huge block",
    withScale({ compressed_segmentation_block_size: [4096, 4096, 8] }),
    "scales[0].compressed_segmentation_block_size",
  ],
  ["compressed_segmentation of bytes", image("compressed_segmentation", "uint8", 1), "scales[0].encoding"],
  ["png of 32 bits", image("png", "uint32", 1), "scales[0].encoding"],
  ["png of 5 channels", image("png", "uint8", 5), "scales[0].encoding"],
  ["jpeg of 16 bits", image("jpeg", "uint16", 1), "scales[0].encoding"],
  ["jpeg of 2 channels", image("jpeg", "uint8", 2), "scales[0].encoding"],
  ["compresso of signed labels", image("compresso", "int32", 1), "scales[0].encoding"],
  ["a jpeg quality of 101", withScale({ jpeg_quality: 101 }), "scales[0].jpeg_quality"],
  ["a png level of 10", withScale({ png_level: 10 }), "scales[0].png_level"],
  ["hidden as text", withScale({ hidden: "yes" }), "scales[0].hidden"],
  ["sharding without a type", withScale({ sharding: { ...sharding, "@type": undefined } }), "scales[0].sharding.@type"],
  ["an unknown hash", withScale({ sharding: { ...sharding, hash: "md5" } }), "scales[0].sharding.hash"],
  ["64 preshift bits", withScale({ sharding: { ...sharding, preshift_bits: 64 } }), "scales[0].sharding.preshift_bits"],
  [
    "a shard index of gigabytes",
    withScale({ sharding: { ...sharding, minishard_bits: 30 } }),
    "scales[0].sharding.minishard_bits",
  ],
  ["more than 64 bits", withScale({ sharding: { ...sharding, shard_bits: 63 } }), "scales[0].sharding.shard_bits"],
  [
    "zstd in shards",
    withScale({ sharding: { ...sharding, data_encoding: "zstd" } }),
    "scales[0].sharding.data_encoding",
  ],
  [
    "several chunk sizes in shards",
    withScale({
      sharding,
      chunk_sizes: [
        [64, 64, 64],
        [32, 32, 32],
      ],
    }),
    "scales[0].chunk_sizes",
  ],
])("refused, naming the member: %s", (_, json, path) => {
  expect(failure(json).path).toBe(path);
});

test("an error shows the member, its value and the remedy", () => {
  expect(failure(withScale({ chunk_sizes: [[64, 64]] })).message).toBe(
    "info: scales[0].chunk_sizes[0] must be three integers [x, y, z], none below 1, below 2^53; it is [64,64]",
  );
});

test("a huge chunk is fine where the volume is small", () => {
  expect(parseInfo(withScale({ chunk_sizes: [[2 ** 31, 2 ** 31, 2 ** 31]] })).scales[0]!.chunk_sizes[0]![0]).toBe(
    2 ** 31,
  );
});

describe("stored", () => {
  test("a missing info is NOT_FOUND and names the store", async () => {
    await expect(readInfo(memoryKvStore("memory://nothing/"))).rejects.toMatchObject({
      code: "NOT_FOUND",
      fields: { url: "memory://nothing/" },
    });
  });

  test("an info is only replaced at the generation it was read at", async () => {
    const store = memoryKvStore();
    const first = parseInfo(document);
    await writeInfo(store, first, { ifGeneration: null });
    await expect(writeInfo(store, first, { ifGeneration: null })).rejects.toMatchObject({ code: "CONFLICT" });
    const { info, generation } = await readInfo(store);
    const more = addScale(info, { ...info.scales[0]!, key: "16_16_40", resolution: [16, 16, 40] });
    await writeInfo(store, more, { ifGeneration: generation });
    await expect(writeInfo(store, first, { ifGeneration: generation })).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await readInfo(store)).info.scales.map((s) => s.key)).toEqual(["8_8_40", "16_16_40"]);
  });

  test("a broken info is not written", async () => {
    const store = memoryKvStore();
    const broken = { ...parseInfo(document), num_channels: 2 };
    await expect(writeInfo(store, broken)).rejects.toMatchObject({ code: "INVALID_INFO" });
    expect(await store.read("info")).toBeUndefined();
  });

  test("a scale under a key that is taken is refused", () => {
    const info = parseInfo(document);
    expect(() => addScale(info, info.scales[0]!)).toThrow(/scales\[1\]\.key is the key of another scale/);
  });
});
