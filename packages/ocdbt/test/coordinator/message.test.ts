import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  type BatchedCommit,
  type BatchReply,
  decodeBatch,
  decodeReply,
  encodeBatch,
  encodeReply,
  failureOf,
  type Outcome,
} from "../../src/coordinator/message.ts";
import { isOcdbtError, OcdbtError } from "../../src/errors.ts";
import { staysInside } from "../../src/format/byte-path.ts";

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const key = fc.uint8Array({ maxLength: 40 });
const byteString = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }).map((b) => String.fromCharCode(...b));
const size = fc.maxSafeNat();
const file = fc
  .record({ basePath: byteString, relativePath: byteString })
  .filter(({ basePath, relativePath }) => staysInside(basePath + relativePath));
const generation = fc.option(fc.string({ maxLength: 50 }));
const condition = fc.oneof(fc.constant({}), fc.record({ ifGeneration: generation }));
const end = fc.oneof(fc.constant({}), fc.record({ end: key }));
const reference = fc.record({
  file,
  offset: size,
  length: size,
});
const mutation = fc.oneof(
  fc
    .tuple(fc.record({ op: fc.constant("put" as const), key, value: fc.oneof(key, reference) }), condition)
    .map(([put, when]) => ({ ...put, ...when })),
  fc
    .tuple(fc.record({ op: fc.constant("delete" as const), key }), condition)
    .map(([remove, when]) => ({ ...remove, ...when })),
  fc
    .tuple(fc.record({ op: fc.constant("deleteRange" as const), start: key }), end)
    .map(([range, to]) => ({ ...range, ...to })),
);
const expectation = fc.oneof(
  fc.record({ key, generation }),
  fc.tuple(fc.record({ since: u64, start: key }), end).map(([range, to]) => ({ ...range, ...to })),
);
const text = fc.oneof(fc.constant({}), fc.record({ message: fc.string() }), fc.record({ author: fc.string() }));
const request: fc.Arbitrary<BatchedCommit> = fc
  .tuple(
    fc.record({
      atomic: fc.boolean(),
      expects: fc.array(expectation, { maxLength: 4 }),
      mutations: fc.array(mutation, { maxLength: 12 }),
    }),
    text,
  )
  .map(([fixed, optional]) => ({ ...fixed, ...optional }) as BatchedCommit);
const batch: fc.Arbitrary<Batch> = fc.record({
  client: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString("hex")),
  seq: fc.bigInt({ min: 0n, max: (1n << 64n) - 10n }),
  since: u64,
  requests: fc.array(request, { maxLength: 4 }),
});
const receipt: fc.Arbitrary<Outcome> = fc
  .record({
    head: fc.option(fc.record({ generation: u64, commitTime: u64 }), { nil: undefined }),
    results: fc.array(fc.tuple(fc.boolean(), generation)),
  })
  .map(({ head, results }) => ({
    receipt: { head, applied: results.map(([was]) => was), generations: results.map(([, g]) => g) },
  }));
const failure = fc.record({ error: fc.record({ code: fc.constant("conflict" as const), message: fc.string() }) });
const reply: fc.Arbitrary<BatchReply> = fc.oneof(
  failure,
  fc.record({ outcomes: fc.array(fc.oneof(receipt, failure), { maxLength: 5 }) }),
);

describe("messages of the coordinator", () => {
  test("a batch comes out as it went in", () => {
    fc.assert(
      fc.property(batch, (sent) => {
        expect(decodeBatch(encodeBatch(sent))).toEqual(sent);
      }),
    );
  });

  test("a reply comes out as it went in", () => {
    fc.assert(
      fc.property(reply, (sent) => {
        expect(decodeReply(encodeReply(sent))).toEqual(sent);
      }),
    );
  });

  test("a failure travels as its code and message, without a stack", () => {
    const error = failureOf(new OcdbtError("conflict", "key a has changed"));
    expect(decodeReply(encodeReply({ error }))).toEqual({ error: { code: "conflict", message: "key a has changed" } });
    expect(failureOf(new Error("disk on fire"))).toEqual({ code: "failed", message: "disk on fire" });
  });

  test("damaged bytes are refused as corrupt, whatever the damage", () => {
    const damage = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 20 }) });
    fc.assert(
      fc.property(batch, damage, (sent, { at, value, cut }) => {
        const bytes = encodeBatch(sent).slice();
        bytes[at % bytes.length] = value;
        try {
          decodeBatch(bytes.subarray(0, bytes.length - cut));
        } catch (error) {
          if (!isOcdbtError(error, "corrupt", "unsupported")) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a count beyond the bytes that follow is refused before anything is allocated", () => {
    const bytes = Uint8Array.from([1, ...new Uint8Array(16), 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(() => decodeBatch(bytes)).toThrow(/requests is 4294967295, but only 0 bytes follow/);
  });

  test.each(["../secrets", "/etc/passwd", "d/../../x"])(
    "a reference to %s, outside of the database, is refused",
    (path) => {
      const value = { file: { basePath: "", relativePath: path }, offset: 0, length: 1 };
      const put = { op: "put" as const, key: Uint8Array.of(1), value };
      const sent = { client: "0".repeat(32), seq: 0n, since: 0n };
      const bytes = encodeBatch({ ...sent, requests: [{ atomic: true, expects: [], mutations: [put] }] });
      expect(() => decodeBatch(bytes)).toThrow(/leads out of the database/);
    },
  );

  test("numbers that run over are refused, as records could not hold them", () => {
    const requests = Array.from({ length: 3 }, () => ({ atomic: true, expects: [], mutations: [] }));
    const bytes = encodeBatch({ client: "0".repeat(32), seq: (1n << 64n) - 2n, since: 0n, requests });
    expect(() => decodeBatch(bytes)).toThrow(/numbers run over/);
  });
});
