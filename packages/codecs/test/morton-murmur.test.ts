import { Random } from "@pcg/testkit";
import fc from "fast-check";
import murmurHash from "murmurhash3js-revisited";
import { expect, test } from "vitest";
import { compressedMorton, mortonBits, mortonPosition } from "../src/morton.ts";
import { murmur3x86_128Low64, murmur3x86_128Low64Bulk, murmur3x86_128Low64Lanes } from "../src/murmur.ts";

test("Morton codes of uneven grids leave out the bits that an axis does not need", () => {
  const grid = [10, 4, 2] as const;
  expect(mortonBits(grid)).toEqual([4, 2, 1]);
  expect(compressedMorton(grid, [1, 0, 0])).toBe(1n);
  expect(compressedMorton(grid, [0, 1, 0])).toBe(2n);
  expect(compressedMorton(grid, [2, 0, 1])).toBe(12n);
  expect(compressedMorton(grid, [2, 3, 0])).toBe(26n);
  expect(compressedMorton(grid, [9, 2, 1])).toBe(85n);
  expect(compressedMorton([4, 2, 4], [3, 1, 2])).toBe(27n);
  expect(compressedMorton([1, 1, 1], [0, 0, 0])).toBe(0n);
});

test("every cell of a grid has its own Morton code, and the code leads back to it", () => {
  const dimension = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 21 }));
  fc.assert(
    fc.property(dimension, dimension, dimension, fc.nat(), (x, y, z, seed) => {
      const random = new Random(seed);
      const cell = [random.below(x), random.below(y), random.below(z)] as const;
      expect(mortonPosition([x, y, z], compressedMorton([x, y, z], cell))).toEqual([...cell]);
    }),
  );
  const codes = new Set<bigint>();
  for (let i = 0; i < 5 * 3 * 7; i++)
    codes.add(compressedMorton([5, 3, 7], [i % 5, Math.floor(i / 5) % 3, Math.floor(i / 15)]));
  expect(codes.size).toBe(105);
});

test("grids of 64 bits work, wider ones and cells outside are refused", () => {
  const grid = [2 ** 22, 2 ** 21, 2 ** 21] as const;
  const last = [2 ** 22 - 1, 2 ** 21 - 1, 2 ** 21 - 1] as const;
  expect(compressedMorton(grid, last)).toBe(2n ** 64n - 1n);
  expect(mortonPosition(grid, 2n ** 64n - 1n)).toEqual([...last]);
  expect(() => mortonBits([2 ** 22, 2 ** 22, 2 ** 21])).toThrow(/65 bits.*limit is 64/);
  expect(() => compressedMorton([3, 3, 3], [0, 3, 0])).toThrow(RangeError);
  expect(() => compressedMorton([3, 0, 3], [0, 0, 0])).toThrow(/axis 1/);
  expect(() => mortonPosition([3, 3, 3], 3n << 62n)).toThrow(RangeError);
  expect(() => mortonPosition([3, 3, 3], 63n)).toThrow(/\(3, 3, 3\)/);
});

/** The general hash, from another implementation. */
function oracle(key: bigint): bigint {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, key, true);
  const hex = murmurHash.x86.hash128([...bytes], 0);
  return BigInt(`0x${hex.slice(8, 16)}${hex.slice(0, 8)}`);
}

test("MurmurHash3 of eight bytes agrees with the known values and the general hash", () => {
  expect(murmur3x86_128Low64(0n)).toBe(0x4772b084e028ae41n);
  expect(murmur3x86_128Low64(1n)).toBe(0xe8bd67d616d4ce9an);
  expect(murmur3x86_128Low64(42n)).toBe(0xc20b94f95119f47an);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (key) => {
      expect(murmur3x86_128Low64(key)).toBe(oracle(key));
    }),
    { numRuns: 500 },
  );
  expect(() => murmur3x86_128Low64(2n ** 64n)).toThrow(RangeError);
  expect(() => murmur3x86_128Low64(-1n)).toThrow(RangeError);
});

test("hashing in bulk and on lanes agrees with hashing one by one", () => {
  const random = new Random(1);
  const keys = BigUint64Array.from({ length: 1000 }, () => random.uint64());
  const part = keys.subarray(3, 900);
  expect(murmur3x86_128Low64Bulk(part)).toEqual(part.map(murmur3x86_128Low64));
  expect(() => murmur3x86_128Low64Lanes(new Uint32Array(3), new Uint32Array(4))).toThrow(RangeError);
  expect(() => murmur3x86_128Low64Lanes(new Uint32Array(4), new Uint32Array(2))).toThrow(RangeError);
});
