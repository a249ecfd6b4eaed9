import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeCompressedSegmentation,
  decodeCompressedSegmentationIndexed,
  decodeCompressedSegmentationRow,
  encodeCompressedSegmentation,
  encodeCompressedSegmentationIndexed,
  encodeCompressedSegmentationSlabs,
  remapCompressedSegmentation,
} from "../src/compressed-segmentation.ts";
import type { LabelSlab } from "../src/compressed-segmentation-slab.ts";
import { isKernelError, KernelError } from "../src/error.ts";
import {
  decodeCompressedSegmentationOracle,
  encodeCompressedSegmentationOracle,
} from "../src/oracle/compressed-segmentation.ts";
import { renumber } from "../src/renumber.ts";
import type { Size } from "../src/volume.ts";
import { block, narrow, textures } from "./volumes.ts";

const size = fc.tuple(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 20 }),
);
const blockSize = fc.oneof(
  fc.constant<Size>([8, 8, 8]),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
);
const texture = fc.constantFrom(...textures);

function words(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)];
}

describe("the format", () => {
  const labels = BigUint64Array.of(4n, 3n, 5n, 4n, 1n, 3n, 3n, 3n);

  test("two blocks of 2×2×1 give the specified words", () => {
    const bytes = encodeCompressedSegmentation(labels, [2, 2, 2], 1, [2, 2, 1]);
    expect(words(bytes)).toEqual([
      1,
      ...[5 | (2 << 24), 4, 12 | (1 << 24), 11],
      ...[0x61, 3, 0, 4, 0, 5, 0],
      ...[0xe, 1, 0, 3, 0],
    ]);
    expect(decodeCompressedSegmentation(bytes, [2, 2, 2], 1, [2, 2, 1], "uint64")).toEqual(labels);
  });

  test("a constant volume shares one table of one label and stores no values", () => {
    const bytes = encodeCompressedSegmentation(new BigUint64Array(8).fill(3n), [2, 2, 2], 1, [2, 2, 1]);
    expect(words(bytes)).toEqual([1, 4, 4, 4, 6, 3, 0]);
  });

  test("voxels of a partial block keep their place in the full block", () => {
    const bytes = encodeCompressedSegmentation(BigUint64Array.of(4n, 3n, 4n, 3n), [2, 2, 1], 1, [3, 2, 1]);
    expect(words(bytes)).toEqual([1, 3 | (1 << 24), 2, 0b001001, 3, 0, 4, 0]);
  });

  test("bytes that contradict the format are refused with their place", () => {
    const good = encodeCompressedSegmentation(labels, [2, 2, 2], 1, [2, 2, 1]);
    const decode = (bytes: Uint8Array): unknown =>
      decodeCompressedSegmentation(bytes, [2, 2, 2], 1, [2, 2, 1], "uint64");
    expect(() => decode(good.subarray(0, 30))).toThrow(/30 bytes are no multiple of 4/);
    expect(() => decode(good.subarray(0, good.length - 4))).toThrow(
      /block \(0, 0, 1\) .*table entry lies past the end/,
    );
    const bits = good.slice();
    bits[7] = 3;
    expect(() => decode(bits)).toThrow(/block \(0, 0, 0\) of channel 0 has a number of bits/);
    const values = good.slice();
    values[8] = 200;
    expect(() => decode(values)).toThrow(/values past the end/);
    const channel = good.slice();
    channel[3] = 255;
    expect(() => decode(channel)).toThrow(/channel 0 begins at word 4278190081/);
    expect(() => decode(new Uint8Array(0))).toThrow(KernelError);
  });
});

test("encoding agrees with the plain encoder byte for byte, for u32 and u64, any block size and channels", () => {
  fc.assert(
    fc.property(
      size,
      blockSize,
      texture,
      fc.nat(),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      (s, b, t, seed, wide, c) => {
        const whole = block(t, [s[0], s[1], s[2] * c], seed);
        const labels = wide ? whole : (narrow(whole, "u32") as Uint32Array);
        const bytes = encodeCompressedSegmentation(labels, s, c, b);
        expect(bytes).toEqual(encodeCompressedSegmentationOracle(labels, s, c, b));
        expect(decodeCompressedSegmentation(bytes, s, c, b, wide ? "uint64" : "uint32")).toEqual(labels);
      },
    ),
    { numRuns: 120 },
  );
});

test("encoding and decoding through a table agree with the labels themselves", () => {
  fc.assert(
    fc.property(size, blockSize, texture, fc.nat(), (s, b, t, seed) => {
      const labels = block(t, s, seed);
      const bytes = encodeCompressedSegmentation(labels, s, 1, b);
      const decoded = decodeCompressedSegmentationIndexed(bytes, s, b);
      const { indices, labels: table } = renumber(labels);
      expect(decoded).toEqual({ indices, table });
      expect(encodeCompressedSegmentationIndexed(indices, table, s, b)).toEqual(bytes);
      // A table backwards and twice over means the same labels.
      const n = table.length;
      const twice = new BigUint64Array(2 * n);
      twice.set(table.slice().reverse());
      twice.set(table, n);
      const other = indices.map((index, i) => (i % 2 === 0 ? n - 1 - index : n + index));
      expect(encodeCompressedSegmentationIndexed(other, twice, s, b)).toEqual(bytes);
    }),
    { numRuns: 80 },
  );
});

test("slabs together are the chunk, each voxel once, and encode to the same bytes", () => {
  fc.assert(
    fc.property(
      size,
      blockSize,
      texture,
      fc.nat(),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      (s, b, t, seed, wide, c) => {
        const whole = block(t, [s[0], s[1], s[2] * c], seed);
        const labels = wide ? whole : (narrow(whole, "u32") as Uint32Array);
        const dtype = wide ? "uint64" : "uint32";
        const at = ({ begin, size: [nx, ny], channel }: LabelSlab, i: number): number =>
          begin[0] +
          (i % nx) +
          s[0] *
            (begin[1] + (Math.floor(i / nx) % ny) + s[1] * (begin[2] + Math.floor(i / (nx * ny)) + s[2] * channel));
        const bytes = encodeCompressedSegmentationSlabs(s, c, b, dtype, (slab) => {
          for (let i = 0; i < slab.labels.length; i++)
            (slab.labels as Uint32Array)[i] = (labels as Uint32Array)[at(slab, i)]!;
        });
        expect(bytes).toEqual(encodeCompressedSegmentation(labels, s, c, b));
        const decoded = wide ? new BigUint64Array(labels.length) : new Uint32Array(labels.length);
        const times = new Uint8Array(labels.length);
        decodeCompressedSegmentationRow([{ bytes, size: s }], c, b, dtype, (slab) => {
          for (let i = 0; i < slab.labels.length; i++) {
            (decoded as Uint32Array)[at(slab, i)] = (slab.labels as Uint32Array)[i]!;
            times[at(slab, i)]! += 1;
          }
        });
        expect(decoded).toEqual(labels);
        expect(times.every((n) => n === 1)).toBe(true);
      },
    ),
    { numRuns: 80 },
  );
});

test("chunks side by side decode to the rows through all of them", () => {
  const widths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(size, widths, blockSize, texture, fc.nat(), fc.boolean(), (s, ws, b, t, seed, wide) => {
      const [, sy, sz] = s;
      const parts = ws.map((sx, i) => {
        const labels = block(t, [sx, sy, sz], seed + i);
        return wide ? labels : (narrow(labels, "u32") as Uint32Array);
      });
      const chunks = ws.map((sx, i) => {
        const chunkSize: Size = [sx, sy, sz];
        return { bytes: encodeCompressedSegmentation(parts[i]!, chunkSize, 1, b), size: chunkSize };
      });
      const sx = ws.reduce((sum, w) => sum + w, 0);
      const decoded: (number | bigint)[] = [];
      decodeCompressedSegmentationRow(chunks, 1, b, wide ? "uint64" : "uint32", ({ labels, begin, size: [nx, ny] }) => {
        expect(nx).toBe(sx);
        labels.forEach((label: number | bigint, i: number) => {
          const [y, z] = [begin[1] + (Math.floor(i / nx) % ny), begin[2] + Math.floor(i / (nx * ny))];
          decoded[(i % nx) + sx * (y + sy * z)] = label;
        });
      });
      const expected: (number | bigint)[] = [];
      for (let row = 0; row < sy * sz; row++) {
        ws.forEach((w, i) => {
          expected.push(...parts[i]!.subarray(row * w, (row + 1) * w));
        });
      }
      expect(decoded).toEqual(expected);
    }),
    { numRuns: 80 },
  );
});

test("a corrupt chunk of a row is told by its place; unequal heights are a RangeError", () => {
  const bytes = encodeCompressedSegmentation(new BigUint64Array(64).fill(5n), [4, 4, 4], 1, [4, 4, 4]);
  const good = { bytes, size: [4, 4, 4] as const };
  const decode = (...row: (typeof good)[]): void =>
    decodeCompressedSegmentationRow(row, 1, [4, 4, 4], "uint64", () => {});
  expect(() => decode(good, { ...good, bytes: bytes.subarray(0, 12) })).toThrow(
    expect.objectContaining({ code: "CORRUPT", fields: expect.objectContaining({ chunk: 1 }) }),
  );
  expect(() => decode(good, good, { ...good, bytes: bytes.subarray(0, 8) })).toThrow(
    expect.objectContaining({ code: "CORRUPT", fields: expect.objectContaining({ chunk: 2 }) }),
  );
  expect(() => decode(good, { ...good, size: [4, 4, 5] as never })).toThrow(RangeError);
});

test("within a box only the slabs that it touches are decoded", () => {
  // A slab of 256 KiB holds one row of blocks here: 512 x 8 x 8 voxels of 8 bytes.
  const s: Size = [512, 24, 16];
  const bytes = encodeCompressedSegmentation(new BigUint64Array(512 * 24 * 16).fill(9n), s, 1, [8, 8, 8]);
  const seen: string[] = [];
  const within = { begin: [100, 7, 8] as const, end: [101, 9, 9] as const };
  decodeCompressedSegmentationRow(
    [{ bytes, size: s }],
    1,
    [8, 8, 8],
    "uint64",
    (slab) => seen.push(`${slab.begin} ${slab.size}`),
    within,
  );
  expect(seen).toEqual(["0,0,8 512,8,8", "0,8,8 512,8,8"]);
});

/** Merges labels two by two and moves 0, in a way that needs all 64 bits. */
function half(labels: BigUint64Array): BigUint64Array {
  return labels.map((label) => BigInt.asUintN(64, (label >> 1n) * 0x9e3779b97f4a7c15n + 1n));
}

test("remapping an encoded chunk agrees with remapping its labels", () => {
  fc.assert(
    fc.property(size, blockSize, texture, fc.nat(), fc.integer({ min: 1, max: 2 }), (s, b, t, seed, c) => {
      const labels = block(t, [s[0], s[1], s[2] * c], seed);
      const bytes = encodeCompressedSegmentation(labels, s, c, b);
      const asked: bigint[] = [];
      const mapped = remapCompressedSegmentation(bytes, s, c, b, (found) => {
        asked.push(...found);
        return half(found);
      });
      expect(asked).toEqual([...new Set(labels)].sort((x, y) => (x < y ? -1 : 1)));
      expect(mapped.length).toBe(bytes.length);
      expect(decodeCompressedSegmentation(mapped, s, c, b, "uint64")).toEqual(half(labels));
    }),
    { numRuns: 80 },
  );
});

describe("remapping foreign layouts", () => {
  const s: Size = [2, 2, 2];
  const b: Size = [2, 2, 1];
  const check = (list: number[]): void => {
    const bytes = new Uint8Array(Uint32Array.from(list).buffer);
    const labels = decodeCompressedSegmentation(bytes, s, 1, b, "uint64");
    const mapped = remapCompressedSegmentation(bytes, s, 1, b, half);
    expect(decodeCompressedSegmentation(mapped, s, 1, b, "uint64")).toEqual(half(labels));
  };

  test("a table inside another's", () => check([1, 5 | (2 << 24), 4, 7 | (1 << 24), 11, 0x61, 3, 0, 4, 0, 5, 0, 0xe]));
  test("tables that overlap by half an entry", () =>
    check([1, 5 | (1 << 24), 4, 6 | (1 << 24), 10, 0x6, 3, 9, 4, 8, 5, 0xe]));
  test("a table that is also the other block's values", () =>
    check([1, 5 | (1 << 24), 4, 9 | (1 << 24), 5, 0x6, 3, 9, 4, 8, 5, 1, 2, 3]));
  test("a table inside the headers", () => check([1, 0, 4, 2 | (1 << 24), 4, 0xe, 7, 7]));
});

test("a map that returns another number of labels is refused", () => {
  const bytes = encodeCompressedSegmentation(BigUint64Array.of(1n, 2n), [2, 1, 1], 1, [8, 8, 8]);
  expect(() => remapCompressedSegmentation(bytes, [2, 1, 1], 1, [8, 8, 8], (l) => l.slice(1))).toThrow(
    /asked for 2 labels/,
  );
});

describe("hostile bytes", () => {
  const decoders = (bytes: Uint8Array, s: Size, b: Size): void => {
    const attempt = <T>(run: () => T): T | "CORRUPT" => {
      try {
        return run();
      } catch (error) {
        if (isKernelError(error, "CORRUPT")) return "CORRUPT";
        throw error;
      }
    };
    for (const dtype of ["uint32", "uint64"] as const) {
      const fast = attempt(() => decodeCompressedSegmentation(bytes, s, 1, b, dtype));
      expect(fast).toEqual(attempt(() => decodeCompressedSegmentationOracle(bytes, s, 1, b, dtype)));
      if (dtype === "uint32") continue;
      const indexed = attempt(() => decodeCompressedSegmentationIndexed(bytes, s, b));
      const mapped = attempt(() => remapCompressedSegmentation(bytes, s, 1, b, half));
      if (fast === "CORRUPT") {
        expect([indexed, mapped]).toEqual(["CORRUPT", "CORRUPT"]);
      } else {
        const { indices, labels: table } = renumber(fast as BigUint64Array);
        expect(indexed).toEqual({ indices, table });
        expect(decodeCompressedSegmentation(mapped as Uint8Array, s, 1, b, "uint64")).toEqual(
          half(fast as BigUint64Array),
        );
      }
    }
  };

  test("flipped, cut and overwritten words decode as the plain decoder decodes them, or are refused by both", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
        blockSize,
        texture,
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(40), fc.nat(0xffffffff))), { maxLength: 6 }),
        fc.nat(20),
        (s, b, t, seed, writes, cut) => {
          const bytes = encodeCompressedSegmentation(block(t, s, seed), s, 1, b);
          const view = new DataView(bytes.buffer);
          for (const [at, value] of writes) view.setUint32(4 * (at % (bytes.length / 4)), value, true);
          decoders(bytes.subarray(0, bytes.length - cut), s, b);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("random words are refused or decoded as by the plain decoder", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(30), fc.nat(0xffffffff), fc.constant(1 << 24)), { maxLength: 60 }),
        (list) => {
          decoders(new Uint8Array(Uint32Array.from([1, ...list]).buffer), [5, 4, 3], [4, 4, 4]);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("limits", () => {
  test("a channel beyond 2^24 words is refused", () => {
    const labels = BigUint64Array.from({ length: 128 * 128 * 448 }, (_, i) => BigInt(i));
    expect(() => encodeCompressedSegmentation(labels, [128, 128, 448], 1, [8, 8, 8])).toThrow(/2\^24 words/);
  });

  test("arguments that do not fit are refused with the numbers", () => {
    const labels = new Uint32Array(8);
    expect(() => encodeCompressedSegmentation(labels, [2, 2, 3], 1, [8, 8, 8])).toThrow(/8 elements.*12/);
    expect(() => encodeCompressedSegmentation(labels, [2, 2, 2], 0, [8, 8, 8])).toThrow(/channels .* got 0/);
    expect(() => encodeCompressedSegmentation(labels, [2, 2, 2], 1, [8, 0, 8])).toThrow(/got 8×0×8/);
    expect(() => encodeCompressedSegmentation(new Uint16Array(8) as never, [2, 2, 2], 1, [8, 8, 8])).toThrow(TypeError);
    expect(() =>
      encodeCompressedSegmentationIndexed(Uint32Array.of(3), BigUint64Array.of(1n), [1, 1, 1], [8, 8, 8]),
    ).toThrow(/indices\[0\] is 3.* 1 labels/);
    expect(() => decodeCompressedSegmentation(new Uint8Array(4), [1, 1, 1], 1, [8, 8, 8], "int8" as "uint32")).toThrow(
      TypeError,
    );
  });

  test("an empty volume is its channel offsets", () => {
    const bytes = encodeCompressedSegmentation(new Uint32Array(0), [0, 4, 4], 2, [8, 8, 8]);
    expect(words(bytes)).toEqual([2, 2]);
    expect(decodeCompressedSegmentation(bytes, [0, 4, 4], 2, [8, 8, 8], "uint32").length).toBe(0);
  });
});
