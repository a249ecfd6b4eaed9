import { memoryKvStore } from "@pcg/kvstore";
import type { RowStore } from "@pcg/rowstore";
import { expect, test } from "vitest";
import { IdLayout, layerCount } from "../../src/ids.ts";
import { defaultChunkSize, requireFewChunks } from "../../src/ingest/chunk-size.ts";
import { runChunkTask } from "../../src/ingest/chunk-task.ts";
import { checkIngest } from "../../src/ingest.ts";
import { ingestMutation } from "../../src/rows/index.ts";
import { dumpRows, dumpStore, Place, volumeOf } from "./harness.ts";

async function isEmpty(place: Place): Promise<boolean> {
  const rows: RowStore = place.rows;
  return (await dumpRows(rows)).split("\n")[1] === "" && (await dumpStore(place.supervoxels)) === "";
}

const size = [8, 8, 8] as const;

test("choices that cannot be are refused before anything is written", async () => {
  const source = await volumeOf(new Uint32Array(512).fill(1), "uint32", size);
  const cases = [
    [{ name: "no/name" }, "bad-settings"],
    [{ scale: "1_1_1" }, "invalid-argument"],
    [{ chunkSize: [0, 4, 4] as const }, "invalid-argument"],
    [{ chunkSize: [1.5, 4, 4] as const }, "invalid-argument"],
    [{ chunkSize: [Number.NaN, 4, 4] as const }, "invalid-argument"],
  ] as const;
  for (const [choice, code] of cases) {
    const place = new Place();
    expect(() => checkIngest(source, { name: "test", ...choice })).toThrow(expect.objectContaining({ code }));
    await expect(place.ingest(source, choice)).rejects.toMatchObject({ name: "GraphError", code });
    expect(await isEmpty(place)).toBe(true);
  }
});

test("float voxels and several channels are no labels", async () => {
  const place = new Place();
  const floats = await volumeOf(new Float32Array(512), "float32", size, { kind: "image" });
  await expect(place.ingest(floats)).rejects.toMatchObject({ code: "invalid-argument", message: /float32/ });
  expect(await isEmpty(place)).toBe(true);
});

test("chunks that could hold more supervoxels than their ids can count are refused with the remedy", async () => {
  const source = await volumeOf(new Uint8Array(8), "uint8", [2, 2, 2]);
  const huge = { ...source, scales: [{ ...source.scales[0]!, size: [2 ** 24, 4096, 4096] as const }] };
  const place = new Place();
  await expect(place.ingest(huge, { chunkSize: [2048, 2048, 2048] })).rejects.toMatchObject({
    code: "bad-settings",
    message: /smaller chunks/,
  });
  expect(await isEmpty(place)).toBe(true);
});

test("the largest volumes there are fit with the chunk size chosen for them", () => {
  const volumes = [
    { size: [515_892, 356_400, 5_293], resolution: [8, 8, 33] },
    { size: [1_000_000, 1_000_000, 10_000], resolution: [4, 4, 40] },
  ] as const;
  for (const { size: voxels, resolution } of volumes) {
    const chunk = defaultChunkSize(voxels, [64, 64, 64], resolution);
    requireFewChunks(voxels, chunk, resolution);
    const layers = layerCount(voxels, chunk);
    const layout = new IdLayout(layers, Math.max(10, layers - 2));
    expect(layout.segmentLimit(1) * 64n).toBeGreaterThan(BigInt(chunk[0] * chunk[1] * chunk[2]));
  }
});

test("more chunks than an ingest can count are refused with a chunk size that would do", async () => {
  const source = await volumeOf(new Uint8Array(8), "uint8", [2, 2, 2]);
  const size = [200_000, 200_000, 30_000] as const;
  const huge = { ...source, scales: [{ ...source.scales[0]!, size, resolution: [8, 8, 40] as const }] };
  const place = new Place();
  await expect(place.ingest(huge, { chunkSize: [64, 64, 32] })).rejects.toMatchObject({
    code: "bad-settings",
    message: /64×64×32 are 9160156250 chunks, more than the 67108864 of one graph: use chunks of 512×512×128 or larger/,
    fields: { chunks: 9_160_156_250, limit: 2 ** 26, chunkSize: "512,512,128" },
  });
  expect(await isEmpty(place)).toBe(true);
  checkIngest(huge, { name: "test", chunkSize: [512, 512, 128] });
  for (const chunkSize of [[1, 1, 1], [1, 512, 1], undefined] as const) {
    if (chunkSize) expect(() => checkIngest(huge, { name: "test", chunkSize })).toThrow(/use chunks of/);
    else checkIngest(huge, { name: "test" });
  }
});

test("a chunk that takes more memory than there is for tasks is refused before anything is made", async () => {
  const source = await volumeOf(new Uint8Array(512), "uint8", size);
  checkIngest(source, { name: "test" }, 2 ** 30);
  expect(() => checkIngest(source, { name: "test" }, 2 ** 24)).toThrow(/8×8×8 uint8 voxels takes 33 MiB.* 16 MiB/);
});

test("a chunk that holds more supervoxels than its ids count is refused when it is read", async () => {
  const labels = BigUint64Array.from({ length: 512 }, (_, i) => BigInt(i + 1));
  const source = await volumeOf(labels, "uint64", size);
  const layout = { layers: 20, spatialBits: 18 };
  expect(new IdLayout(layout.layers, layout.spatialBits).segmentLimit(1)).toBe(3n);
  const supervoxels = memoryKvStore();
  const place = { url: supervoxels.url, key: "1", size, voxelOffset: [0, 0, 0], chunkSize: size } as const;
  const box = { begin: [0, 0, 0], end: size } as const;
  const { key } = source.scales[0]!;
  const task = { source: source.url, scale: key, supervoxels: place, scratch: "", ordinal: 0, chunk: 0n, box };
  const run = runChunkTask(
    { ...task, connectivity: 6, ...layout },
    source,
    supervoxels,
    memoryKvStore(),
    new AbortController().signal,
  );
  await expect(run).rejects.toMatchObject({ code: "bad-settings", message: /holds 512 supervoxels.* at most 3/ });
});

test("a resolution beyond any microscope is refused before distances overflow", async () => {
  const source = await volumeOf(new Uint8Array(512), "uint8", size);
  const absurd = { ...source, scales: [{ ...source.scales[0]!, resolution: [1e308, 8, 8] as const }] };
  await expect(new Place().ingest(absurd)).rejects.toMatchObject({ code: "bad-settings", message: /resolution/ });
});

test("an ingest state that lost its detail is named as damage", async () => {
  const source = await volumeOf(new Uint8Array(512).fill(1), "uint8", size);
  const place = new Place();
  await place.ingest(source);
  await place.rows.mutate([ingestMutation({ status: "complete" })]);
  await expect(place.ingest(source)).rejects.toMatchObject({ code: "corrupt-row", message: /which scale/ });
});

test("a negative label stops the ingest with an error that names it, and the graph stays closed", async () => {
  const source = await volumeOf(new Int32Array(512).fill(-7), "int32", size);
  const place = new Place();
  await expect(place.ingest(source)).rejects.toThrow(/-7/);
});
