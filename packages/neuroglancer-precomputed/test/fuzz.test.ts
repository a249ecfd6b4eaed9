import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChunkFormat, decodeChunk, decodeChunkRow, encodeChunk } from "../src/codecs.ts";
import { isPrecomputedError, parseInfo, type Xyz } from "../src/index.ts";
import { decodeMinishardIndex, decodeShardIndex, parseSharding, ShardBuilder, storedValues } from "../src/sharded.ts";

/** How a hostile hand may change bytes: flip bits, cut, repeat, or put extreme values where lengths may lie. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("repeat" as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant("extreme" as const),
    at: fc.nat(),
    value: fc.constantFrom(0, 0x7f, 0x80, 0xff),
    width: fc.constantFrom(1, 2, 4, 8),
  }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: Uint8Array, damages: readonly Damage[]): Uint8Array {
  let result = bytes.slice();
  for (const one of damages) {
    const at = result.length === 0 ? 0 : one.at % result.length;
    if (one.kind === "flip") result[at] = result[at]! ^ (1 << one.bit);
    else if (one.kind === "cut") result = result.slice(0, at);
    else if (one.kind === "repeat") result = Uint8Array.from([...result, ...result.subarray(at)]);
    else result.fill(one.value, at, at + one.width);
  }
  return result;
}

/** Damaged input gives a value or one of our typed errors; anything else is a bug. */
async function survives(decode: (bytes: Uint8Array) => unknown, good: Uint8Array, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      try {
        await decode(apply(good, damages));
      } catch (error) {
        if (!isPrecomputedError(error, "CORRUPT", "UNSUPPORTED", "INVALID_INFO")) throw error;
      }
    }),
    { numRuns },
  );
}

const FIXTURES = new URL("../../../test-fixtures/precomputed/", import.meta.url);
const stored = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(fileURLToPath(new URL(path, FIXTURES))));

describe("damaged chunks end in typed errors", () => {
  const size: Xyz = [9, 7, 5];
  const ramp = <T extends Uint8Array | Uint16Array | BigUint64Array>(data: T): T => {
    for (let i = 0; i < data.length; i++) data[i] = (data instanceof BigUint64Array ? BigInt(i % 11) : i % 11) as never;
    return data;
  };

  test.each<[ChunkFormat, Parameters<typeof encodeChunk>[2], number]>([
    [{ encoding: "raw", dataType: "uint16", channels: 1 }, ramp(new Uint16Array(315)), 200],
    [
      { encoding: "compressed_segmentation", dataType: "uint64", channels: 1, blockSize: [4, 4, 4] },
      ramp(new BigUint64Array(315)),
      1000,
    ],
    [{ encoding: "png", dataType: "uint16", channels: 2 }, ramp(new Uint16Array(630)), 1000],
    [{ encoding: "jpeg", dataType: "uint8", channels: 3 }, ramp(new Uint8Array(945)), 150],
  ])("$encoding", async (format, data, numRuns) => {
    const good = await encodeChunk(format, size, data);
    await survives((bytes) => decodeChunk(format, size, bytes), good, numRuns);
    const within = { begin: [2, 5, 1], end: [4, 7, 3] } as const;
    await survives((bytes) => decodeChunkRow(format, [{ bytes, size }], within, () => {}), good, numRuns);
  });

  test.each(["uint8", "uint16", "uint32", "uint64"] as const)("compresso %s", async (dataType) => {
    const good = await stored(`compresso-${dataType}/8_8_40/0-23_0-17_0-11`);
    const format: ChunkFormat = { encoding: "compresso", dataType, channels: 1 };
    await survives((bytes) => decodeChunk(format, [23, 17, 11], bytes), good, 500);
  });

  test.each([
    ["compresso-6-connected", "uint32"],
    ["compresso-version-0", "uint64"],
    ["compresso-8x8x1", "uint64"],
  ] as const)("%s", async (name, dataType) => {
    const good = await stored(`${name}/8_8_40/0-23_0-17_0-11`);
    await survives(
      (bytes) => decodeChunk({ encoding: "compresso", dataType, channels: 1 }, [23, 17, 11], bytes),
      good,
      500,
    );
  });
});

test("a damaged png whose checksums are right ends in typed errors", async () => {
  const format: ChunkFormat = { encoding: "png", dataType: "uint8", channels: 1 };
  const good = await encodeChunk(
    format,
    [9, 7, 5],
    new Uint8Array(315).map((_, i) => i % 7),
  );
  await survives((bytes) => decodeChunk(format, [9, 7, 5], withChecksums(bytes)), good, 1000);
});

/** Puts right what the damage did to the checksums, so that it gets past them. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice();
  const view = new DataView(result.buffer);
  for (let at = 8; at + 12 <= result.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > result.length) break;
    let crc = -1;
    for (const byte of result.subarray(at + 4, end)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    view.setUint32(end, ~crc >>> 0);
    at = end + 4;
  }
  return result;
}

describe("damaged shards end in typed errors", () => {
  const spec = parseSharding({
    "@type": "neuroglancer_uint64_sharded_v1",
    hash: "identity",
    preshift_bits: 1,
    minishard_bits: 2,
    shard_bits: 0,
  });
  const builder = new ShardBuilder(spec, 0n);
  for (let id = 0n; id < 40n; id += 3n) builder.add(id, new Uint8Array(Number(id)));
  const file = builder.build();

  test("whole", async () => {
    await survives((bytes) => [...storedValues(spec, bytes)], file, 1500);
  });

  test("the indices alone", async () => {
    await survives((bytes) => decodeShardIndex(bytes, 64), file.subarray(0, 64), 500);
    const [span] = decodeShardIndex(file.subarray(0, 64), 64);
    await survives((bytes) => decodeMinishardIndex(spec, bytes, 64), file.slice(span!.start, span!.end), 500);
  });
});

test("any JSON is an info or a typed error", () => {
  const members = fc.constantFrom(
    "type",
    "data_type",
    "num_channels",
    "scales",
    "@type",
    "key",
    "size",
    "chunk_sizes",
    "encoding",
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, -0, 1, 1e300, "raw", "image", "uint8", [64, 64, 64], [[64, 64, 64]]),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(members, tie("value"), { maxKeys: 8 }),
    ),
  })).value;
  fc.assert(
    fc.property(fc.oneof(json, fc.json(), fc.uint8Array()), (document) => {
      try {
        parseInfo(document);
      } catch (error) {
        expect(isPrecomputedError(error, "INVALID_INFO")).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
