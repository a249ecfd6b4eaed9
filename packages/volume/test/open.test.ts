import { type KvStore, memoryDriver, memoryKvStore, openKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { createVolume, createVolumeIn, openVolume, openVolumeIn, volumeFormats } from "../src/index.ts";
import { wrapStore } from "./wrap-store.ts";

const newVolume = {
  kind: "segmentation",
  dataType: "uint64",
  scales: [{ size: [9, 9, 9], resolution: [8, 8, 40] }],
} as const;

function opener() {
  const drivers = memoryDriver();
  return (url: string): Promise<KvStore> => openKvStore(url, drivers);
}

test.each([
  ["neuroglancer-precomputed", "neuroglancer-precomputed", "precomputed"],
  ["zarr2", "zarr2", "zarr2"],
  ["zarr3", "zarr3", "zarr3"],
  ["zarr2", "zarr", "zarr"],
  ["zarr3", "zarr", "zarr"],
] as const)(
  "a %s volume is found by its stage %s:, by the prefix %s://, and by looking",
  async (made, stage, prefix) => {
    const open = opener();
    await createVolume(`memory://s/a/b/|${made}:`, newVolume, { open });
    for (const url of [
      `memory://s/a/b/|${stage}:`,
      `memory://s/a/|${stage}:b`,
      `${prefix}://memory://s/a/b`,
      "memory://s/a/b",
    ]) {
      const volume = await openVolume(url, { open });
      expect(volume.scales[0]).toMatchObject({ size: [9, 9, 9], resolution: [8, 8, 40], dataType: "uint64" });
      expect(volume.kind).toBe("segmentation");
      await volume.close();
    }
  },
);

test("a volume names the URL it can be opened by again", async () => {
  const open = opener();
  for (const format of ["neuroglancer-precomputed", "zarr2", "zarr3"]) {
    await createVolume(`memory://s/${format}/x/|${format}:`, newVolume, { open });
    for (const url of [`memory://s/${format}/x/`, `memory://s/${format}/|${format}:x`]) {
      const volume = await openVolume(url, { open });
      expect(volume.url).toBe(`memory://s/${format}/x/|${format}:`);
      expect((await openVolume(volume.url, { open })).url).toBe(volume.url);
    }
  }
});

test("where there is no volume, the error lists what was looked for", async () => {
  const opening = openVolume("memory://s/nothing/", { open: opener() });
  await expect(opening).rejects.toMatchObject({ code: "NOT_FOUND" });
  for (const name of ["memory://s/nothing/", "info", "zarr.json", ".zarray", ".zattrs", ".zgroup"]) {
    await expect(opening).rejects.toThrow(name);
  }
});

test.each(volumeFormats)("where there is no %s volume, the error says what was missing", async (format) => {
  await expect(openVolume(`memory://s/|${format}:`, { open: opener() })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test.each(["n5", "graphene"])("a volume format we do not read is refused by name: %s", async (format) => {
  await expect(openVolume(`memory://s/|${format}:`, { open: opener() })).rejects.toMatchObject({
    code: "UNKNOWN_FORMAT",
  });
  await expect(openVolume(`${format}://memory://s/`, { open: opener() })).rejects.toThrow(`"${format}:"`);
});

test("an unknown driver is the store's error, with the drivers that are known", async () => {
  await expect(openVolume("s3://bucket/x/|zarr:", { open: opener() })).rejects.toMatchObject({
    code: "unknown-driver",
  });
});

test("a store is closed when its volume is, and when opening fails", async () => {
  let closed = 0;
  const open = (): KvStore => {
    const store = memoryKvStore();
    const wrapped = wrapStore(store, {});
    return { ...wrapped, close: async () => void closed++ };
  };
  await expect(openVolume("memory://s/", { open })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(closed).toBe(1);
  const volume = await createVolume("memory://s/|zarr3:", newVolume, { open });
  await volume.close();
  expect(closed).toBe(2);
});

test.each([
  ["zarr.json", '{"zarr_format":3,"node_type":"array"', "is no JSON"],
  ["zarr.json", "[]", "expected an object"],
  ["zarr.json", '{"zarr_format":4,"node_type":"array"}', '"zarr_format"'],
  ["zarr.json", '{"zarr_format":3,"node_type":"group"}', 'has no OME-NGFF "multiscales"'],
  [
    "zarr.json",
    '{"zarr_format":3,"node_type":"group","attributes":{"ome":{"labels":["cells"]}}}',
    "label volumes cells",
  ],
  [".zattrs", '{"multiscales":[{"axes":["z","y","x"],"datasets":[{"path":"0"}]}]}', "has no 0/.zarray"],
  [".zgroup", '{"zarr_format":2}', 'has no OME-NGFF "multiscales"'],
  ["info", '{"@type":"neuroglancer_legacy_mesh"}', "this is no volume"],
])("metadata %s of %s is refused", async (key, text, message) => {
  const store = memoryKvStore();
  await store.write(key, new TextEncoder().encode(text));
  const opening = openVolumeIn(store, undefined);
  await expect(opening).rejects.toMatchObject({ name: "VolumeError" });
  await expect(opening).rejects.toThrow(message);
});

const array = {
  zarr_format: 3,
  node_type: "array",
  shape: [4, 4, 4],
  data_type: "uint64",
  chunk_grid: { name: "regular", configuration: { chunk_shape: [2, 2, 2] } },
  chunk_key_encoding: { name: "default" },
  fill_value: 0,
  codecs: [{ name: "bytes", configuration: { endian: "little" } }],
};
const shardOf = (configuration: object) => ({ codecs: [{ name: "sharding_indexed", configuration }] });
const index = [{ name: "bytes", configuration: { endian: "little" } }];

test.each([
  ["a complex type", { data_type: "complex64" }, "UNSUPPORTED", "complex64"],
  ["a shape with a hole", { shape: [4, null, 4] }, "BAD_METADATA", "shape"],
  ["a negative shape", { shape: [4, -4, 4] }, "BAD_METADATA", "shape"],
  ["an infinite shape", { shape: [4, 1e308, 4] }, "BAD_METADATA", "shape"],
  ["six dimensions", { shape: [1, 1, 1, 1, 1, 1] }, "UNSUPPORTED", "6 dimensions"],
  [
    "chunks of other dimensions",
    { chunk_grid: { name: "regular", configuration: { chunk_shape: [2, 2] } } },
    "BAD_METADATA",
    "chunk_shape",
  ],
  [
    "chunks of no size",
    { chunk_grid: { name: "regular", configuration: { chunk_shape: [0, 2, 2] } } },
    "BAD_METADATA",
    "chunk_shape",
  ],
  [
    "chunks of 2^60 bytes",
    { chunk_grid: { name: "regular", configuration: { chunk_shape: [2 ** 20, 2 ** 20, 2 ** 17] } } },
    "TOO_LARGE",
    "maxChunkBytes",
  ],
  ["an irregular grid", { chunk_grid: { name: "rectangular" } }, "UNSUPPORTED", "rectangular"],
  ["a fill value that does not fit", { fill_value: -1 }, "BAD_METADATA", "fill_value"],
  ["a fractional fill value", { fill_value: 0.5 }, "BAD_METADATA", "fill_value"],
  ["no fill value", { fill_value: undefined }, "BAD_METADATA", "fill_value"],
  ["an unknown codec", { codecs: [...array.codecs, { name: "magic" }] }, "UNSUPPORTED", "magic"],
  ["no codec that makes bytes", { codecs: [{ name: "gzip" }] }, "UNSUPPORTED", "gzip"],
  ["no codecs", { codecs: [] }, "UNSUPPORTED", "(none)"],
  ["an unknown member", { compute: true }, "UNSUPPORTED", "compute"],
  ["a storage transformer", { storage_transformers: [{ name: "indirect" }] }, "UNSUPPORTED", "storage transformer"],
  [
    "a transposition that is none",
    { codecs: [{ name: "transpose", configuration: { order: [0, 0, 1] } }, ...array.codecs] },
    "BAD_METADATA",
    "order",
  ],
  [
    "shards that chunks do not divide",
    shardOf({ chunk_shape: [2, 2, 3], codecs: array.codecs, index_codecs: index }),
    "BAD_METADATA",
    "chunk_shape",
  ],
  [
    "a compressed shard index",
    shardOf({ chunk_shape: [1, 2, 2], codecs: array.codecs, index_codecs: [...index, { name: "gzip" }] }),
    "UNSUPPORTED",
    "index_codecs",
  ],
  [
    "an index in the middle",
    shardOf({ chunk_shape: [1, 2, 2], codecs: array.codecs, index_codecs: index, index_location: "middle" }),
    "BAD_METADATA",
    "index_location",
  ],
  [
    "shards of 2^57 chunks",
    {
      chunk_grid: { name: "regular", configuration: { chunk_shape: [2 ** 19, 2 ** 19, 2 ** 19] } },
      ...shardOf({ chunk_shape: [1, 1, 1], codecs: array.codecs, index_codecs: index }),
    },
    "UNSUPPORTED",
    "chunks in a shard",
  ],
])("a zarr v3 array with %s is refused: %j", async (_what, change, code, message) => {
  const store = memoryKvStore();
  await store.write("zarr.json", new TextEncoder().encode(JSON.stringify({ ...array, ...change })));
  const opening = openVolumeIn(store, undefined);
  await expect(opening).rejects.toMatchObject({ name: "VolumeError", code });
  await expect(opening).rejects.toThrow(message);
});

test.each(["2**53+1", "2**64-1"])("a fill value of %s is read exactly from both versions", async (text) => {
  const fill = text === "2**64-1" ? 2n ** 64n - 1n : 2n ** 53n + 1n;
  for (const format of ["zarr2", "zarr3"] as const) {
    const store = memoryKvStore();
    await createVolumeIn(store, format, { ...newVolume, zarr: { fillValue: fill } });
    const volume = await openVolumeIn(store, format);
    const labels = await volume.scales[0]!.readLabels({ begin: [0, 0, 0], end: [9, 9, 9] });
    expect(labels).toEqual(new BigUint64Array(729).fill(fill));
  }
});
