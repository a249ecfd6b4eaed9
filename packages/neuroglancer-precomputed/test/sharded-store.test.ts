import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { type PrecomputedInfo, PrecomputedScale, parseInfo, type Xyz } from "../src/index.ts";
import { parseSharding, ShardBuilder, ShardedReader } from "../src/sharded.ts";
import { observed, readAll } from "./support.ts";

const spec = parseSharding({
  "@type": "neuroglancer_uint64_sharded_v1",
  hash: "identity",
  preshift_bits: 3,
  minishard_bits: 1,
  shard_bits: 2,
});

/** A volume of 4 x 4 x 4 chunks of 2 x 2 x 2 voxels: shards are boxes of 4 x 2 x 2 chunks. */
function makeInfo(sharding: object = spec): PrecomputedInfo {
  return parseInfo({
    type: "segmentation",
    data_type: "uint64",
    num_channels: 1,
    scales: [
      { key: "s0", size: [8, 8, 8], resolution: [1, 1, 1], chunk_sizes: [[2, 2, 2]], encoding: "raw", sharding },
    ],
  });
}

function openScale(store: KvStore, sharding: object = spec): PrecomputedScale {
  const info = makeInfo(sharding);
  return new PrecomputedScale(store, "", info, info.scales[0]!);
}

const chunk = (label: number): BigUint64Array => new BigUint64Array(8).fill(BigInt(label));
const labelOf = ([x, y, z]: Xyz): number => 1 + x + 10 * y + 100 * z;
const everything = (scale: PrecomputedScale) =>
  [...scale.storageUnits()].flatMap(({ positions }) =>
    positions.map((position) => ({ position, data: chunk(labelOf(position)) })),
  );

describe("reading", () => {
  async function filled(): Promise<{ store: ReturnType<typeof observed>; scale: PrecomputedScale }> {
    const memory = memoryKvStore();
    const scale = openScale(memory);
    await scale.writeChunks(everything(scale));
    const store = observed(memory);
    return { store, scale: openScale(store) };
  }

  test("all chunks of a volume read at once cost three reads a shard", async () => {
    const { store, scale } = await filled();
    await readAll(scale);
    // Shard index, two minishard indices and their data in gathered reads: 4 shards.
    expect(store.log.length).toBeLessThanOrEqual(4 * 4);
    expect(store.log.filter((line) => line.endsWith("0+32")).length).toBe(4);
  });

  test("a chunk asked for many times at once is read once", async () => {
    const { store, scale } = await filled();
    await scale.readChunk([0, 0, 0]);
    store.log.length = 0;
    const chunks = await Promise.all(Array.from({ length: 10 }, () => scale.readChunk([1, 0, 0])));
    expect(chunks.every((data) => data?.[0] === BigInt(labelOf([1, 0, 0])))).toBe(true);
    expect(store.log.length).toBe(1);
  });

  test("the caller who gives up gets the reason, the others their chunks", async () => {
    const { store, scale } = await filled();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const controller = new AbortController();
    const lost = scale.readChunk([0, 0, 0], { signal: controller.signal });
    const kept = scale.readChunk([1, 0, 0]);
    controller.abort(new Error("changed my mind"));
    await expect(lost).rejects.toThrow("changed my mind");
    open();
    expect((await kept)![0]).toBe(BigInt(labelOf([1, 0, 0])));
  });

  test("a read all gave up on does not poison the next", async () => {
    const { store, scale } = await filled();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const controller = new AbortController();
    const lost = scale.readChunk([0, 0, 0], { signal: controller.signal });
    controller.abort();
    await expect(lost).rejects.toThrow();
    const next = scale.readChunk([0, 0, 0]);
    open();
    expect((await next)![0]).toBe(1n);
    await expect(scale.readChunk([0, 0, 0], { signal: AbortSignal.abort(new Error("never began")) })).rejects.toThrow(
      "never began",
    );
  });

  test("a shard that somebody rewrites is read in its new version, though its index was cached", async () => {
    const { store, scale } = await filled();
    expect((await scale.readChunk([0, 0, 0]))![0]).toBe(1n);
    const other = openScale(store);
    await other.deleteChunk([0, 0, 0]);
    await other.writeChunk([1, 0, 0], chunk(77));
    expect((await scale.readChunk([1, 0, 0]))![0]).toBe(77n);
    expect(await scale.readChunk([0, 0, 0])).toBeUndefined();
  });

  test("a chunk that another process adds to a shard is seen, though the index was cached", async () => {
    const memory = memoryKvStore();
    await openScale(memory).writeChunk([0, 0, 0], chunk(1));
    const store = observed(memory);
    const scale = openScale(store);
    expect(await scale.readChunk([1, 0, 0])).toBeUndefined();
    store.log.length = 0;
    expect(await Promise.all([scale.readChunk([1, 0, 0]), scale.hasChunk([3, 1, 1])])).toEqual([undefined, false]);
    expect(new Set(store.log)).toEqual(new Set(["read s0/0.shard 0+1"]));
    await openScale(memory).writeChunks([
      { position: [1, 0, 0], data: chunk(2) },
      { position: [3, 1, 1], data: chunk(3) },
    ]);
    expect((await scale.readChunk([1, 0, 0]))![0]).toBe(2n);
    expect(await scale.hasChunk([3, 1, 1])).toBe(true);
  });

  test("a shard that changes during every read is a CONFLICT, not a mix", async () => {
    const { store } = await filled();
    let writes = 0;
    const restless = {
      ...store,
      read: (async (key: string, options: { range?: { offset: number } }) => {
        const result = await store.read(key, options as never);
        const { value } = (await store.read(key))!;
        await store.write(key, value);
        writes++;
        return result;
      }) as KvStore["read"],
    };
    await expect(openScale(restless).readChunk([0, 0, 0])).rejects.toMatchObject({ code: "CONFLICT" });
    expect(writes).toBeLessThan(30);
  });

  test("absent chunks and absent shards are undefined", async () => {
    const store = memoryKvStore();
    const scale = openScale(store);
    expect(await scale.readChunk([0, 0, 0])).toBeUndefined();
    expect(await scale.hasChunk([0, 0, 0])).toBe(false);
    await scale.writeChunk([0, 0, 0], chunk(5));
    expect(await scale.hasChunk([0, 0, 0])).toBe(true);
    expect(await scale.readChunk([1, 0, 0])).toBeUndefined();
    expect(await scale.readChunk([3, 3, 3])).toBeUndefined();
    const present = [];
    for await (const position of scale.listChunks()) present.push(position);
    expect(present).toEqual([[0, 0, 0]]);
  });

  test("a truncated shard is CORRUPT and named", async () => {
    const { store } = await filled();
    const key = "s0/0.shard";
    const { value } = (await store.read(key))!;
    for (const length of [0, 31, 40, 100, value.length - 1]) {
      await store.write(key, value.slice(0, length));
      const scale = openScale(store);
      const read = scale.grid.chunks();
      const results = await Promise.allSettled(
        [...read].filter((p) => scale.chunkKey(p) === key).map((p) => scale.readChunk(p)),
      );
      const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      expect(failures.length, `${length}`).toBeGreaterThan(0);
      for (const failure of failures) expect(failure).toMatchObject({ code: "CORRUPT", fields: { key } });
    }
  });

  test("a value larger than its chunk can be is refused unread", async () => {
    const store = memoryKvStore();
    const builder = new ShardBuilder(spec, 0n);
    builder.add(0n, new Uint8Array(1_000_000));
    await store.write("s0/0.shard", builder.build());
    const watched = observed(store);
    await expect(openScale(watched).readChunk([0, 0, 0])).rejects.toMatchObject({ code: "CORRUPT" });
    expect(watched.log.length).toBe(2);
  });

  test("gzipped data that unpacks to more than a chunk is CORRUPT", async () => {
    const store = memoryKvStore();
    const zipped = parseSharding({ ...spec, data_encoding: "gzip" });
    const builder = new ShardBuilder(zipped, 0n);
    builder.add(0n, new Uint8Array(10_000));
    await store.write("s0/0.shard", builder.build());
    await expect(openScale(store, zipped).readChunk([0, 0, 0])).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("the index cache keeps to its bytes", async () => {
    const { store } = await filled();
    const reader = new ShardedReader(store, "s0/", spec, { indexCacheBytes: 0 });
    for (let i = 0; i < 3; i++) expect((await reader.read(0n, 64))!.length).toBe(64);
    // Nothing is kept: index, minishard index and value each time.
    expect(store.log.length).toBe(9);
  });
});

describe("writing", () => {
  test("a whole shard is one write and no read", async () => {
    const store = observed(memoryKvStore());
    const scale = openScale(store);
    await scale.writeChunks(everything(scale));
    expect(store.log).toEqual(["write s0/0.shard", "write s0/1.shard", "write s0/2.shard", "write s0/3.shard"]);
    const voxels = (await readAll(openScale(store))) as BigUint64Array;
    expect(voxels[7 + 8 * (7 + 8 * 7)]).toBe(BigInt(labelOf([3, 3, 3])));
  });

  test("some chunks of a shard are merged into it by one read and one write", async () => {
    const store = observed(memoryKvStore());
    const scale = openScale(store);
    await scale.writeChunks(everything(scale));
    store.log.length = 0;
    await scale.writeChunks([
      { position: [0, 0, 0], data: chunk(90) },
      { position: [1, 0, 0], data: undefined },
      { position: [3, 1, 1], data: chunk(91) },
    ]);
    expect(store.log).toEqual(["read s0/0.shard", "write s0/0.shard"]);
    expect((await scale.readChunk([0, 0, 0]))![0]).toBe(90n);
    expect(await scale.readChunk([1, 0, 0])).toBeUndefined();
    expect((await scale.readChunk([2, 0, 0]))![0]).toBe(BigInt(labelOf([2, 0, 0])));
    expect((await scale.readChunk([3, 1, 1]))![0]).toBe(91n);
  });

  test("the last chunk deleted takes the shard with it", async () => {
    const store = memoryKvStore();
    const scale = openScale(store);
    await scale.writeChunk([0, 0, 0], chunk(1));
    await scale.deleteChunk([0, 0, 0]);
    await scale.deleteChunk([0, 0, 0]);
    expect(await store.read("s0/0.shard")).toBeUndefined();
  });

  test("writers of one shard, in one scale or two, lose nothing", async () => {
    const store = memoryKvStore();
    const [a, b] = [openScale(store), openScale(store)];
    const positions = [...a.grid.chunks()].filter((position) => a.chunkKey(position) === "s0/0.shard");
    await Promise.all(
      positions.map((position, i) => (i % 2 === 0 ? a : b).writeChunk(position, chunk(labelOf(position)))),
    );
    for (const position of positions) expect((await b.readChunk(position))![0]).toBe(BigInt(labelOf(position)));
  });

  test.each(["identity", "murmurhash3_x86_128"] as const)(
    "%s: units hold every chunk once, and writing by them reads back",
    async (hash) => {
      const store = memoryKvStore();
      const sharding = { ...spec, hash };
      const scale = openScale(store, sharding);
      const names = new Set<string>();
      for (const { key, positions } of scale.storageUnits()) {
        for (const position of positions) {
          expect(scale.chunkKey(position)).toBe(key);
          names.add(scale.grid.chunkName(position));
        }
      }
      expect(names.size).toBe(64);
      await scale.writeChunks(everything(scale));
      const fresh = openScale(store, sharding);
      for (const position of fresh.grid.chunks())
        expect((await fresh.readChunk(position))![0]).toBe(BigInt(labelOf(position)));
    },
  );

  test("when the source fails, shards that are not complete stay as they were", async () => {
    const store = observed(memoryKvStore());
    const scale = openScale(store);
    const failing = async function* () {
      for (const one of everything(scale).slice(0, 24)) yield one;
      throw new Error("no more");
    };
    await expect(scale.writeChunks(failing())).rejects.toThrow("no more");
    expect(store.log).toEqual(["write s0/0.shard"]);
  });

  test("an aborted write stops before the next shard", async () => {
    const store = observed(memoryKvStore());
    const scale = openScale(store);
    const controller = new AbortController();
    const source = async function* () {
      for (const [i, one] of everything(scale).entries()) {
        if (i === 20) controller.abort(new Error("enough"));
        yield one;
      }
    };
    await expect(scale.writeChunks(source(), { signal: controller.signal })).rejects.toThrow("enough");
    expect(store.log).toEqual(["write s0/0.shard"]);
  });

  test("a shard is only merged into where the store can keep others out", async () => {
    const memory = memoryKvStore();
    const store = { ...observed(memory), capabilities: { writable: true, list: true } as const };
    const scale = openScale(store);
    await scale.writeChunks(everything(scale));
    await expect(scale.writeChunk([0, 0, 0], chunk(1))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("a corrupt shard is not written over by a merge", async () => {
    const store = memoryKvStore();
    await store.write(
      "s0/0.shard",
      Uint8Array.from({ length: 40 }, (_, i) => 255 - i),
    );
    await expect(openScale(store).writeChunk([0, 0, 0], chunk(1))).rejects.toMatchObject({
      code: "CORRUPT",
      fields: { key: "s0/0.shard" },
    });
    expect((await store.read("s0/0.shard"))!.value.length).toBe(40);
  });

  test("shards in the old layout are not merged into", async () => {
    const store = memoryKvStore();
    await store.write("s0/0.index", new Uint8Array(32));
    await store.write("s0/0.data", new Uint8Array(0));
    await expect(openScale(store).writeChunk([0, 0, 0], chunk(1))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});
