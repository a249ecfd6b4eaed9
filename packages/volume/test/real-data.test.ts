import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { dataFolder } from "@pcg/testkit";
import { expect, test } from "vitest";
import { openVolume, type Scale, type Volume } from "../src/index.ts";
import { expectSame } from "./oracle.ts";

const open = (url: string) => openKvStore(url, fileDriver());

interface Facts {
  readonly [scale: string]: { readonly size: number[]; readonly voxel_offset: number[]; readonly sha256: string };
}

async function facts(folder: string): Promise<Facts> {
  return JSON.parse(await readFile(join(folder, "facts.json"), "utf8")) as Facts;
}

function whole(scale: Scale) {
  const { voxelOffset: begin, size } = scale;
  return { begin, end: [begin[0] + size[0], begin[1] + size[1], begin[2] + size[2]] } as const;
}

function sha256(data: BigUint64Array | Uint32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}

const segmentation = dataFolder("segmentation");
const small = dataFolder("segmentation-small");
const zarr2 = dataFolder("segmentation-small.zarr2");
const zarr3 = dataFolder("segmentation-small.zarr3");

test.skipIf(!segmentation)("every scale of the real segmentation has the voxels its facts tell", async () => {
  const volume = await openVolume(segmentation!, { open });
  const expected = await facts(segmentation!);
  expect(volume.kind).toBe("segmentation");
  expect(volume.scales.map((scale) => scale.key)).toEqual(Object.keys(expected));
  for (const scale of volume.scales) {
    expect(scale).toMatchObject({ size: expected[scale.key]!.size, voxelOffset: expected[scale.key]!.voxel_offset });
    expect(sha256(await scale.readLabels(whole(scale)))).toBe(expected[scale.key]!.sha256);
  }
  await volume.close();
});

const asSmall = { size: [200, 180, 100], voxelOffset: [13, 707, 101], resolution: [8, 8, 40], dataType: "uint64" };

test.skipIf(!small || !zarr2 || !zarr3)("precomputed, zarr v2 and sharded zarr v3 hold the same volume", async () => {
  const expected = (await facts(small!))["8_8_40"]!.sha256;
  const urls = [
    small!,
    `file://${small}/|neuroglancer-precomputed:`,
    `precomputed://file://${small}`,
    zarr2!,
    `file://${zarr2}/|zarr2:`,
    `zarr://file://${zarr2}`,
    zarr3!,
    `file://${zarr3}/|zarr3:`,
    `file://${zarr3}/|zarr:`,
  ];
  for (const url of urls) {
    const volume: Volume = await openVolume(url, { open });
    expect(volume.kind).toBe("segmentation");
    const [scale] = volume.scales;
    expect(scale).toMatchObject(asSmall);
    expect(sha256(await scale!.readLabels(whole(scale!)))).toBe(expected);
    await volume.close();
  }
});

test.skipIf(!small || !segmentation || !zarr3)("a box is the same from every volume that covers it", async () => {
  const volumes = await Promise.all([segmentation!, small!, zarr2!, zarr3!].map((url) => openVolume(url, { open })));
  const box = { begin: [40, 725, 120], end: [131, 811, 199] } as const;
  const [reference, ...others] = await Promise.all(volumes.map((volume) => volume.scales[0]!.readLabels(box)));
  for (const other of others) expectSame(other, reference!);
});
