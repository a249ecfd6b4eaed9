import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { connectedComponents } from "../src/components.ts";
import { countContacts, countFaceContacts } from "../src/contacts.ts";
import { countContactsOracle, countFaceContactsOracle } from "../src/oracle/contacts.ts";
import { renumberOracle } from "../src/oracle/renumber.ts";
import { applyTable, renumber } from "../src/renumber.ts";
import { block, narrow, textures } from "./volumes.ts";

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 12 }),
);
const types = fc.constantFrom("u8", "u16", "u32", "u64");

test("renumbering agrees with a sorted set, and applying the table gives the labels back", () => {
  fc.assert(
    fc.property(sizes, types, fc.constantFrom(...textures), fc.nat(), (size, type, texture, seed) => {
      const labels = narrow(block(texture, size, seed), type);
      const found = renumber(labels);
      expect(found).toEqual(renumberOracle(labels));
      expect(applyTable(found.indices, found.labels)).toEqual(labels);
    }),
    { numRuns: 200 },
  );
});

test("renumbering 200,000 distinct labels grows its table and keeps them all", () => {
  const random = new Random(5);
  const labels = BigUint64Array.from({ length: 200_000 }, () => random.uint64());
  const { indices, labels: table } = renumber(labels);
  expect(table.length).toBe(new Set(labels).size + 1);
  expect(table).toEqual(BigUint64Array.from(table).sort());
  expect(applyTable(indices, table)).toEqual(labels);
});

test("renumbering nothing gives the table of 0 alone", () => {
  expect(renumber(new BigUint64Array(0))).toEqual({ indices: new Uint32Array(0), labels: BigUint64Array.of(0n) });
});

test("an index beyond the table is refused", () => {
  expect(() => applyTable(Uint32Array.of(0, 4), BigUint64Array.of(0n, 1n))).toThrow(/indices\[1\] is 4.* 2 labels/);
});

test("contacts inside a block agree with the plain count", () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(...textures), fc.nat(), (size, texture, seed) => {
      const { components } = connectedComponents(block(texture, size, seed), size, 6);
      expect(countContacts(components, size)).toEqual(countContactsOracle(components, size));
    }),
    { numRuns: 200 },
  );
});

test("contacts with numbers up to 2^32−1 agree with the plain count", () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(...textures), fc.nat(), (size, texture, seed) => {
      const components = narrow(block(texture, size, seed), "u32") as Uint32Array;
      expect(countContacts(components, size)).toEqual(countContactsOracle(components, size));
    }),
    { numRuns: 100 },
  );
});

test("contacts of a block of several slabs, every voxel its own component", () => {
  const size = [70, 50, 40] as const;
  const components = Uint32Array.from({ length: 70 * 50 * 40 }, (_, i) => i + 1);
  const { pairs, areas } = countContacts(components, size);
  expect(areas.length).toBe(69 * 50 * 40 + 70 * 49 * 40 + 70 * 50 * 39);
  expect(areas.every((area) => area === 1)).toBe(true);
  expect([...pairs.subarray(0, 6)]).toEqual([1, 2, 1, 71, 1, 3501]);
});

test("contacts across two planes pair lower with upper, equal numbers too", () => {
  const lower = Uint32Array.of(1, 1, 2, 0, 3);
  const upper = Uint32Array.of(1, 1, 1, 4, 0);
  expect(countFaceContacts(lower, upper)).toEqual({ pairs: Uint32Array.of(1, 1, 2, 1), areas: Uint32Array.of(2, 1) });
  const random = new Random(3);
  const a = Uint32Array.from({ length: 100_000 }, () => random.below(300));
  const b = Uint32Array.from({ length: 100_000 }, () => random.below(300));
  expect(countFaceContacts(a, b)).toEqual(countFaceContactsOracle(a, b));
  expect(countFaceContacts(new Uint32Array(0), new Uint32Array(0)).areas.length).toBe(0);
  expect(() => countFaceContacts(a, b.subarray(1))).toThrow(/100000 and 99999/);
});
