import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CommitReply,
  type CommitRequest,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  errorReply,
} from "../../src/coordinator/message.ts";
import { isOcdbtError, OcdbtError } from "../../src/errors.ts";

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const key = fc.uint8Array({ maxLength: 40 });
const byteString = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }).map((b) => String.fromCharCode(...b));
const size = fc.maxSafeNat();
const generation = fc.option(fc.string({ maxLength: 50 }));
const condition = fc.oneof(fc.constant({}), fc.record({ ifGeneration: generation }));
const end = fc.oneof(fc.constant({}), fc.record({ end: key }));
const reference = fc.record({
  file: fc.record({ basePath: byteString, relativePath: byteString }),
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
const request: fc.Arbitrary<CommitRequest> = fc
  .tuple(
    fc.record({
      id: fc.record({
        client: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString("hex")),
        seq: u64,
      }),
      since: u64,
      sentBefore: fc.boolean(),
      acknowledged: u64,
      atomic: fc.boolean(),
      expects: fc.array(expectation, { maxLength: 4 }),
      mutations: fc.array(mutation, { maxLength: 12 }),
    }),
    text,
  )
  .map(([fixed, optional]) => ({ ...fixed, ...optional }) as CommitRequest);
const reply: fc.Arbitrary<CommitReply> = fc
  .record({
    head: fc.option(fc.record({ generation: u64, commitTime: u64 }), { nil: undefined }),
    results: fc.array(fc.tuple(fc.boolean(), generation)),
  })
  .map(({ head, results }) => ({
    receipt: { head, applied: results.map(([was]) => was), generations: results.map(([, g]) => g) },
  }));

describe("messages of the coordinator", () => {
  test("a request comes out as it went in", () => {
    fc.assert(
      fc.property(request, (sent) => {
        expect(decodeRequest(encodeRequest(sent))).toEqual(sent);
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
    const sent = errorReply(new OcdbtError("conflict", "key a has changed"));
    expect(decodeReply(encodeReply(sent))).toEqual({ error: { code: "conflict", message: "key a has changed" } });
    expect(errorReply(new Error("disk on fire"))).toEqual({ error: { code: "failed", message: "disk on fire" } });
  });

  test("damaged bytes are refused as corrupt, whatever the damage", () => {
    const damage = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 20 }) });
    fc.assert(
      fc.property(request, damage, (sent, { at, value, cut }) => {
        const bytes = encodeRequest(sent).slice();
        bytes[at % bytes.length] = value;
        try {
          decodeRequest(bytes.subarray(0, bytes.length - cut));
        } catch (error) {
          if (!isOcdbtError(error, "corrupt", "unsupported")) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a count beyond the bytes that follow is refused before anything is allocated", () => {
    const bytes = Uint8Array.from([1, ...new Uint8Array(16), 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(() => decodeRequest(bytes)).toThrow(/mutations is 4294967295, but only 0 bytes follow/);
  });
});
