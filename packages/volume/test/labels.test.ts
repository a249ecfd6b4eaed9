import { memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { allocateVoxels, createVolumeIn, type DataType, isVolumeError, type Scale } from "../src/index.ts";

const box = { begin: [10, 20, 30], end: [13, 22, 32] } as const;

async function scaleOf(dataType: DataType, fill: (data: never) => void): Promise<Scale> {
  const scales = [{ size: [3, 2, 2], voxelOffset: [10, 20, 30], resolution: [8, 8, 40] }] as const;
  const volume = await createVolumeIn(memoryKvStore(), "zarr3", { kind: "segmentation", dataType, scales });
  const data = allocateVoxels(dataType, 12);
  fill(data as never);
  await volume.scales[0]!.write(box, data);
  return volume.scales[0]!;
}

test.each(["uint8", "int8", "uint16", "int16", "uint32", "int32"] as const)(
  "labels of %s come as Uint32Array",
  async (type) => {
    const scale = await scaleOf(type, (data: Uint8Array) => {
      data[4] = 127;
      data[11] = 1;
    });
    expect(await scale.readLabels(box)).toEqual(Uint32Array.from([0, 0, 0, 0, 127, 0, 0, 0, 0, 0, 0, 1]));
  },
);

test.each(["uint64", "int64"] as const)("labels of %s come as BigUint64Array, exactly", async (type) => {
  const label = 2n ** 63n - 1n;
  const scale = await scaleOf(type, (data: BigUint64Array) => {
    data[7] = label;
  });
  const expected = new BigUint64Array(12);
  expected[7] = label;
  expect(await scale.readLabels(box)).toEqual(expected);
});

test("the largest label of uint64 is read exactly", async () => {
  const scale = await scaleOf("uint64", (data: BigUint64Array) => data.fill(2n ** 64n - 1n));
  expect(await scale.readLabels(box)).toEqual(new BigUint64Array(12).fill(2n ** 64n - 1n));
});

test.each([
  ["int8", -128],
  ["int16", -2],
  ["int32", -1],
  ["int64", -(2n ** 63n)],
] as const)("a negative label of %s, %s, is refused with its value and position", async (type, value) => {
  const scale = await scaleOf(type, (data: BigInt64Array) => {
    data[10] = value as bigint;
  });
  const error = await scale.readLabels(box).catch((error: unknown) => error);
  expect(isVolumeError(error, "NEGATIVE_LABEL")).toBe(true);
  expect((error as Error).message).toContain(`${value} at voxel 11, 21, 31`);
});

test.each(["float32", "float64"] as const)("voxels of %s are no labels", async (type) => {
  const scale = await scaleOf(type, () => {});
  await expect(scale.readLabels(box)).rejects.toMatchObject({ code: "WRONG_DATA_TYPE" });
});
