import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { dataFolder } from "@pcg/testkit";
import { expect, test } from "vitest";
import { openPrecomputed, type PrecomputedScale } from "../src/index.ts";

interface Facts {
  [scale: string]: { sha256: string };
}

/** All voxels of a scale in Fortran order, chunk by chunk. */
async function readAll(scale: PrecomputedScale): Promise<BigUint64Array> {
  const [sx, sy, sz] = scale.info.size;
  const all = new BigUint64Array(sx * sy * sz);
  for (const position of scale.grid.chunks()) {
    const chunk = (await scale.readChunk(position)) as BigUint64Array;
    const { begin } = scale.grid.chunkBox(position);
    const [cx, cy, cz] = scale.grid.chunkShape(position);
    const [x0, y0, z0] = begin.map((n, axis) => n - scale.info.voxel_offset[axis]!) as [number, number, number];
    for (let z = 0; z < cz; z++) {
      for (let y = 0; y < cy; y++) {
        const row = chunk.subarray(cx * (y + cy * z), cx * (y + 1 + cy * z));
        all.set(row, x0 + sx * (y0 + y + sy * (z0 + z)));
      }
    }
  }
  return all;
}

for (const [name, scaleCount] of [
  ["segmentation-small", 1],
  ["segmentation", 3],
] as const) {
  const folder = dataFolder(name);
  test.skipIf(!folder)(`every voxel of ${name} reads as its facts.json says`, async () => {
    const facts = JSON.parse(await readFile(join(folder!, "facts.json"), "utf8")) as Facts;
    const store = await openKvStore(`file://${folder}/`, fileDriver());
    const { scales } = await openPrecomputed(store);
    expect(scales.length).toBe(scaleCount);
    for (const scale of scales) {
      const labels = await readAll(scale);
      const digest = createHash("sha256").update(new Uint8Array(labels.buffer)).digest("hex");
      expect(digest).toBe(facts[scale.key]!.sha256);
    }
    await store.close();
  });
}
