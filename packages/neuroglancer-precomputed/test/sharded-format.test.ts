import { compressedMorton } from "@pcg/codecs/morton";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkGrid, type Xyz } from "../src/index.ts";
import {
  decodeMinishardIndex,
  decodeShardIndex,
  defaultSharding,
  encodeMinishardIndex,
  locate,
  parseSharding,
  ShardBuilder,
  type ShardingSpec,
  shardIndexLength,
  shardName,
  shardShape,
  shardsOf,
  storedValues,
} from "../src/sharded.ts";

const sharding = (members: Partial<ShardingSpec> = {}): ShardingSpec =>
  parseSharding({
    "@type": "neuroglancer_uint64_sharded_v1",
    hash: "identity",
    preshift_bits: 0,
    minishard_bits: 1,
    shard_bits: 2,
    ...members,
  });

describe("location", () => {
  test("murmur puts keys 0, 1 and 42 where the reference does", () => {
    const spec = sharding({ hash: "murmurhash3_x86_128" });
    expect(locate(spec, 0n)).toEqual({ minishard: 1, shard: 0n });
    expect(locate(spec, 1n)).toEqual({ minishard: 0, shard: 1n });
    expect(locate(spec, 42n)).toEqual({ minishard: 0, shard: 1n });
  });

  test("preshift comes before the hash, minishard before the shard", () => {
    expect(locate(sharding({ preshift_bits: 2 }), 0b11_0_11n)).toEqual({ minishard: 0, shard: 0b11n });
    expect(locate(sharding({ preshift_bits: 1, minishard_bits: 0, shard_bits: 63 }), 2n ** 64n - 1n).shard).toBe(
      2n ** 63n - 1n,
    );
  });

  test("shard names are padded to the digits of shard_bits", () => {
    expect(shardName(sharding({ shard_bits: 0 }), 0n)).toBe("0");
    expect(shardName(sharding({ shard_bits: 2 }), 1n)).toBe("1");
    expect(shardName(sharding({ shard_bits: 9 }), 0x1an)).toBe("01a");
  });
});

describe("minishard index", () => {
  const spec = sharding({ minishard_bits: 0, shard_bits: 0 });
  const base = shardIndexLength(spec);
  const words = (bytes: Uint8Array): bigint[] => [...new BigUint64Array(bytes.slice().buffer)];
  const index = (starts: number[]): Parameters<typeof encodeMinishardIndex>[1] => ({
    ids: BigUint64Array.of(5n, 7n),
    starts: Float64Array.from(starts, (start) => base + start),
    sizes: Float64Array.of(10, 20),
  });

  test("ids and starts are differences, sizes are not", () => {
    expect(words(encodeMinishardIndex(spec, index([0, 10])))).toEqual([5n, 2n, 0n, 0n, 10n, 20n]);
    expect(words(encodeMinishardIndex(spec, index([0, 14])))).toEqual([5n, 2n, 0n, 4n, 10n, 20n]);
  });

  test("what is encoded decodes again, gzipped or not", () => {
    for (const encoding of ["raw", "gzip"] as const) {
      const encoded = encodeMinishardIndex({ ...spec, minishard_index_encoding: encoding }, index([3, 14]));
      expect(decodeMinishardIndex({ ...spec, minishard_index_encoding: encoding }, encoded, base)).toEqual(
        index([3, 14]),
      );
    }
  });

  test("ids that do not ascend, wrap around or reach past 2^53 bytes are CORRUPT", () => {
    const encoded = (...numbers: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(numbers).buffer);
    const decode = (bytes: Uint8Array) => () => decodeMinishardIndex(spec, bytes, base);
    expect(decode(encoded(5n, 0n, 0n, 0n, 1n, 1n))).toThrow(/repeats the id 5/);
    expect(decode(encoded(2n ** 64n - 1n, 1n, 0n, 0n, 1n, 1n))).toThrow(/entry 1 of 2/);
    expect(decode(encoded(1n, 2n ** 53n, 1n))).toThrow(/ends at byte/);
    expect(decode(new Uint8Array(25))).toThrow(/multiple of 24/);
  });

  test("an empty minishard is an equal pair, wherever it points", () => {
    const bytes = new Uint8Array(BigUint64Array.of(0n, 0n, 77n, 77n, 3n, 9n).buffer);
    expect(decodeShardIndex(bytes, 48)).toEqual([undefined, undefined, { start: 51, end: 57 }]);
    expect(() => decodeShardIndex(new Uint8Array(BigUint64Array.of(9n, 3n).buffer), 16)).toThrow(/spans 9 to 3/);
  });
});

const specs = fc
  .record({
    hash: fc.constantFrom("identity" as const, "murmurhash3_x86_128" as const),
    preshift_bits: fc.integer({ min: 0, max: 6 }),
    minishard_bits: fc.integer({ min: 0, max: 4 }),
    shard_bits: fc.integer({ min: 0, max: 5 }),
    minishard_index_encoding: fc.constantFrom("raw" as const, "gzip" as const),
    data_encoding: fc.constantFrom("raw" as const, "gzip" as const),
  })
  .map((members) => sharding(members));

test("a shard gives back its values, the same bytes in whatever order they were added", () => {
  fc.assert(
    fc.property(specs, fc.uniqueArray(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 60 }), (spec, ids) => {
      const shard = ids.length === 0 ? 0n : locate(spec, ids[0]!).shard;
      const mine = ids.filter((id) => locate(spec, id).shard === shard);
      const build = (order: readonly bigint[]): Uint8Array => {
        const builder = new ShardBuilder(spec, shard);
        for (const id of order) builder.add(id, new Uint8Array(Number(id % 50n)).fill(Number(id % 251n)));
        return builder.build();
      };
      const file = build(mine);
      expect(build([...mine].reverse())).toEqual(file);
      expect([...storedValues(spec, file)].map(({ id }) => id).sort()).toEqual([...mine].sort());
    }),
    { numRuns: 100 },
  );
});

test("a value of another shard is refused, naming both shards", () => {
  expect(() => new ShardBuilder(sharding(), 0n).add(0b110n, new Uint8Array(1))).toThrow(
    "id 6 belongs to shard 3, not 0",
  );
});

test("parts of a shard that overlap are CORRUPT, so that a small file stays small", () => {
  const spec = sharding({ minishard_bits: 0, shard_bits: 0 });
  const builder = new ShardBuilder(spec, 0n);
  builder.add(1n, new Uint8Array(1000));
  builder.add(2n, new Uint8Array(1000));
  const file = builder.build();
  // The second value is moved back onto the first.
  const index = { ids: BigUint64Array.of(1n), starts: Float64Array.of(16), sizes: Float64Array.of(2000) };
  file.set(encodeMinishardIndex(spec, index), 2016);
  new DataView(file.buffer).setBigUint64(8, 2024n, true);
  expect([...storedValues(spec, file)].length).toBe(1);
  new DataView(file.buffer).setBigUint64(2016 + 16, 2040n, true);
  expect(() => [...storedValues(spec, file)]).toThrow(/overlaps/);
});

describe("geometry", () => {
  const grid: Xyz = [2, 4, 8];

  test("the free low bits of the Morton code are dealt to x, y, z", () => {
    const spec = sharding({ preshift_bits: 1, minishard_bits: 2, shard_bits: 3 });
    expect(shardShape(grid, spec)).toEqual([2, 2, 2]);
    expect(shardShape(grid, { ...spec, minishard_bits: 0, shard_bits: 5 })).toEqual([2, 1, 1]);
    expect(shardShape(grid, { ...spec, preshift_bits: 30 })).toEqual([2, 4, 8]);
  });

  test("shards are no boxes under murmur or with too few bits", () => {
    expect(shardShape(grid, sharding({ hash: "murmurhash3_x86_128", shard_bits: 6 }))).toBeUndefined();
    expect(shardShape(grid, sharding({ preshift_bits: 0, minishard_bits: 1, shard_bits: 2 }))).toBeUndefined();
  });

  test("every chunk is in exactly the shard its id says, boxes or not", () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(specs, fc.tuple(size, size, size), (spec, shape) => {
        const chunks = new ChunkGrid({ size: shape, chunkSize: [1, 1, 1] });
        const seen = new Set<string>();
        const shards = new Set<bigint>();
        for (const { shard, positions } of shardsOf(chunks, spec)) {
          expect(shards.has(shard)).toBe(false);
          shards.add(shard);
          for (const position of positions) {
            expect(locate(spec, compressedMorton(chunks.shape, position)).shard).toBe(shard);
            seen.add(chunks.chunkName(position));
          }
        }
        expect(BigInt(seen.size)).toBe(chunks.chunkCount);
      }),
      { numRuns: 100 },
    );
  });
});

describe("default sharding", () => {
  const scale = (size: Xyz, chunk: Xyz) => ({ size, chunk_sizes: [chunk], encoding: "compressed_segmentation" });
  const properties = (size: Xyz, chunk: Xyz): { spec: ShardingSpec; chunkBits: number } => {
    const spec = defaultSharding(scale(size, chunk), "uint64", 1);
    return { spec, chunkBits: spec.preshift_bits + spec.minishard_bits };
  };

  test.each<[Xyz, Xyz]>([
    [
      [1, 1, 1],
      [64, 64, 64],
    ],
    [
      [512, 512, 256],
      [64, 64, 64],
    ],
    [
      [100_000, 80_000, 7_000],
      [64, 64, 64],
    ],
    [
      [100_000, 80_000, 7_000],
      [256, 256, 32],
    ],
    [
      [2 ** 31, 2 ** 31, 2 ** 17],
      [128, 128, 16],
    ],
    [
      [500_000, 500_000, 1],
      [16, 16, 1],
    ],
  ])("%j in chunks of %j keeps every bound", (size, chunk) => {
    const { spec, chunkBits } = properties(size, chunk);
    const chunkBytes = 8 * chunk[0] * chunk[1] * chunk[2];
    expect(2 ** chunkBits * chunkBytes).toBeLessThanOrEqual(3.5e9);
    expect(2 ** spec.preshift_bits).toBeLessThanOrEqual(1024);
    expect(shardIndexLength(spec)).toBeLessThanOrEqual(8192);
    expect(shardShape(new ChunkGrid({ size, chunkSize: chunk }).shape, spec)).toBeDefined();
    expect(parseSharding(spec)).toEqual(spec);
  });

  test("a small volume is one shard, and pictures are not compressed twice", () => {
    expect(defaultSharding(scale([512, 512, 256], [64, 64, 64]), "uint64", 1).shard_bits).toBe(0);
    const jpeg = defaultSharding({ size: [512, 512, 256], chunk_sizes: [[64, 64, 64]], encoding: "jpeg" }, "uint8", 1);
    expect(jpeg.data_encoding).toBe("raw");
  });
});
