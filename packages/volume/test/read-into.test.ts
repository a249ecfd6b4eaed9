import { KvStoreError, memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { describe, expect, test } from "vitest";
import {
  allocateVoxels,
  bytesPerVoxel,
  createVolumeIn,
  type DataType,
  openVolumeIn,
  type Scale,
  type VolumeFormat,
} from "../src/index.ts";
import { randomBox, randomVoxels } from "./oracle.ts";
import { wrapStore } from "./wrap-store.ts";

const size = [40, 21, 19] as const;
const voxelOffset = [100, -7, 3] as const;
const newScale = { size, voxelOffset, resolution: [8, 8, 40], chunkSize: [16, 8, 8] } as const;
const whole = { begin: voxelOffset, end: [140, 14, 22] } as const;

async function scaleOf(format: VolumeFormat, dataType: DataType, fill: number): Promise<Scale> {
  const options = format === "zarr3" ? { zarr: { fillValue: fill } } : {};
  const volume = { kind: "segmentation", dataType, scales: [newScale], ...options } as const;
  return (await createVolumeIn(memoryKvStore(), format, volume)).scales[0]!;
}

describe.each([
  ["neuroglancer-precomputed", "uint64", 0],
  ["neuroglancer-precomputed", "uint8", 0],
  ["neuroglancer-precomputed", "int16", 0],
  ["zarr3", "uint64", 5],
  ["zarr3", "int16", 5],
] as const)("%s of %s with fill %i", (format, dataType, fill) => {
  test("a read into an array gives the same as one into a new array, whatever the array held", async () => {
    const random = new Random(7);
    const scale = await scaleOf(format, dataType, fill);
    // Half of the chunks, so that the rest is fill.
    const part = { begin: whole.begin, end: [116, 14, 22] } as const;
    await scale.write(part, randomVoxels(random, dataType, 16 * 21 * 19));
    for (let i = 0; i < 20; i++) {
      const box = randomBox(random, scale);
      const expected = await scale.read(box);
      const out = randomVoxels(random, dataType, expected.length);
      expect(await scale.read(box, { out })).toBe(out);
      expect(out).toEqual(expected);
    }
  });

  test("labels into an array of their own width", async () => {
    const scale = await scaleOf(format, dataType, fill);
    const box = { begin: [110, 0, 5], end: [120, 9, 12] } as const;
    const voxels = allocateVoxels(dataType, 630);
    for (let i = 0; i < 630; i++)
      (voxels as Uint8Array)[i] = (bytesPerVoxel(dataType) === 8 ? BigInt(i % 100) : i % 100) as number;
    await scale.write(box, voxels);
    const labels = await scale.readLabels(box);
    expect([...labels].map(Number)).toEqual([...voxels].map(Number));
    const out = allocateVoxels(bytesPerVoxel(dataType) === 8 ? "uint64" : "uint32", 630) as typeof labels;
    expect(await scale.readLabels(box, { out })).toBe(out);
    expect(out).toEqual(labels);
  });
});

test("an array of another type or length is refused before anything is read", async () => {
  const scale = await scaleOf("neuroglancer-precomputed", "uint64", 0);
  await expect(scale.read(whole, { out: new Uint32Array(40 * 21 * 19) })).rejects.toMatchObject({
    code: "WRONG_DATA_TYPE",
    message: expect.stringContaining("BigUint64Array"),
  });
  await expect(scale.readLabels(whole, { out: new BigUint64Array(7) })).rejects.toThrow(
    /takes 15960 voxels, got an array of 7/,
  );
});

test("a negative label in a chunk that the box touches in part is named by its place, and counts only inside the box", async () => {
  const scale = await scaleOf("neuroglancer-precomputed", "int16", 0);
  const voxels = new Int16Array(40 * 21 * 19);
  voxels[33 + 40 * (10 + 21 * 11)] = -3;
  await scale.write(whole, voxels);
  await expect(scale.readLabels({ begin: [130, 2, 12], end: [140, 5, 20] })).rejects.toThrow(
    "negative label -3 at voxel 133, 3, 14",
  );
  expect(await scale.readLabels({ begin: [134, 2, 12], end: [140, 5, 20] })).toEqual(new Uint32Array(6 * 3 * 8));
});

test("a negative fill value is no label where it shows", async () => {
  const scale = await scaleOf("zarr3", "int16", -1);
  await scale.write({ begin: whole.begin, end: [116, 1, 11] }, new Int16Array(16 * 8 * 8).fill(4));
  const stored = { begin: [101, -7, 3], end: [116, 1, 11] } as const;
  expect(await scale.readLabels(stored)).toEqual(new Uint32Array(15 * 8 * 8).fill(4));
  await expect(scale.readLabels({ ...stored, end: [117, 1, 11] })).rejects.toMatchObject({ code: "NEGATIVE_LABEL" });
});

test("nothing is written into the array once an aborted or failed read has been reported", async () => {
  const store = memoryKvStore();
  const volume = { kind: "segmentation", dataType: "uint64", scales: [newScale] } as const;
  const written = await createVolumeIn(store, "neuroglancer-precomputed", volume);
  await written.scales[0]!.write(whole, new BigUint64Array(40 * 21 * 19).fill(9n));
  const abort = new AbortController();
  let reads = 0;
  const slow = wrapStore(store, {
    async read(key, options) {
      if (key !== "info" && ++reads === 5) abort.abort(new Error("enough"));
      await new Promise((resolve) => setTimeout(resolve, key === "info" ? 0 : reads));
      return store.read(key, options?.range === undefined ? {} : { range: options.range });
    },
  });
  const { scales } = await openVolumeIn(slow, "neuroglancer-precomputed");
  const out = new BigUint64Array(40 * 21 * 19);
  await expect(scales[0]!.read(whole, { out, signal: abort.signal })).rejects.toThrow("enough");
  out.fill(1n);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(out.every((label) => label === 1n)).toBe(true);
});

describe.each(["neuroglancer-precomputed", "zarr3"] as const)("a chunk of %s that the store cannot give", (format) => {
  test("is the store's error to every caller, never background", async () => {
    const store = memoryKvStore();
    const volume = { kind: "segmentation", dataType: "uint64", scales: [newScale] } as const;
    await createVolumeIn(store, format, volume);
    const refusal = new KvStoreError("bad-key", "a folder of that name exists", { url: store.url });
    const written: string[] = [];
    const broken = wrapStore(store, {
      async read(key, options) {
        if (key === "info" || key.endsWith(".json")) return store.read(key, options);
        throw refusal;
      },
      async write(key, value, options) {
        written.push(key as string);
        return store.write(key, value, options);
      },
    });
    const scale = (await openVolumeIn(broken, format, { writable: true })).scales[0]!;
    await expect(scale.read(whole)).rejects.toBe(refusal);
    await expect(scale.readLabels(whole)).rejects.toBe(refusal);
    const part = { begin: [101, -7, 3], end: [102, -6, 4] } as const;
    await expect(scale.write(part, new BigUint64Array(1))).rejects.toBe(refusal);
    expect(written).toEqual([]);
  });
});
