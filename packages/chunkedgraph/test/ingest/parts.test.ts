import { Random } from "@pcg/testkit";
import type { Xyz } from "@pcg/volume";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { surveyLabels } from "../../src/ingest/broken-labels.ts";
import { defaultChunkSize, storageChunkSize } from "../../src/ingest/chunk-size.ts";
import { joinBrokenLabels } from "../../src/ingest/join-pieces.ts";
import { decodeRuns, encodeRuns, slicePlane } from "../../src/ingest/planes.ts";
import { asUint32, asUint64, decodeSections, encodeSections } from "../../src/ingest/sections.ts";
import { UnionFind } from "../../src/union-find.ts";

describe("chunk sizes", () => {
  test("default chunks are whole storage chunks of about a million voxels with similar extents", () => {
    expect(defaultChunkSize([512, 512, 256], [64, 64, 64], [8, 8, 40])).toEqual([128, 128, 64]);
    expect(defaultChunkSize([4096, 4096, 4096], [64, 64, 64], [16, 16, 16])).toEqual([128, 128, 64]);
    expect(defaultChunkSize([4096, 4096, 512], [512, 512, 16], [4, 4, 40])).toEqual([512, 512, 16]);
    expect(defaultChunkSize([4096, 4096, 512], [1024, 1024, 1], [4, 4, 40])).toEqual([512, 512, 16]);
  });

  test("small volumes are divided into at least two chunks per axis where they are long enough", () => {
    expect(defaultChunkSize([200, 180, 100], [64, 64, 64], [8, 8, 40])).toEqual([128, 128, 64]);
    expect(defaultChunkSize([100, 100, 100], [128, 128, 128], [8, 8, 8])).toEqual([64, 64, 64]);
    expect(defaultChunkSize([30, 30, 5], [64, 64, 64], [8, 8, 8])).toEqual([30, 30, 5]);
  });

  test("default chunks are never empty, never larger than the volume and never too large for a task", () => {
    const length = fc.integer({ min: 1, max: 100_000 });
    const triple = fc.tuple(length, length, length);
    const nm = fc.double({ min: 0.1, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(triple, triple, fc.tuple(nm, nm, nm), (size, source, resolution) => {
        const chunk = defaultChunkSize(size, source, resolution);
        expect(chunk.every((l, axis) => Number.isInteger(l) && l >= 1 && l <= size[axis]!)).toBe(true);
        const chunks = size.reduce((product, l, axis) => product * Math.ceil(l / chunk[axis]!), 1);
        // Larger only where half of it would be too many chunks for a graph.
        if (chunks < 2 ** 25) expect(chunk[0] * chunk[1] * chunk[2]).toBeLessThanOrEqual(1 << 22);
        expect(chunks).toBeLessThanOrEqual(2 ** 26);
      }),
    );
  });

  test("files of the supervoxel volume tile each graph chunk", () => {
    expect(storageChunkSize([128, 128, 64])).toEqual([64, 64, 64]);
    expect(storageChunkSize([100, 17, 1])).toEqual([50, 17, 1]);
    expect(storageChunkSize([127, 96, 512])).toEqual([127, 48, 64]);
  });
});

describe("planes", () => {
  test("a plane survives its runs, whichever axis it is cut from", () => {
    const random = new Random(4);
    const size: Xyz = [5, 4, 3];
    const block = Uint32Array.from({ length: 60 }, () => random.below(3));
    for (let axis = 0; axis < 3; axis++)
      for (let position = 0; position < size[axis]!; position++) {
        const plane = slicePlane(block, size, axis, position);
        const expected = block.filter((_, i) => [i % 5, Math.floor(i / 5) % 4, Math.floor(i / 20)][axis] === position);
        expect(plane).toEqual(expected);
        expect(decodeRuns(encodeRuns(plane), plane.length, "plane")).toEqual(plane);
      }
  });

  test("runs of another length are refused", () => {
    expect(() => decodeRuns(Uint32Array.of(4, 1), 5, "plane")).toThrow(/runs for 4/);
    expect(() => decodeRuns(Uint32Array.of(2 ** 32 - 1, 1, 6, 1), 5, "plane")).toThrow(/plane/);
  });
});

describe("scratch values", () => {
  const value = encodeSections([BigUint64Array.of(1n, 2n ** 64n - 1n), Uint32Array.of(1, 2, 3), new Uint32Array(0)]);

  test("sections come back as they were, also from bytes at an odd place in memory", () => {
    const moved = new Uint8Array(value.length + 3).subarray(3);
    moved.set(value);
    for (const bytes of [value, moved]) {
      const [a, b, c] = decodeSections(bytes, 3, "value");
      expect(asUint64(a!, "value")).toEqual(BigUint64Array.of(1n, 2n ** 64n - 1n));
      expect(asUint32(b!, "value")).toEqual(Uint32Array.of(1, 2, 3));
      expect(c).toHaveLength(0);
    }
  });

  test("cut, grown and changed values are refused or read, never anything else", () => {
    const decode = (bytes: Uint8Array): void => {
      const [a, b, c] = decodeSections(bytes, 3, "value");
      asUint64(a!, "value");
      asUint32(b!, "value");
      asUint32(c!, "value");
    };
    for (let length = 0; length < value.length; length++)
      expect(() => decode(value.subarray(0, length))).toThrow(expect.objectContaining({ name: "CodecError" }));
    fc.assert(
      fc.property(fc.nat(value.length * 8 - 1), (bit) => {
        const changed = value.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        try {
          decode(changed);
        } catch (error) {
          expect(error).toMatchObject({ name: "CodecError" });
        }
      }),
    );
  });
});

describe("broken labels", () => {
  const random = new Random(6);
  const chunks = Array.from({ length: 20 }, (_, ordinal) => ({
    ordinal,
    start: ordinal * 50,
    labels: BigUint64Array.from({ length: 50 }, () => 2n ** 63n + BigInt(random.below(80))),
    positions: Uint32Array.from({ length: 50 }, (_, i) => i),
  }));
  const stream = async function* (): AsyncGenerator<(typeof chunks)[number]> {
    yield* chunks;
  };
  const labelOf = (supervoxel: number): bigint => chunks[Math.floor(supervoxel / 50)]!.labels[supervoxel % 50]!;
  const locate = (chunk: number, index: number, target: Float64Array, at: number): void => {
    target.set([chunk, index, (chunk * index) % 7], at);
  };

  /** Labels of which every third is whole and the others fall into up to four pieces. */
  function makePieces(): UnionFind {
    const sets = new UnionFind(1000);
    const latest = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      const label = labelOf(i);
      const piece = `${label},${label % 3n === 0n ? 0 : i % 4}`;
      const before = latest.get(piece);
      if (before !== undefined) sets.union(before, i);
      latest.set(piece, i);
    }
    return sets;
  }

  test("a survey in many rounds finds what one round finds", async () => {
    const whole = await surveyLabels(stream, makePieces());
    expect(whole.broken.length).toBeGreaterThan(10);
    expect(whole.broken.length).toBeLessThan(whole.labels);
    for (const capacity of [1, 7, 100]) expect(await surveyLabels(stream, makePieces(), capacity)).toEqual(whole);
  });

  test("joins make every broken label whole, whatever fits in memory at a time", async () => {
    for (const capacity of [1, 10, 50, 1 << 20]) {
      const pieces = makePieces();
      const { broken, labels, pieces: count } = await surveyLabels(stream, pieces);
      const pairs = await joinBrokenLabels(stream, pieces, broken, locate, capacity);
      expect(pairs.length / 2).toBe(count - labels);
      for (let i = 0; i < pairs.length; i += 2) {
        expect(labelOf(pairs[i]!)).toBe(labelOf(pairs[i + 1]!));
        expect(pieces.union(pairs[i]!, pairs[i + 1]!)).toBe(true);
        expect(pairs[i]!).toBeLessThan(pairs[i + 1]!);
      }
      expect(pieces.count()).toBe(labels);
    }
  });

  test("set numbers follow the smallest member", () => {
    const sets = new UnionFind(6);
    sets.union(5, 1);
    sets.union(3, 4);
    sets.union(4, 5);
    expect([...sets.intoSetNumbers()]).toEqual([0, 1, 2, 1, 1, 1]);
  });
});
