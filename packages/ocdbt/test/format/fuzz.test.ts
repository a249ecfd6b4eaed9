import fc from "fast-check";
import { expect, test } from "vitest";
import { dump } from "../../src/dump.ts";
import { isOcdbtError } from "../../src/errors.ts";
import { decodeBtreeNodeBody, encodeBtreeNodeBody } from "../../src/format/btree-node.ts";
import { openEnvelope, sealEnvelope } from "../../src/format/envelope.ts";
import type { EnvelopeKind } from "../../src/format/index.ts";
import { decodeManifestBody, encodeManifestBody } from "../../src/format/manifest.ts";
import { decodeVersionNodeBody, encodeVersionNodeBody } from "../../src/format/version-node.ts";
import { allVersions, CASES, goldenCase, newestManifest, stored, visitTree } from "./corpus.ts";

interface Sample {
  readonly kind: EnvelopeKind;
  readonly bytes: Uint8Array;
  readonly body: Uint8Array;
}

const samples = await collect();

/** A few bytes can stand for many keys that share long beginnings; this many bytes of keys are expanded, then it is an error. */
const LIMIT = { maxBytes: 2 ** 20 };

/** One change to bytes: where it goes is a fraction of their length. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  remove: fc.constantFrom(0, 0, 1, 1, 2, 9, 10_000),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    // Lengths: 2^64 − 1, 2^63, 2^53, 2^32 − 1, 2^32, 65,535, 2^20, and one that never ends.
    fc.constantFrom(
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0x80, 0x80, 0x80, 0x80, 0x10],
      [0xff, 0xff, 0x03],
      [0x80, 0x80, 0x40],
      new Array<number>(20).fill(0x80),
    ),
  ),
});

const flip = fc.record({ at: edit.map((e) => e.at), bit: fc.nat(7) });

function edited(
  bytes: Uint8Array,
  edits: readonly { at: number; remove: number; insert: ArrayLike<number> }[],
): Uint8Array {
  let result = bytes;
  for (const { at, remove, insert } of edits) {
    const start = Math.floor(at * result.length);
    result = new Uint8Array([...result.subarray(0, start), ...Array.from(insert), ...result.subarray(start + remove)]);
  }
  return result;
}

test("edited bodies decode to something that encodes and decodes again, or fail with a typed error, in bounded time", () => {
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 4 }), (sample, edits) => {
      const body = edited(sample.body, edits);
      const started = performance.now();
      try {
        expectStable(sample.kind, body);
      } catch (error) {
        if (!isOcdbtError(error, "corrupt", "too-large", "unsupported")) throw error;
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }),
    { numRuns: 1200 },
  );
});

test("flipped bits of a body are a typed error or another structure", () => {
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(flip, { minLength: 1, maxLength: 3 }), (sample, flips) => {
      const body = Uint8Array.from(sample.body);
      for (const { at, bit } of flips) body[Math.floor(at * body.length)]! ^= 1 << bit;
      try {
        expectStable(sample.kind, body);
      } catch (error) {
        if (!isOcdbtError(error, "corrupt", "too-large", "unsupported")) throw error;
      }
    }),
    { numRuns: 1200 },
  );
});

test("every single flipped bit, and every truncation, of stored bytes is found", async () => {
  for (const kind of ["manifest", "versionNode", "btreeNode"]) {
    const ofKind = samples.filter((sample) => sample.kind === kind);
    const { bytes } = ofKind.reduce((a, b) => (a.bytes.length <= b.bytes.length ? a : b));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >>> 3]! ^= 1 << (bit & 7);
      expect(await failure(dump(flipped))).toBe("corrupt");
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(await failure(dump(bytes.subarray(0, length)))).toBe("corrupt");
    }
  }
});

test("damaged zstd frames with a right checksum are a typed error or another structure", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      fc.array(edit, { minLength: 1, maxLength: 2 }),
      async (sample, edits) => {
        const packed = await sealEnvelope(sample.kind, sample.body, { id: "zstd", level: 3 });
        // Its body is damaged and sealed as if it were raw; then it is declared compressed, and the checksum put right.
        const resealed = await sealEnvelope(sample.kind, edited(packed.subarray(14, -4), edits), null);
        const bytes = withCompression(resealed);
        try {
          await dump(bytes);
        } catch (error) {
          if (!isOcdbtError(error, "corrupt", "too-large", "unsupported")) throw error;
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** Code of the error that `work` ends in. */
async function failure(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return isOcdbtError(error) ? error.code : String(error);
  }
}

function withCompression(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[13] = 1;
  new DataView(changed.buffer).setUint32(changed.length - 4, crc(changed.subarray(0, -4)), true);
  return changed;
}

function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  }
  return ~value >>> 0;
}

/** What decodes encodes to canonical bytes, which decode to the same. */
function expectStable(kind: EnvelopeKind, body: Uint8Array): void {
  if (kind === "manifest") {
    const manifest = decodeManifestBody(body);
    expect(decodeManifestBody(encodeManifestBody(manifest))).toEqual(manifest);
  } else if (kind === "versionNode") {
    const node = decodeVersionNodeBody(body);
    expect(decodeVersionNodeBody(encodeVersionNodeBody(node))).toEqual(node);
  } else {
    const canonical = encodeBtreeNodeBody(decodeBtreeNodeBody(body, LIMIT));
    expect(Buffer.compare(encodeBtreeNodeBody(decodeBtreeNodeBody(canonical, LIMIT)), canonical)).toBe(0);
  }
}

async function collect(): Promise<Sample[]> {
  const found: Sample[] = [];
  const add = async (kind: EnvelopeKind, bytes: Uint8Array): Promise<void> => {
    if (bytes.length < 1500) found.push({ kind, bytes, body: await openEnvelope(bytes, kind) });
  };
  for (const name of CASES) {
    const golden = goldenCase(name);
    const { bytes, manifest } = await newestManifest(golden);
    await add("manifest", bytes);
    for (const { location } of manifest.versionNodes) await add("versionNode", stored(golden, location));
    for (const { root } of (await allVersions(golden, manifest)).slice(-2)) {
      for (const { location } of (await visitTree(golden, root)).slice(0, 6)) {
        await add("btreeNode", stored(golden, location));
      }
    }
  }
  return found;
}
