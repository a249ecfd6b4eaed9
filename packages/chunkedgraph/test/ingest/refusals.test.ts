import type { RowStore } from "@pcg/rowstore";
import { expect, test } from "vitest";
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
  const huge = { ...source, scales: [{ ...source.scales[0]!, size: [2 ** 21, 1024, 1024] as const }] };
  const place = new Place();
  await expect(place.ingest(huge, { chunkSize: [1024, 1024, 512] })).rejects.toMatchObject({
    code: "bad-settings",
    message: /smaller chunks/,
  });
  expect(await isEmpty(place)).toBe(true);
});

test("a negative label stops the ingest with an error that names it, and the graph stays closed", async () => {
  const source = await volumeOf(new Int32Array(512).fill(-7), "int32", size);
  const place = new Place();
  await expect(place.ingest(source)).rejects.toThrow(/-7/);
});
