import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { createVolumeIn, openVolumeIn, type Scale, volumeFormats } from "../src/index.ts";
import { wrapStore } from "./wrap-store.ts";

const newScale = {
  size: [20, 20, 20],
  voxelOffset: [100, 200, -5],
  resolution: [8, 8, 40],
  chunkSize: [8, 8, 8],
} as const;
const newVolume = { kind: "segmentation", dataType: "uint32", scales: [newScale] } as const;
const whole = { begin: [100, 200, -5], end: [120, 220, 15] } as const;

async function fresh(store: KvStore = memoryKvStore()): Promise<Scale> {
  return (await createVolumeIn(store, "zarr3", newVolume)).scales[0]!;
}

test.each([
  [
    [99, 200, -5],
    [120, 220, 15],
  ],
  [
    [100, 200, -5],
    [120, 221, 15],
  ],
  [
    [0, 0, 0],
    [1, 1, 1],
  ],
] as const)("a box %j–%j that sticks out is a RangeError naming both", async (begin, end) => {
  const scale = await fresh();
  for (const attempt of [scale.read({ begin, end }), scale.write({ begin, end }, new Uint32Array(1))]) {
    await expect(attempt).rejects.toThrow(RangeError);
    await expect(attempt).rejects.toThrow(`${begin[0]}–${end[0]}`);
    await expect(attempt).rejects.toThrow("covers 100–120, 200–220, -5–15");
  }
});

test.each([
  [
    [100.5, 200, 0],
    [101, 201, 1],
  ],
  [
    [Number.NaN, 200, 0],
    [101, 201, 1],
  ],
  [
    [110, 200, 0],
    [105, 201, 1],
  ],
  [
    [100, 200],
    [105, 201],
  ],
] as const)("a box %j–%j of no whole numbers is a RangeError", async (begin, end) => {
  const scale = await fresh();
  await expect(scale.read({ begin: begin as never, end: end as never })).rejects.toThrow(RangeError);
});

test("an empty box reads and writes nothing", async () => {
  const scale = await fresh();
  const box = { begin: [105, 205, 0], end: [105, 210, 5] } as const;
  expect(await scale.read(box)).toEqual(new Uint32Array(0));
  await scale.write(box, new Uint32Array(0));
});

test("a write of the wrong array type or length is refused before anything is written", async () => {
  const store = memoryKvStore();
  const scale = await fresh(store);
  const before = await keys(store);
  await expect(scale.write(whole, new Float32Array(8000))).rejects.toMatchObject({ code: "WRONG_DATA_TYPE" });
  await expect(scale.write(whole, new Int32Array(8000))).rejects.toThrow("Uint32Array, not from a Int32Array");
  await expect(scale.write(whole, new Uint32Array(7999))).rejects.toThrow("takes 8000 voxels, got an array of 7999");
  expect(await keys(store)).toEqual(before);
});

test("a volume opened for reading refuses writes", async () => {
  const store = memoryKvStore();
  await fresh(store);
  const volume = await openVolumeIn(store, undefined);
  await expect(volume.scales[0]!.write(whole, new Uint32Array(8000))).rejects.toMatchObject({ code: "READ_ONLY" });
});

test("a box over the byte limit is refused with both numbers", async () => {
  const store = memoryKvStore();
  await fresh(store);
  const volume = await openVolumeIn(store, undefined, { limits: { maxBoxBytes: 31_999 } });
  const error = await volume.scales[0]!.read(whole).catch((error: Error) => error);
  expect(error).toMatchObject({ code: "TOO_LARGE" });
  expect((error as Error).message).toContain("20×20×20 uint32 voxels needs 32000 bytes, more than the limit of 31999");
});

test("absurd sizes in metadata allocate nothing: the volume opens, a read of it all is refused", async () => {
  const scales = [{ ...newScale, size: [2 ** 40, 2 ** 40, 2 ** 40] }] as const;
  for (const format of volumeFormats) {
    const volume = await createVolumeIn(memoryKvStore(), format, { ...newVolume, scales });
    const [scale] = volume.scales;
    const end = [100 + 2 ** 40, 200 + 2 ** 40, 2 ** 40 - 5] as const;
    await expect(scale!.read({ begin: whole.begin, end })).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect(await scale!.read({ begin: [2 ** 39, 2 ** 39, 7], end: [2 ** 39 + 2, 2 ** 39 + 1, 8] })).toEqual(
      new Uint32Array(2),
    );
  }
});

test("chunks over the byte limit are refused when the volume is opened", async () => {
  for (const format of volumeFormats) {
    const store = memoryKvStore();
    await createVolumeIn(store, format, newVolume);
    const opening = openVolumeIn(store, format, { limits: { maxChunkBytes: 2047 } });
    await expect(opening).rejects.toMatchObject({ code: "TOO_LARGE" });
    await expect(opening).rejects.toThrow("2048 bytes, more than the limit of 2047");
  }
});

describe("a caller's signal", () => {
  test("that is aborted already stops reads and writes before any I/O", async () => {
    const scale = await fresh();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(scale.read(whole, { signal })).rejects.toThrow("enough");
    await expect(scale.write(whole, new Uint32Array(8000), { signal })).rejects.toThrow("enough");
  });

  test("that fires during a read stops it before the next chunk", async () => {
    const store = memoryKvStore();
    await fresh(store);
    const stop = new AbortController();
    let reads = 0;
    const counting = wrapStore(store, {
      read: async (key, options) => {
        if (!key.endsWith("json") && ++reads === 3) stop.abort(new Error("enough"));
        return store.read(key, options);
      },
    });
    const volume = await openVolumeIn(counting, "zarr3", { limits: { maxInFlightBytes: 1 } });
    await expect(volume.scales[0]!.read(whole, { signal: stop.signal })).rejects.toThrow("enough");
    expect(reads).toBe(3);
  });
});

test("chunks in flight stay within the byte budget", async () => {
  const store = memoryKvStore();
  await fresh(store);
  let now = 0;
  let most = 0;
  const counting = wrapStore(store, {
    read: async (key, options) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return store.read(key, options);
    },
  });
  const chunkBytes = 8 ** 3 * 4;
  for (const [budget, expected] of [
    [1, 1],
    [3 * chunkBytes, 3],
    [2 ** 28, 16],
  ] as const) {
    const volume = await openVolumeIn(counting, "zarr3", { limits: { maxInFlightBytes: budget } });
    most = 0;
    await volume.scales[0]!.read(whole);
    expect(most).toBe(expected);
  }
});

test("a failed chunk fails the read after all others have settled", async () => {
  const store = memoryKvStore();
  await fresh(store);
  let now = 0;
  const failing = wrapStore(store, {
    read: async (key, options) => {
      now++;
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      if (key.endsWith("c/1/1/1")) throw new Error("disk on fire");
      return store.read(key, options);
    },
  });
  const volume = await openVolumeIn(failing, "zarr3");
  await expect(volume.scales[0]!.read(whole)).rejects.toThrow("disk on fire");
  expect(now).toBe(0);
});

test("what is read belongs to the caller: changing it changes nothing stored", async () => {
  for (const format of volumeFormats) {
    const volume = await createVolumeIn(memoryKvStore(), format, {
      ...newVolume,
      precomputed: { encoding: "raw" },
      zarr: { compressor: "none" },
    });
    const chunk = { begin: [100, 200, -5], end: [108, 208, 3] } as const;
    await volume.scales[0]!.write(chunk, new Uint32Array(512).fill(7));
    ((await volume.scales[0]!.read(chunk)) as Uint32Array).fill(9);
    expect(await volume.scales[0]!.read(chunk)).toEqual(new Uint32Array(512).fill(7));
  }
});

async function keys(store: KvStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list()) found.push(new TextDecoder().decode(key));
  return found;
}
