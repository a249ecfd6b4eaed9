import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCommitRecord, encodeCommitRecord } from "../../src/coordinator/commit-record.ts";
import { isOcdbtError } from "../../src/errors.ts";

const requests = fc.array(
  fc.record({
    id: fc.record({
      client: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString("hex")),
      seq: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }),
    applied: fc.array(fc.boolean(), { maxLength: 30 }),
  }),
  { maxLength: 8 },
);

describe("the record of a commit", () => {
  test("comes out as it went in, whatever follows it", () => {
    fc.assert(
      fc.property(requests, fc.uint8Array({ maxLength: 40 }), (written, rest) => {
        const bytes = Buffer.concat([encodeCommitRecord(written), rest]);
        expect(decodeCommitRecord(bytes)).toEqual(written);
      }),
    );
  });

  test("counts for nothing when a byte is wrong or missing", () => {
    fc.assert(
      fc.property(requests, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, flip) => {
        const whole = encodeCommitRecord(written);
        const wrong = whole.slice();
        wrong[at % whole.length]! ^= flip;
        expect(decodeCommitRecord(wrong)).toBeUndefined();
        expect(decodeCommitRecord(whole.subarray(0, at % whole.length))).toBeUndefined();
      }),
    );
  });

  test("is not seen in other bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(decodeCommitRecord(bytes)).toBeUndefined();
        } catch (error) {
          if (!isOcdbtError(error, "corrupt")) throw error;
        }
      }),
    );
  });
});
