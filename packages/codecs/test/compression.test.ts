import { gzipSync } from "node:zlib";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CodecError, isCodecError } from "../src/error.ts";
import { gunzip, gzip } from "../src/gzip.ts";
import { inflateGzip as inflateNode } from "../src/gzip-node.ts";
import { deflateGzip as deflateWeb, inflateGzip as inflateWeb } from "../src/gzip-web.ts";
import { zstdCompress, zstdDecompress } from "../src/zstd.ts";

function concatenate(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Compressible bytes with some noise. */
function sample(length: number, seed = 1): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random.below(20) === 0 ? random.below(256) : i % 16;
  return bytes;
}

/** The outcome of a decoder: its bytes, or its error's code. Any other error fails the test. */
function outcome(decode: () => Uint8Array): Uint8Array | string {
  try {
    return decode();
  } catch (error) {
    if (isCodecError(error)) return error.code;
    throw error;
  }
}

const engines = [
  ["zlib", inflateNode],
  ["fflate", inflateWeb],
] as const;

describe.each(engines)("gunzip by %s", (_, inflate) => {
  test("reads what either engine wrote, at any level, up to exactly the limit", () => {
    for (const length of [0, 1, 1000, 300_000]) {
      const bytes = sample(length);
      for (const packed of [gzip(bytes, { level: 0 }), gzip(bytes, { level: 9 }), deflateWeb(bytes, 6)]) {
        expect(inflate(packed, length)).toEqual(bytes);
        if (length > 0) expect(outcome(() => inflate(packed, length - 1))).toBe("TOO_LARGE");
      }
    }
  });

  test("joins concatenated members, empty ones too", () => {
    const parts = [sample(5), new Uint8Array(0), sample(70_000, 2), sample(3, 3)];
    const packed = concatenate(...parts.map((part) => gzip(part)));
    expect(inflate(packed, 1e6)).toEqual(concatenate(...parts));
  });

  test("refuses a wrong checksum, a wrong length, and bytes after the end", () => {
    const packed = gzip(sample(1000));
    for (const at of [packed.length - 8, packed.length - 1]) {
      const bad = packed.slice();
      bad[at]! ^= 1;
      expect(outcome(() => inflate(bad, 1e6))).toBe("CORRUPT");
      expect(outcome(() => inflate(concatenate(bad, packed), 1e6))).toBe("CORRUPT");
    }
    expect(outcome(() => inflate(concatenate(packed, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)), 1e6))).toBe(
      "CORRUPT",
    );
  });

  test("every truncation is refused", () => {
    const packed = gzip(sample(200));
    for (let length = 4; length < packed.length; length++) {
      expect(["TRUNCATED", "CORRUPT"]).toContain(outcome(() => inflate(packed.subarray(0, length), 1e6)));
    }
  });

  test("a bomb stops at the limit", () => {
    const bomb = gzipSync(new Uint8Array(64 << 20));
    const before = process.memoryUsage().arrayBuffers;
    expect(outcome(() => inflate(bomb, 1 << 20))).toBe("TOO_LARGE");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
  });

  test("damaged streams end in bytes or a typed error", () => {
    const packed = concatenate(gzip(sample(400)), gzip(sample(100, 2)));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 }), (flips) => {
        const bad = packed.slice();
        for (const [at, bit] of flips) bad[at]! ^= 1 << bit;
        const result = outcome(() => inflate(bad, 2000));
        if (typeof result !== "string") expect(result).toEqual(concatenate(sample(400), sample(100, 2)));
      }),
      { numRuns: 300 },
    );
  });
});

test("gzip is deterministic and checks its arguments", () => {
  expect(gzip(sample(5000))).toEqual(gzip(sample(5000)));
  expect(deflateWeb(sample(5000), 6)).toEqual(deflateWeb(sample(5000), 6));
  expect(() => gzip(sample(5), { level: 10 })).toThrow(RangeError);
  expect(() => gunzip(gzip(sample(5)), { maxBytes: -1 })).toThrow(RangeError);
  expect(() => gunzip(Uint8Array.of(1, 2, 3, 4), { maxBytes: 5 })).toThrow(/do not begin with a gzip header/);
});

async function zstdOutcome(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array | string> {
  try {
    return await zstdDecompress(bytes, { maxBytes });
  } catch (error) {
    if (isCodecError(error)) return error.code;
    throw error;
  }
}

// From the zstd command line: `printf 'pcg pcg pcg pcg pcg pcg pcg pcg' | zstd -c`, which cannot know the size.
const UNSTATED = "KLUv/QRYVQAAIHBjZyABAIeOCM48H5A=";

describe("zstd", () => {
  test("round-trips at any level, up to exactly the limit", async () => {
    for (const length of [0, 1, 1000, 300_000]) {
      const bytes = sample(length);
      for (const level of [1, 3, 19]) {
        const packed = await zstdCompress(bytes, { level });
        expect(await zstdDecompress(packed, { maxBytes: length })).toEqual(bytes);
        if (length > 0) expect(await zstdOutcome(packed, length - 1)).toBe("TOO_LARGE");
      }
    }
  });

  test("joins concatenated frames and skips skippable ones", async () => {
    const skippable = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9);
    const one = await zstdCompress(sample(1000));
    const two = await zstdCompress(sample(2000, 2));
    expect(await zstdDecompress(concatenate(one, skippable, two), { maxBytes: 3000 })).toEqual(
      concatenate(sample(1000), sample(2000, 2)),
    );
  });

  test("a frame that does not state its size is read within the limit", async () => {
    const packed = new Uint8Array(Buffer.from(UNSTATED, "base64"));
    const text = new TextDecoder().decode(await zstdDecompress(packed, { maxBytes: 31 }));
    expect(text).toBe("pcg pcg pcg pcg pcg pcg pcg pcg");
    expect(await zstdOutcome(packed, 30)).toBe("TOO_LARGE");
  });

  test("a frame that states an absurd size is refused before memory is taken", async () => {
    const packed = await zstdCompress(sample(100_000));
    const claim = packed.slice();
    new DataView(claim.buffer).setUint32(5, 0xffffffff, true);
    expect(claim[4]! >>> 6).toBe(2);
    expect(await zstdOutcome(claim, 1e6)).toBe("CORRUPT");
    const bomb = await zstdCompress(new Uint8Array(64 << 20));
    expect(await zstdOutcome(bomb, 1 << 20)).toBe("TOO_LARGE");
  });

  test("damaged and cut streams end in bytes or a typed error", async () => {
    const packed = await zstdCompress(sample(3000));
    for (let length = 0; length < packed.length; length++) {
      expect(["TRUNCATED", "CORRUPT"]).toContain(await zstdOutcome(packed.subarray(0, length), 1e6));
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 }),
        async (flips) => {
          const bad = packed.slice();
          for (const [at, bit] of flips) bad[at]! ^= 1 << bit;
          const result = await zstdOutcome(bad, 1 << 20);
          if (typeof result !== "string") expect(result.length).toBeLessThanOrEqual(1 << 20);
        },
      ),
      { numRuns: 300 },
    );
    const error = await zstdDecompress(Uint8Array.of(1, 2, 3, 4, 5), { maxBytes: 5 }).catch((e: CodecError) => e);
    expect((error as CodecError).message).toMatch(/no frame begins at offset 0/);
  });

  test("decoding damaged streams over and over keeps no memory", async () => {
    const bytes = sample(4 << 20);
    const packed = await zstdCompress(bytes);
    const bad = packed.slice();
    bad.fill(0xff, 16, 76);
    // 1100 times 4 MiB are more than the 4 GiB that a WebAssembly memory can have.
    for (let i = 0; i < 1100; i++) expect(await zstdOutcome(bad, 4 << 20)).toBe("CORRUPT");
    expect(Buffer.compare(await zstdDecompress(packed, { maxBytes: 4 << 20 }), bytes)).toBe(0);
  });
});
