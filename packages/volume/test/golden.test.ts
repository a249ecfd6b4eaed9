import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { describe, expect, test } from "vitest";
import { openVolume, type Scale } from "../src/index.ts";

const folder = new URL("../../../test-fixtures/zarr/", import.meta.url);
const open = (url: string) => openKvStore(url, fileDriver());

interface Case {
  readonly voxels: string;
  readonly files: Readonly<Record<string, string>>;
  readonly [fact: string]: unknown;
}
const manifest = JSON.parse(await readFile(new URL("MANIFEST.json", folder), "utf8")) as {
  cases: Record<string, Case>;
};

describe.each(Object.entries(manifest.cases))("%s, as its reference implementation wrote it", (name, golden) => {
  test("has the files of the manifest", async () => {
    for (const [file, digest] of Object.entries(golden.files)) {
      expect(sha256(await readFile(new URL(`${name}/${file}`, folder)))).toBe(digest);
    }
  });

  test("reads as the voxels of the manifest", async () => {
    const volume = await openVolume(fileURLToPath(new URL(`${name}/`, folder)), { open });
    const scale = volume.scales[0]!;
    const { voxels, files: _files, ...facts } = golden;
    expect(scale).toMatchObject(facts);
    const data = await scale.read(whole(scale));
    expect(sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))).toBe(voxels);
    await volume.close();
  });
});

test("coarser levels of OME volumes lie where the centre convention puts them", async () => {
  for (const name of ["ome-0.4", "ome-0.5"]) {
    const volume = await openVolume(fileURLToPath(new URL(`${name}/`, folder)), { open });
    expect(volume.kind).toBe("segmentation");
    expect(volume.scales.map((scale) => [scale.key, scale.resolution, scale.voxelOffset])).toEqual([
      ["s0", [8, 8, 40], [5, 10, 5]],
      ["s1", [16, 16, 40], [3, 5, 5]],
    ]);
    await volume.close();
  }
});

function whole({ voxelOffset: begin, size }: Scale) {
  return { begin, end: [begin[0] + size[0], begin[1] + size[1], begin[2] + size[2]] } as const;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
