import { expect, test } from "vitest";
import { memorySource } from "../src/zarr/byte-source.ts";
import { chunkCodecOfV3, type ShardCodec } from "../src/zarr/chunk-codec.ts";
import { encodeShardIndex } from "../src/zarr/shard-index.ts";
import { ShardIndexCache } from "../src/zarr/shard-index-cache.ts";

const bytes = [{ name: "bytes", configuration: { endian: "little" } }];
const configuration = { chunk_shape: [1, 1, 1], codecs: bytes, index_codecs: [...bytes, { name: "crc32c" }] };
const context = { dataType: "uint64", axes: [2, 1, 0, -1], key: "zarr.json" } as const;
const codec = chunkCodecOfV3([2, 2, 2], [{ name: "sharding_indexed", configuration }], context) as ShardCodec;
const shard = encodeShardIndex(codec, new Array(8).fill(undefined));

/** A shard that counts how often its index is read. */
function shardNamed(name: string, reads: string[]) {
  const source = memorySource(name, shard, "1");
  return {
    name,
    read: (...args: Parameters<typeof source.read>) => {
      reads.push(name);
      return source.read(...args);
    },
  };
}

test("the least recently used indexes go first, and only as many as the byte budget asks", async () => {
  const reads: string[] = [];
  const cache = new ShardIndexCache(3 * shard.length);
  const load = (name: string) => cache.load(codec, shardNamed(name, reads));
  for (const name of ["a", "b", "c", "a", "d", "a", "c", "b"]) await load(name);
  expect(reads).toEqual(["a", "b", "c", "d", "b"]);
});

test("loads of one index at the same time are one read", async () => {
  const reads: string[] = [];
  const cache = new ShardIndexCache(1000);
  await Promise.all([1, 2, 3].map(() => cache.load(codec, shardNamed("a", reads))));
  expect(reads).toEqual(["a"]);
});

test("a failed load is not remembered", async () => {
  const cache = new ShardIndexCache(1000);
  const broken = { name: "a", read: () => Promise.reject(new Error("disk on fire")) };
  await expect(cache.load(codec, broken)).rejects.toThrow("disk on fire");
  expect(await cache.load(codec, shardNamed("a", []))).toMatchObject({ fresh: true });
});

test("what is forgotten, with the shards inside it, is read again", async () => {
  const reads: string[] = [];
  const cache = new ShardIndexCache(1000);
  const names = ["c/0", "c/0 (bytes 5 to 9)", "c/01"];
  for (const name of names) await cache.load(codec, shardNamed(name, reads));
  cache.forget("c/0");
  for (const name of names) await cache.load(codec, shardNamed(name, reads));
  expect(reads).toEqual([...names, names[0], names[1]]);
});
