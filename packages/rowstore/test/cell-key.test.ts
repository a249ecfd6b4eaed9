import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes, compareCells } from "../src/bytewise.ts";
import { type CellKey, decodeCellKey, encodeCellKey } from "../src/cell-key.ts";
import { isRowStoreError } from "../src/index.ts";

const tricky = fc.oneof(fc.constantFrom(0, 1, 2, 0xfe, 0xff), fc.integer({ min: 0, max: 255 }));
const bytes = (minLength: number, maxLength = 12) =>
  fc.array(tricky, { minLength, maxLength }).map((list) => Uint8Array.from(list));
const cellKey: fc.Arbitrary<CellKey> = fc.record({
  row: bytes(1),
  family: fc.stringMatching(/^[A-Za-z0-9_.-]{1,16}$/),
  qualifier: bytes(0),
  timestamp: fc.oneof(
    fc.bigInt(0n, (1n << 63n) - 1n),
    fc.constantFrom(0n, 1n, 255n, 256n, 1n << 32n, (1n << 63n) - 1n),
  ),
});
/** Two keys that share some of their parts. */
const pair = fc.tuple(cellKey, cellKey, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })).map(([a, b, same]) => {
  const row = same[0] ? a.row : b.row;
  const family = same[1] ? a.family : b.family;
  const qualifier = same[2] ? a.qualifier : b.qualifier;
  return [a, { row, family, qualifier, timestamp: b.timestamp }] as const;
});

test("a key decodes to what was encoded", () => {
  fc.assert(
    fc.property(cellKey, (key) => {
      expect(decodeCellKey(encodeCellKey(key))).toEqual(key);
    }),
    { numRuns: 1000 },
  );
});

test("encoded keys are in the order of row, family, qualifier, newest first", () => {
  const value = new Uint8Array(0);
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const order = compareBytes(a.row, b.row) || compareCells({ ...a, value }, { ...b, value });
      expect(Math.sign(compareBytes(encodeCellKey(a), encodeCellKey(b)))).toBe(Math.sign(order));
    }),
    { numRuns: 3000 },
  );
});

test("the longest names make a key that LMDB takes", () => {
  const zeros = (length: number) => new Uint8Array(length);
  const longest = { row: zeros(960), family: "f".repeat(16), qualifier: zeros(0), timestamp: 0n };
  expect(encodeCellKey(longest).length).toBe(2 * 960 + 2 + 17 + 2 + 8);
  expect(encodeCellKey({ ...longest, row: zeros(1), qualifier: zeros(959) }).length).toBeLessThanOrEqual(1978);
});

test("a key of 7 bytes without a qualifier is refused", () => {
  expect(() => decodeCellKey(Uint8Array.of(0, 255, 0, 1, 97, 0, 0))).toThrow(/not that of a cell/);
});

test("damaged keys are refused with a typed error, or are another valid key", () => {
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tricky, { maxLength: 40 }).map((list) => Uint8Array.from(list)),
    // One bit flipped, or cut short, or with bytes added.
    fc.tuple(cellKey, fc.nat(), fc.nat(7)).map(([key, at, bit]) => {
      const encoded = encodeCellKey(key);
      encoded[at % encoded.length]! ^= 1 << bit;
      return encoded;
    }),
    fc.tuple(cellKey, fc.nat()).map(([key, at]) => encodeCellKey(key).subarray(0, at % 40)),
    fc.tuple(cellKey, bytes(1)).map(([key, tail]) => Uint8Array.from([...encodeCellKey(key), ...tail])),
  );
  fc.assert(
    fc.property(damaged, (key) => {
      try {
        expect(encodeCellKey(decodeCellKey(key))).toEqual(Uint8Array.from(key));
      } catch (error) {
        if (!isRowStoreError(error, "CORRUPT")) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
