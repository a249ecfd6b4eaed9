import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryKvStore } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { describe, expect, test } from "vitest";
import { decodeChunk } from "../src/codecs.ts";
import { openPrecomputed, PrecomputedScale } from "../src/index.ts";
import { digest, readAll } from "./support.ts";

interface Manifest {
  cases: Record<string, { voxels: string; files: Record<string, string> }>;
}

const FIXTURES = fileURLToPath(new URL("../../../test-fixtures/precomputed/", import.meta.url));
const manifest = JSON.parse(await readFile(join(FIXTURES, "MANIFEST.json"), "utf8")) as Manifest;

describe.each(Object.entries(manifest.cases))("%s", (name, { voxels, files }) => {
  test("has the files of the manifest", async () => {
    for (const [file, sha256] of Object.entries(files)) {
      expect(digest(await readFile(join(FIXTURES, name, file))), file).toBe(sha256);
    }
  });

  test("reads as the voxels it was made from", async () => {
    const { scales } = await openPrecomputed(fileKvStore(join(FIXTURES, name)));
    const read = await readAll(scales[0]!);
    if (!name.includes("jpeg")) {
      expect(digest(read)).toBe(voxels);
      return;
    }
    const original = await readFile(join(FIXTURES, name, "voxels.bin"));
    expect(read.length).toBe(original.length);
    const worst = original.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(read[i]))), 0);
    expect(worst).toBeLessThanOrEqual(8);
  });
});

// What has one right encoding must come out of our writer as TensorStore wrote it.
const deterministic = [
  "tensorstore-raw-int16",
  "tensorstore-cseg-uint64",
  "tensorstore-cseg-uint32-2-channels",
  "tensorstore-sharded-murmur",
];

test.each(deterministic)("%s is written again byte for byte", async (name) => {
  const folder = join(FIXTURES, name);
  const { info, scales } = await openPrecomputed(fileKvStore(folder));
  const from = scales[0]!;
  const store = memoryKvStore();
  const to = new PrecomputedScale(store, "", info, info.scales[0]!);
  for (const unit of from.storageUnits()) {
    const chunks = unit.positions.map(async (position) => ({ position, data: await from.readChunk(position) }));
    await to.writeChunks(await Promise.all(chunks));
  }
  const written: Record<string, string> = {};
  for await (const { key } of store.list()) {
    written[new TextDecoder().decode(key)] = digest((await store.read(key))!.value);
  }
  const { info: _, ...chunkFiles } = manifest.cases[name]!.files;
  expect(written).toEqual(chunkFiles);
});

test("a chunk passed on encoded decodes to the same voxels", async () => {
  const { scales } = await openPrecomputed(fileKvStore(join(FIXTURES, "tensorstore-sharded-gzip")));
  const scale = scales[0]!;
  const bytes = await scale.readChunkBytes([1, 2, 1]);
  expect(await decodeChunk(scale.format, scale.grid.chunkShape([1, 2, 1]), bytes!)).toEqual(
    await scale.readChunk([1, 2, 1]),
  );
});

test("an info in capitals with members of others reads, and keeps those members", async () => {
  const { info } = await openPrecomputed(fileKvStore(join(FIXTURES, "upper-case-and-unknown-members")));
  expect(info.data_type).toBe("uint8");
  expect(info).toMatchObject({ mesh: "mesh", vendor: { n: 1 } });
});
