import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import { createVolumeIn, type NewVolume, openVolumeIn, type VolumeFormat } from "../src/index.ts";
import { wrapStore } from "./wrap-store.ts";

const sharding = {
  "@type": "neuroglancer_uint64_sharded_v1",
  preshift_bits: 0,
  hash: "identity",
  minishard_bits: 1,
  shard_bits: 2,
} as const;

const layouts: readonly (readonly [string, VolumeFormat, Partial<NewVolume>])[] = [
  ["precomputed", "neuroglancer-precomputed", {}],
  ["precomputed in shards", "neuroglancer-precomputed", { precomputed: { sharding } }],
  ["zarr v2", "zarr2", {}],
  ["zarr v3", "zarr3", {}],
  ["zarr v3 in shards", "zarr3", { zarr: { shardSize: [8, 8, 8] } }],
];

/** A store whose calls take a random number of turns, so that writers overlap in all ways. */
function shuffled(store: KvStore, random: Random): KvStore {
  const pause = async (): Promise<void> => {
    for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  };
  return wrapStore(store, {
    read: (key, options) => pause().then(() => store.read(key, options)),
    write: (key, value, options) => pause().then(() => store.write(key, value, options)),
  });
}

test.each(layouts)("writers that share stored objects lose nothing: %s", async (_name, format, options) => {
  const random = new Random(5);
  const store = memoryKvStore();
  const scales = [{ size: [8, 8, 8], resolution: [1, 1, 1], chunkSize: [4, 4, 4] }] as const;
  await createVolumeIn(store, format, { kind: "segmentation", dataType: "uint64", scales, ...options });
  // Every writer has its own process's view, and writes one line along z of every (x, y).
  const lines = Array.from({ length: 16 }, (_, line) => ({
    x: 2 * (line % 4),
    y: 2 * (line >> 2),
    label: BigInt(line + 1),
  }));
  await Promise.all(
    lines.map(async ({ x, y, label }) => {
      const volume = await openVolumeIn(shuffled(store, random), format, { writable: true });
      await volume.scales[0]!.write({ begin: [x, y, 1], end: [x + 2, y + 2, 7] }, new BigUint64Array(24).fill(label));
    }),
  );
  const volume = await openVolumeIn(store, format);
  const all = (await volume.scales[0]!.read({ begin: [0, 0, 0], end: [8, 8, 8] })) as BigUint64Array;
  for (let z = 0; z < 8; z++) {
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const expected = z === 0 || z === 7 ? 0n : BigInt((x >> 1) + 4 * (y >> 1) + 1);
        expect(all[x + 8 * (y + 8 * z)]).toBe(expected);
      }
    }
  }
});

test.each(layouts)("a write that loses every race says so: %s", async (_name, format, options) => {
  const store = memoryKvStore();
  const scales = [{ size: [8, 8, 8], resolution: [1, 1, 1], chunkSize: [4, 4, 4] }] as const;
  await createVolumeIn(store, format, { kind: "segmentation", dataType: "uint64", scales, ...options });
  let attempts = 0;
  const losing = wrapStore(store, {
    write: async (key, value, writeOptions) => {
      if (writeOptions?.ifGeneration === undefined) return store.write(key, value, writeOptions);
      attempts++;
      return { written: false, generation: "other" };
    },
  });
  const volume = await openVolumeIn(losing, format, { writable: true });
  const write = volume.scales[0]!.write({ begin: [1, 1, 1], end: [3, 3, 3] }, new BigUint64Array(8).fill(1n));
  await expect(write).rejects.toMatchObject({ code: "CONFLICT" });
  expect(attempts).toBe(100);
});

test("a store without conditional writes takes whole chunks and refuses parts of them", async () => {
  for (const [name, format, options] of layouts) {
    const store = memoryKvStore();
    const scales = [{ size: [8, 8, 8], resolution: [1, 1, 1], chunkSize: [4, 4, 4] }] as const;
    await createVolumeIn(store, format, { kind: "segmentation", dataType: "uint64", scales, ...options });
    const plain = { ...wrapStore(store, {}), capabilities: { writable: true, list: true } } as const;
    const volume = await openVolumeIn(plain, format, { writable: true });
    const part = volume.scales[0]!.write({ begin: [1, 1, 1], end: [3, 3, 3] }, new BigUint64Array(8).fill(1n));
    await expect(part).rejects.toMatchObject({ code: "UNSUPPORTED" });
    if (name.startsWith("precomputed in")) continue;
    await volume.scales[0]!.write({ begin: [0, 0, 0], end: [8, 8, 8] }, new BigUint64Array(512).fill(3n));
  }
});

test("a store that can only be read is not opened for writing", async () => {
  const store = memoryKvStore();
  const scales = [{ size: [8, 8, 8], resolution: [1, 1, 1] }] as const;
  await createVolumeIn(store, "zarr3", { kind: "segmentation", dataType: "uint64", scales });
  const readOnly = { ...wrapStore(store, {}), capabilities: { list: true } } as const;
  await expect(openVolumeIn(readOnly, "zarr3", { writable: true })).rejects.toMatchObject({ code: "READ_ONLY" });
  await expect(createVolumeIn(readOnly, "zarr3", { kind: "image", dataType: "uint8", scales })).rejects.toMatchObject({
    code: "READ_ONLY",
  });
  expect((await openVolumeIn(readOnly, "zarr3")).scales).toHaveLength(1);
});

test("whole chunks and whole shards are written without reading", async () => {
  for (const [, format, options] of layouts) {
    const store = memoryKvStore();
    const scales = [{ size: [7, 8, 8], resolution: [1, 1, 1], chunkSize: [4, 4, 4] }] as const;
    await createVolumeIn(store, format, {
      kind: "segmentation",
      dataType: "uint64",
      scales,
      ...options,
    });
    let reads = 0;
    const counting = wrapStore(store, {
      read: (key, readOptions) => {
        reads++;
        return store.read(key, readOptions);
      },
    });
    const opened = await openVolumeIn(counting, format, { writable: true });
    reads = 0;
    await opened.scales[0]!.write({ begin: [0, 0, 0], end: [7, 8, 8] }, new BigUint64Array(448).fill(3n));
    expect([format, options, reads]).toEqual([format, options, 0]);
  }
});
