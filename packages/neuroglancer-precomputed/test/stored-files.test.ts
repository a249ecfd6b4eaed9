import { brotliCompressSync } from "node:zlib";
import { gzip } from "@pcg/codecs/gzip";
import { zstdCompress } from "@pcg/codecs/zstd";
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import {
  openPrecomputed,
  type PrecomputedInfo,
  PrecomputedScale,
  parseInfo,
  readInfo,
  writeInfo,
} from "../src/index.ts";
import { observed } from "./support.ts";

const info: PrecomputedInfo = parseInfo({
  type: "image",
  data_type: "uint16",
  num_channels: 1,
  scales: [{ key: "s0", size: [20, 4, 4], resolution: [1, 1, 1], chunk_sizes: [[4, 4, 4]], encoding: "raw" }],
});
const openScale = (store: KvStore): PrecomputedScale => new PrecomputedScale(store, "", info, info.scales[0]!);
const chunk = (value: number): Uint16Array => new Uint16Array(64).fill(value);
const raw = (value: number): Uint8Array => new Uint8Array(chunk(value).buffer);
const NAMES = ["0-4_0-4_0-4", "4-8_0-4_0-4", "8-12_0-4_0-4"];

test.each([
  [".gz", async (bytes: Uint8Array) => gzip(bytes)],
  [".br", async (bytes: Uint8Array) => new Uint8Array(brotliCompressSync(bytes))],
  [".zstd", async (bytes: Uint8Array) => zstdCompress(bytes)],
])("chunks and info under %s are found, and then cost one read each", async (suffix, compress) => {
  const store = memoryKvStore();
  await store.write(`info${suffix}`, await compress(new TextEncoder().encode(JSON.stringify(info))));
  for (const [i, name] of NAMES.entries()) await store.write(`s0/${name}${suffix}`, await compress(raw(i + 1)));
  const watched = observed(store);
  const { scales } = await openPrecomputed(watched);
  for (const x of [0, 1, 2]) expect((await scales[0]!.readChunk([x, 0, 0]))![0]).toBe(x + 1);
  expect(watched.log.slice(-2)).toEqual([`read s0/${NAMES[1]}${suffix}`, `read s0/${NAMES[2]}${suffix}`]);
  expect(await scales[0]!.readChunk([3, 0, 0])).toBeUndefined();
  expect(await scales[0]!.hasChunk([1, 0, 0])).toBe(true);
});

test("a chunk in plain among compressed ones is found too", async () => {
  const store = memoryKvStore();
  await store.write(`s0/${NAMES[0]}.gz`, gzip(raw(1)));
  await store.write(`s0/${NAMES[1]}`, raw(2));
  const scale = openScale(store);
  expect((await scale.readChunk([0, 0, 0]))![0]).toBe(1);
  expect((await scale.readChunk([1, 0, 0]))![0]).toBe(2);
  expect((await scale.readChunk([0, 0, 0]))![0]).toBe(1);
});

test("in a store that cannot list, the first file settles the suffix, and absent chunks cost one read", async () => {
  const store = memoryKvStore();
  await store.write(`s0/${NAMES[0]}`, raw(1));
  const watched = { ...observed(store), capabilities: {} };
  const scale = openScale(watched);
  await scale.readChunk([0, 0, 0]);
  watched.log.length = 0;
  expect(await scale.readChunk([1, 0, 0])).toBeUndefined();
  expect(watched.log).toEqual([`read s0/${NAMES[1]}`]);
});

test("a gzip body under a plain name is unpacked; raw voxels that look like one are not", async () => {
  const store = memoryKvStore();
  await store.write(`s0/${NAMES[0]}`, gzip(raw(7)));
  const deceptive = chunk(0);
  deceptive.set([0x8b1f, 0x0008]);
  await store.write(`s0/${NAMES[1]}`, new Uint8Array(deceptive.buffer));
  const scale = openScale(store);
  expect((await scale.readChunk([0, 0, 0]))![0]).toBe(7);
  expect(await scale.readChunk([1, 0, 0])).toEqual(deceptive);
});

test("a chunk written over a compressed one replaces it, and deleting removes both", async () => {
  const store = memoryKvStore();
  for (const name of NAMES.slice(0, 2)) await store.write(`s0/${name}.gz`, gzip(raw(1)));
  const reader = openScale(store);
  expect((await reader.readChunk([0, 0, 0]))![0]).toBe(1);
  const writer = openScale(store);
  await writer.writeChunk([0, 0, 0], chunk(2));
  await writer.deleteChunk([1, 0, 0]);
  expect((await reader.readChunk([0, 0, 0]))![0]).toBe(2);
  expect(await reader.readChunk([1, 0, 0])).toBeUndefined();
  const present = [];
  for await (const position of writer.listChunks()) present.push(position);
  expect(present).toEqual([[0, 0, 0]]);
});

test("an info stored compressed is replaced under its condition", async () => {
  const store = memoryKvStore();
  await store.write("info.gz", gzip(new TextEncoder().encode(JSON.stringify(info))));
  const { generation } = await readInfo(store);
  await writeInfo(store, { ...info, vendor: 1 }, { ifGeneration: generation });
  expect((await readInfo(store)).info.vendor).toBe(1);
  expect(await store.read("info.gz")).toBeUndefined();
});

test("files that unpack to more than a chunk are CORRUPT, and named", async () => {
  const store = memoryKvStore();
  const zeros = new Uint8Array(5_000_000);
  await store.write(`s0/${NAMES[0]}.gz`, gzip(zeros));
  await store.write(`s0/${NAMES[1]}.br`, new Uint8Array(brotliCompressSync(zeros)));
  await store.write(`s0/${NAMES[2]}.zstd`, await zstdCompress(zeros));
  for (const x of [0, 1, 2]) {
    await expect(openScale(store).readChunk([x, 0, 0])).rejects.toMatchObject({
      code: "CORRUPT",
      fields: { key: expect.stringContaining(NAMES[x]!) },
    });
  }
});

test("a chunk of the wrong length is CORRUPT, and named", async () => {
  const store = memoryKvStore();
  await store.write(`s0/${NAMES[0]}`, raw(1).subarray(1));
  await expect(openScale(store).readChunk([0, 0, 0])).rejects.toMatchObject({
    code: "CORRUPT",
    message: expect.stringContaining("127 bytes; 64 voxels of uint16 are 128"),
    fields: { key: `s0/${NAMES[0]}` },
  });
});

test("a failed write ends the call with its error and is not lost among others", async () => {
  const store = memoryKvStore();
  const failing = {
    ...observed(store),
    write: async (key: unknown, value: Uint8Array | null) => {
      if (value !== null && String(key).includes("4-8")) throw new Error("disk full");
      return store.write(key as string, value);
    },
  };
  const source = async function* () {
    for (let x = 0; x < 5; x++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield { position: [x, 0, 0] as const, data: chunk(x) };
    }
  };
  await expect(openScale(failing).writeChunks(source())).rejects.toThrow("disk full");
});

test("an aborted read rejects with the reason", async () => {
  const store = memoryKvStore();
  await expect(openScale(store).readChunk([0, 0, 0], { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow(
    "gone",
  );
});

test("a scale with several copies of its data is read from the first and not written", async () => {
  const two = parseInfo({
    ...info,
    scales: [
      {
        ...info.scales[0],
        chunk_sizes: [
          [4, 4, 4],
          [2, 2, 2],
        ],
      },
    ],
  });
  const scale = new PrecomputedScale(memoryKvStore(), "", two, two.scales[0]!);
  expect(scale.grid.chunkSize).toEqual([4, 4, 4]);
  await expect(scale.writeChunk([0, 0, 0], chunk(1))).rejects.toMatchObject({ code: "UNSUPPORTED" });
});

test("a scale key may lead to a sibling folder, but not out of the store", async () => {
  const store = memoryKvStore();
  const elsewhere = { ...info, scales: [{ ...info.scales[0]!, key: "../raw//./s0" }] };
  await store.write("data/seg/info", new TextEncoder().encode(JSON.stringify(elsewhere)));
  await store.write(`data/raw/s0/${NAMES[0]}`, raw(3));
  const { scales } = await openPrecomputed(store, { path: "data/seg" });
  expect((await scales[0]!.readChunk([0, 0, 0]))![0]).toBe(3);
  await expect(openPrecomputed(store, { path: "data/seg/" })).resolves.toBeDefined();
  const outside = parseInfo(elsewhere);
  expect(() => new PrecomputedScale(store, "", outside, outside.scales[0]!)).toThrow(/leads out of memory/);
});
