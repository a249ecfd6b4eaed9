import {
  compareKeys,
  hasPrefix,
  inRange,
  intersectRanges,
  isEmptyRange,
  keyBytes,
  keyText,
  listRange,
  prefixRange,
  prefixSuccessor,
  printKey,
} from "@pcg/kvstore";
import fc from "fast-check";
import { expect, test } from "vitest";

const key = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.array(fc.constantFrom(0, 1, 0x61, 0xfe, 0xff), { maxLength: 4 }).map((bytes) => Uint8Array.from(bytes)),
);
const range = fc.record({ start: key, end: key }, { requiredKeys: ["start"] });

test("keys are ordered as their bytes are", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(Buffer.compare(a, b)));
    }),
  );
});

test("the range of a prefix holds exactly the keys that begin with it", () => {
  fc.assert(
    fc.property(key, key, (prefix, candidate) => {
      expect(inRange(candidate, prefixRange(prefix))).toBe(hasPrefix(candidate, prefix));
    }),
    { numRuns: 2000 },
  );
  expect(prefixSuccessor("")).toBeUndefined();
  expect(prefixSuccessor(Uint8Array.of(0xff, 0xff))).toBeUndefined();
  expect(prefixSuccessor(Uint8Array.of(0x61, 0xff))).toEqual(Uint8Array.of(0x62));
});

test("a key is in the intersection when it is in both", () => {
  fc.assert(
    fc.property(range, range, key, (a, b, candidate) => {
      const both = intersectRanges(a, b);
      expect(inRange(candidate, both)).toBe(inRange(candidate, a) && inRange(candidate, b));
      if (inRange(candidate, both)) expect(isEmptyRange(both)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test("list options without prefix or range mean every key", () => {
  expect(listRange()).toEqual({ start: new Uint8Array(0) });
});

test("text and bytes of keys", () => {
  expect(keyText(keyBytes("é\ufeff/名"))).toBe("é\ufeff/名");
  expect(keyText(Uint8Array.of(0xff))).toBeUndefined();
  expect(() => keyBytes("a\udc00")).toThrow(TypeError);
  expect(printKey(Uint8Array.of(0xff, 0x0a))).toBe("0xff0a");
  for (const char of ["x", "\0", '"', "é"]) {
    expect(printKey(char.repeat(300)).length, char).toBeLessThan(220);
    expect(printKey(char.repeat(30)), char).toBe(JSON.stringify(char.repeat(30)));
  }
});
