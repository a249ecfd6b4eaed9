import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { createVolume, createVolumeIn, openVolumeIn, volumeFormats } from "../src/index.ts";
import { wrapStore } from "./wrap-store.ts";

const scales = [
  { size: [40, 20, 10], voxelOffset: [2, 4, 6], resolution: [8, 8, 40] },
  { size: [20, 10, 10], voxelOffset: [1, 2, 6], resolution: [16, 16, 40] },
] as const;
const newVolume = { kind: "segmentation", dataType: "uint64", scales } as const;

async function contents(store: KvStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list()) {
    const name = new TextDecoder().decode(key);
    found[name] = new TextDecoder().decode((await store.read(name))!.value);
  }
  return found;
}

test.each([
  ["neuroglancer-precomputed", "info"],
  ["zarr2", ".zattrs"],
  ["zarr3", "zarr.json"],
] as const)("the metadata that makes a %s volume is written last: %s", async (format, last) => {
  const store = memoryKvStore();
  const written: string[] = [];
  const noting = wrapStore(store, {
    write: (key, value, options) => {
      if (value !== null) written.push(key as string);
      return store.write(key, value, options);
    },
  });
  await createVolumeIn(noting, format, newVolume);
  expect(written.at(-1)).toBe(last);
  expect(written.filter((key) => key === last)).toHaveLength(1);
});

test.each(volumeFormats)("creating the same %s volume twice opens it and keeps its voxels", async (format) => {
  const store = memoryKvStore();
  const volume = await createVolumeIn(store, format, newVolume);
  const box = { begin: [2, 4, 6], end: [4, 5, 7] } as const;
  await volume.scales[0]!.write(box, BigUint64Array.of(5n, 6n));
  const before = await contents(store);
  const again = await createVolumeIn(store, format, newVolume);
  expect(await again.scales[0]!.read(box)).toEqual(BigUint64Array.of(5n, 6n));
  expect(await contents(store)).toEqual(before);
});

test.each(volumeFormats)("another volume in the same place is refused and left alone (%s)", async (format) => {
  const store = memoryKvStore();
  await createVolumeIn(store, format, newVolume);
  const before = await contents(store);
  const others = [
    { dataType: "uint32" },
    { scales: [scales[0]] },
    { scales: [{ ...scales[0], size: [41, 20, 10] }] },
  ] as const;
  for (const other of others) {
    await expect(createVolumeIn(store, format, { ...newVolume, ...other })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
  }
  for (const other of volumeFormats) {
    if (other === format || (format === "zarr" && other === "zarr3") || (format === "zarr3" && other === "zarr"))
      continue;
    await expect(createVolumeIn(store, other, newVolume)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  }
  expect(await contents(store)).toEqual(before);
});

test("a creation that was cut off is no volume yet, and can be done again", async () => {
  for (const format of ["zarr2", "zarr3"] as const) {
    const store = memoryKvStore();
    let left = 2;
    const failing = wrapStore(store, {
      write: async (key, value, options) => {
        if (left-- === 0) throw new Error("power cut");
        return store.write(key, value, options);
      },
    });
    await expect(createVolumeIn(failing, format, newVolume)).rejects.toThrow("power cut");
    await expect(openVolumeIn(store, undefined)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const volume = await createVolumeIn(store, format, newVolume);
    expect(volume.scales).toHaveLength(2);
  }
});

test("of many creators of different volumes one wins whole", async () => {
  for (const format of volumeFormats) {
    const store = memoryKvStore();
    const types = ["uint8", "uint16", "uint32", "uint64"] as const;
    const results = await Promise.allSettled(
      types.map((dataType) => createVolumeIn(store, format, { ...newVolume, dataType })),
    );
    const winners = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(winners).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ALREADY_EXISTS" });
    const opened = await openVolumeIn(store, undefined);
    expect(opened.scales.map((scale) => scale.dataType)).toEqual([
      winners[0]!.scales[0]!.dataType,
      winners[0]!.scales[0]!.dataType,
    ]);
  }
});

test.each([
  ["no scales", { scales: [] }, "at least one scale"],
  ["an unknown type", { dataType: "uint128" }, "uint128"],
  ["a fractional size", { scales: [{ ...scales[0], size: [1.5, 1, 1] }] }, "scales[0].size"],
  ["an offset beyond 2^53", { scales: [{ ...scales[0], voxelOffset: [2 ** 60, 0, 0] }] }, "voxelOffset"],
  ["a resolution of zero", { scales: [{ ...scales[0], resolution: [0, 1, 1] }] }, "resolution"],
  ["a chunk of zero", { scales: [{ ...scales[0], chunkSize: [0, 1, 1] }] }, "chunkSize"],
  ["two numbers where three belong", { scales: [{ ...scales[0], size: [1, 1] }] }, "scales[0].size"],
  ["a key out of the volume", { scales: [{ ...scales[0], key: "../x" }] }, "scales[0].key"],
  ["one key twice", { scales: scales.map((scale) => ({ ...scale, key: "a" })) }, "another scale"],
  ["half a channel", { channels: 0.5 }, "channels"],
])("a new volume with %s is refused before anything is written: %j", async (_what, change, message) => {
  for (const format of volumeFormats) {
    const store = memoryKvStore();
    await expect(createVolumeIn(store, format, { ...newVolume, ...(change as object) })).rejects.toThrow(message);
    expect(await contents(store)).toEqual({});
  }
});

test.each([
  ["zarr2", { zarr: { shardSize: [64, 64, 64] } }, "zarr v2 has no shards"],
  ["zarr3", { zarr: { shardSize: [64, 64, 63] } }, "shard"],
  ["zarr3", { zarr: { fillValue: -1 } }, "fillValue -1"],
  ["zarr3", { zarr: { fillValue: 2 ** 60 } }, "as a bigint"],
  ["neuroglancer-precomputed", { dataType: "int64" }, "data_type"],
  ["neuroglancer-precomputed", { precomputed: { encoding: "png" } }, "png"],
] as const)("%s refuses %j", async (format, change, message) => {
  const store = memoryKvStore();
  await expect(createVolumeIn(store, format, { ...newVolume, ...(change as object) })).rejects.toThrow(message);
  expect(await contents(store)).toEqual({});
});

test("a sharded precomputed volume gets shards that are boxes of chunks", async () => {
  const store = memoryKvStore();
  const options = { kind: "segmentation", dataType: "uint64", precomputed: { sharding: true } } as const;
  const big = [{ size: [3000, 3000, 1000], resolution: [8, 8, 40] }] as const;
  const volume = await createVolumeIn(store, "neuroglancer-precomputed", { ...options, scales: big });
  expect(volume.scales[0]!.writeSize).toEqual([1024, 512, 512]);
  await volume.scales[0]!.write({ begin: [70, 80, 90], end: [72, 81, 91] }, BigUint64Array.of(1n, 2n));
  const opened = await openVolumeIn(store, undefined);
  expect(await opened.scales[0]!.read({ begin: [70, 80, 90], end: [72, 81, 91] })).toEqual(BigUint64Array.of(1n, 2n));
  expect(Object.keys(await contents(store)).filter((key) => key.endsWith(".shard"))).toHaveLength(1);
});

test("a new volume needs a format in its URL", async () => {
  const creation = createVolume("memory://s/", newVolume, { open: () => memoryKvStore() });
  await expect(creation).rejects.toMatchObject({ code: "UNKNOWN_FORMAT" });
});
