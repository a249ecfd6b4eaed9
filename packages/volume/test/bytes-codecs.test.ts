import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesCodecOfV2, bytesCodecOfV3 } from "../src/zarr/bytes-codecs.ts";

const codecs = [
  ["gzip", bytesCodecOfV2({ id: "gzip", level: 1 }, "key")],
  ["zlib", bytesCodecOfV2({ id: "zlib", level: 1 }, "key")],
  ["zstd", bytesCodecOfV2({ id: "zstd", level: 1 }, "key")],
  ["lz4", bytesCodecOfV2({ id: "lz4" }, "key")],
  ["blosc", bytesCodecOfV2({ id: "blosc", cname: "zstd", clevel: 5, shuffle: 1 }, "key")],
  ["blosc without compression", bytesCodecOfV2({ id: "blosc", cname: "lz4", clevel: 0, shuffle: 0 }, "key")],
  ["crc32c at the end", bytesCodecOfV3("crc32c", {}, "key")],
  ["crc32c at the start", bytesCodecOfV3("numcodecs.crc32c", {}, "key")],
] as const;

/** What a decoder gives, or the Error that it throws; nothing else may be thrown. */
async function attempt(decode: () => Promise<Uint8Array> | Uint8Array): Promise<Uint8Array | Error> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

describe.each(codecs)("%s", (_name, codec) => {
  test("gives back what it was given, within its limit of stored bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat(40), async (bytes, repeat) => {
        const content = Uint8Array.from({ length: bytes.length * (repeat + 1) }, (_, i) => bytes[i % bytes.length]!);
        const stored = await codec.encode(content);
        expect(stored.length).toBeLessThanOrEqual(codec.encodedLimit(content.length));
        expect(await codec.decode(stored, content.length)).toEqual(content);
      }),
      { numRuns: 30 },
    );
  });

  test("notices when the content is longer than it may be", async () => {
    if (codec.name === "crc32c") return;
    const stored = await codec.encode(new Uint8Array(100_000));
    await expect((async () => codec.decode(stored, 99_999))()).rejects.toThrow();
  });

  test("throws an Error for any truncation, or gives no more than the limit", async () => {
    const stored = await codec.encode(Uint8Array.from({ length: 500 }, (_, i) => (i * i) >> 3));
    for (let length = 0; length < stored.length; length++) {
      const decoded = await attempt(() => codec.decode(stored.slice(0, length), 500));
      if (!(decoded instanceof Error)) expect(decoded.length).toBeLessThanOrEqual(500);
    }
  });
});

test("a blosc frame that claims 4 GiB is refused before memory is taken", async () => {
  const [, blosc] = codecs[4];
  const stored = (await blosc.encode(new Uint8Array(100))).slice();
  new DataView(stored.buffer).setUint32(4, 0xffff_ffff, true);
  await expect(blosc.decode(stored, 100)).rejects.toThrow("4294967295 bytes, more than the 100 expected");
});

test("an lz4 block that claims 4 GiB is refused before memory is taken", async () => {
  const [, lz4] = codecs[3];
  const stored = (await lz4.encode(new Uint8Array(100))).slice();
  new DataView(stored.buffer).setUint32(0, 0xffff_ffff, true);
  await expect(lz4.decode(stored, 100)).rejects.toThrow("4294967295 bytes, more than the 100 expected");
});

test("no flipped bit changes what passes CRC-32C or Adler-32", async () => {
  for (const [, codec] of [codecs[1], codecs[6], codecs[7]]) {
    const content = Uint8Array.from({ length: 60 }, (_, i) => i * 7);
    const stored = await codec.encode(content);
    let refused = 0;
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const damaged = stored.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const decoded = await attempt(() => codec.decode(damaged, 60));
      if (decoded instanceof Error) refused++;
      else expect(decoded).toEqual(content);
    }
    // Deflate has a few bits that mean nothing.
    expect(refused).toBeGreaterThan(stored.length * 8 - 16);
  }
});

test.each([
  [{ id: "delta" }, "UNSUPPORTED"],
  [{ id: "gzip", level: 11 }, "BAD_METADATA"],
  [{ id: "blosc", cname: "magic" }, "BAD_METADATA"],
  [{ id: "blosc", shuffle: 7 }, "BAD_METADATA"],
  [5, "BAD_METADATA"],
])("a codec of %j is refused", (config, code) => {
  expect(() => bytesCodecOfV2(config, "key")).toThrow(expect.objectContaining({ code }));
});
