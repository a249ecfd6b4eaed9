import { memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { createVolumeIn, openVolumeIn } from "../src/index.ts";
import { wrapStore } from "./wrap-store.ts";

const newVolume = {
  kind: "segmentation",
  dataType: "uint8",
  scales: [{ size: [4, 4, 1], resolution: [1, 1, 1], chunkSize: [2, 2, 1] }],
  zarr: { compressor: "none", shardSize: [4, 4, 1] },
} as const;
const key = "0/c/0/0/0";
const none = 0xffff_ffff_ffff_ffffn;

/** A shard of 2×2 chunks, of which only the one at x 2, y 0 holds anything. */
async function oneChunk() {
  const store = memoryKvStore();
  const volume = await createVolumeIn(store, "zarr3", newVolume);
  await volume.scales[0]!.write({ begin: [2, 0, 0], end: [4, 2, 1] }, Uint8Array.of(1, 2, 3, 4));
  return { store, scale: volume.scales[0]!, shard: (await store.read(key))!.value };
}

const whole = { begin: [0, 0, 0], end: [4, 4, 1] } as const;
const content = Uint8Array.of(0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0);

test("a shard is its chunks, then for each chunk offset and length or 2^64−1, then the CRC-32C of these", async () => {
  const { shard } = await oneChunk();
  expect(shard.length).toBe(4 + 64 + 4);
  const view = new DataView(shard.buffer, shard.byteOffset);
  const entries = Array.from({ length: 8 }, (_, i) => view.getBigUint64(4 + 8 * i, true));
  expect(entries).toEqual([none, none, 0n, 4n, none, none, none, none]);
  expect(shard.subarray(0, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
});

test("every flipped bit of the index is noticed", async () => {
  const { store, shard } = await oneChunk();
  for (let bit = 32; bit < shard.length * 8; bit++) {
    const damaged = shard.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    await store.write(key, damaged);
    const volume = await openVolumeIn(store, "zarr3");
    await expect(volume.scales[0]!.read(whole)).rejects.toMatchObject({ code: "BAD_CHUNK", key });
  }
});

test("every truncation of a shard is noticed", async () => {
  const { store, shard } = await oneChunk();
  for (let length = 0; length < shard.length; length++) {
    await store.write(key, shard.slice(0, length));
    const volume = await openVolumeIn(store, "zarr3");
    await expect(volume.scales[0]!.read(whole)).rejects.toMatchObject({ code: "BAD_CHUNK" });
  }
});

describe("a hostile index without checksum", () => {
  async function readWith(offset: bigint, length: bigint) {
    const { store, shard } = await oneChunk();
    const json = (await store.read("0/zarr.json"))!.value;
    const text = new TextDecoder().decode(json).replace(/,\s*\{\s*"name": "crc32c"\s*\}/, "");
    await store.write("0/zarr.json", new TextEncoder().encode(text));
    const bytes = shard.slice(0, -4);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(4 + 16, offset, true);
    view.setBigUint64(4 + 24, length, true);
    await store.write(key, bytes);
    return (await openVolumeIn(store, "zarr3")).scales[0]!.read(whole);
  }

  test("is read when it is right after all", async () => {
    expect(await readWith(0n, 4n)).toEqual(content);
  });

  test.each([
    [0n, 1n << 40n],
    [1n << 40n, 4n],
    [none - 1n, none - 1n],
    [none, 4n],
    [0n, none],
    [65n, 4n],
  ])("that points beyond the shard is refused (offset %s, length %s)", async (offset, length) => {
    await expect(readWith(offset, length)).rejects.toMatchObject({ code: "BAD_CHUNK" });
    await expect(readWith(offset, length)).rejects.toThrow("beyond the shard's 68");
  });

  test.each([0n, 3n, 5n])("that gives a chunk %s bytes instead of 4 is refused", async (length) => {
    await expect(readWith(0n, length)).rejects.toMatchObject({ code: "BAD_CHUNK" });
  });
});

test("chunks of one shard share one read of its index", async () => {
  const { store } = await oneChunk();
  let indexReads = 0;
  const counting = wrapStore(store, {
    read: (name, options) => {
      if (options?.range !== undefined && "suffixLength" in options.range) indexReads++;
      return store.read(name, options);
    },
  });
  const volume = await openVolumeIn(counting, "zarr3");
  for (let round = 0; round < 3; round++) expect(await volume.scales[0]!.read(whole)).toEqual(content);
  expect(indexReads).toBe(1);
});

test("a reader that remembers an index follows a shard that another writer replaces, or removes", async () => {
  const { store, scale } = await oneChunk();
  const reader = (await openVolumeIn(store, "zarr3")).scales[0]!;
  expect(await reader.read(whole)).toEqual(content);
  // The chunk that was there moves, and one that was absent appears.
  const other = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  await scale.write(whole, other);
  expect(await reader.read({ begin: [0, 2, 0], end: [2, 4, 1] })).toEqual(Uint8Array.of(9, 10, 13, 14));
  expect(await reader.read(whole)).toEqual(other);
  await store.write(key, null);
  expect(await reader.read(whole)).toEqual(new Uint8Array(16));
});

test("a shard that is replaced between its index and its chunk is read again", async () => {
  const { store, scale } = await oneChunk();
  let replacements = 0;
  const racing = wrapStore(store, {
    read: async (name, options) => {
      const result = await store.read(name, options);
      const isIndex = options?.range !== undefined && "suffixLength" in options.range;
      if (isIndex && replacements++ < 5) {
        await scale.write({ begin: [2, 0, 0], end: [4, 2, 1] }, new Uint8Array(4).fill(replacements));
      }
      return result;
    },
  });
  const reader = (await openVolumeIn(racing, "zarr3")).scales[0]!;
  expect(await reader.read({ begin: [2, 0, 0], end: [4, 2, 1] })).toEqual(new Uint8Array(4).fill(5));
  expect(replacements).toBe(6);
});

test("without versions, a shard whose index stays the same is the same, and one whose index changes is read again", async () => {
  const { store, scale } = await oneChunk();
  let versions = 0;
  let replacements = 0;
  const unversioned = wrapStore(store, {
    read: async (name, options) => {
      const result = await store.read(name, options);
      const isIndex = options?.range !== undefined && "suffixLength" in options.range;
      if (isIndex && replacements < 3) {
        replacements++;
        // Each round has one chunk more before the chunk that is read, which moves it.
        const cells = [
          [0, 0],
          [0, 2],
          [2, 2],
        ] as const;
        const [x, y] = cells[replacements - 1]!;
        await scale.write({ begin: [x, y, 0], end: [x + 2, y + 2, 1] }, new Uint8Array(4).fill(9));
      }
      return result && { ...result, generation: `unknown ${++versions}` };
    },
  });
  const web = { ...unversioned, capabilities: {} };
  const reader = (await openVolumeIn(web, "zarr3")).scales[0]!;
  const box = { begin: [2, 0, 0], end: [4, 2, 1] } as const;
  for (let round = 0; round < 3; round++) expect(await reader.read(box)).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(replacements).toBe(3);
});

test("a shard that is replaced all the time is a conflict, not a wrong answer", async () => {
  const { store, scale } = await oneChunk();
  const racing = wrapStore(store, {
    read: async (name, options) => {
      const result = await store.read(name, options);
      if (name === key) await scale.write({ begin: [2, 0, 0], end: [3, 1, 1] }, Uint8Array.of(1));
      return result;
    },
  });
  const reader = (await openVolumeIn(racing, "zarr3")).scales[0]!;
  await expect(reader.read({ begin: [2, 0, 0], end: [4, 2, 1] })).rejects.toMatchObject({ code: "CONFLICT" });
});
