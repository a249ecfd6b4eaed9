import { Random } from "@pcg/testkit";
import { decode as libraryDecode, encode as libraryEncode } from "fast-png";
import { describe, expect, test } from "vitest";
import {
  type ChunkFormat,
  type ChunkPiece,
  decodeChunk,
  decodeChunkRow,
  encodeChunk,
  encodeChunkPieces,
  maxEncodedBytes,
} from "../src/codecs.ts";
import { allocateVoxels, DATA_TYPES } from "../src/data-type.ts";
import type { ChunkArray, DataType, Xyz } from "../src/index.ts";

const SIZES: Xyz[] = [
  [1, 1, 1],
  [13, 7, 5],
  [8, 8, 8],
  [64, 3, 2],
];

/** Values over the whole range of the type, in runs. */
function voxels(dataType: DataType, length: number, seed = 1): ChunkArray {
  const random = new Random(seed);
  const data = allocateVoxels(dataType, length);
  const bytes = new Uint8Array(data.buffer);
  const values = Array.from({ length: 9 }, () => random.bytes(data.BYTES_PER_ELEMENT));
  for (let i = 0; i < length; i++) bytes.set(values[random.below(9)]!, i * data.BYTES_PER_ELEMENT);
  return data;
}

const formats: ChunkFormat[] = [
  ...DATA_TYPES.flatMap((dataType) => [1, 2].map((channels) => ({ encoding: "raw", dataType, channels }))),
  ...(["uint32", "uint64"] as const).flatMap((dataType) =>
    [1, 2].map((channels) => ({
      encoding: "compressed_segmentation",
      dataType,
      channels,
      blockSize: [4, 3, 2] as const,
    })),
  ),
  ...(["uint8", "uint16"] as const).flatMap((dataType) =>
    [1, 2, 3, 4].map((channels) => ({ encoding: "png", dataType, channels, pngLevel: channels * 2 })),
  ),
];
const name = (format: ChunkFormat): string => `${format.encoding} ${format.dataType} x ${format.channels}`;

test.each(formats.map((format) => [name(format), format] as const))("%s comes back as it was", async (_, format) => {
  for (const size of SIZES) {
    const data = voxels(format.dataType, size[0] * size[1] * size[2] * format.channels);
    const bytes = await encodeChunk(format, size, data);
    expect(bytes.length).toBeLessThanOrEqual(maxEncodedBytes(format, size));
    const decoded = await decodeChunk(format, size, bytes);
    expect(new Uint8Array(decoded.buffer)).toEqual(new Uint8Array(data.buffer));
    expect(decoded.constructor).toBe(data.constructor);
  }
});

/** Index in the chunk of each voxel of a piece. */
function placesOf({ voxels: { length }, begin, size: [nx, ny], channel }: ChunkPiece, [sx, sy, sz]: Xyz): number[] {
  return Array.from({ length }, (_, i) => {
    const [x, y, z] = [begin[0] + (i % nx), begin[1] + (Math.floor(i / nx) % ny), begin[2] + Math.floor(i / (nx * ny))];
    return x + sx * (y + sy * (z + sz * channel));
  });
}

test.each(formats.map((format) => [name(format), format] as const))(
  "%s in pieces is the same chunk",
  async (_, format) => {
    for (const size of SIZES) {
      const data = voxels(format.dataType, size[0] * size[1] * size[2] * format.channels) as Uint8Array;
      const bytes = await encodeChunkPieces(format, size, (piece) => {
        placesOf(piece, size).forEach((place, i) => {
          (piece.voxels as Uint8Array)[i] = data[place]!;
        });
      });
      expect(bytes).toEqual(await encodeChunk(format, size, data));
      const times = new Uint8Array(data.length);
      await decodeChunkRow(format, [{ bytes, size }], { begin: [0, 0, 0], end: size }, (piece) => {
        placesOf(piece, size).forEach((place, i) => {
          times[place]! += 1;
          if (!Object.is((piece.voxels as Uint8Array)[i], data[place])) throw new Error(`voxel ${place} differs`);
        });
      });
      expect(times.every((n) => n === 1)).toBe(true);
    }
  },
);

test("pieces hold all of a box, and an error of the taker arrives as it is", async () => {
  const format: ChunkFormat = {
    encoding: "compressed_segmentation",
    dataType: "uint64",
    channels: 2,
    blockSize: [8, 8, 8],
  };
  const size: Xyz = [512, 16, 24];
  const data = voxels("uint64", 512 * 16 * 24 * 2) as BigUint64Array;
  const bytes = await encodeChunk(format, size, data);
  const within = { begin: [500, 9, 7], end: [501, 10, 9] } as const;
  const seen = new Set<number>();
  await decodeChunkRow(format, [{ bytes, size }], within, (piece) => {
    for (const place of placesOf(piece, size)) seen.add(place);
  });
  for (const z of [7, 8]) for (const c of [0, 1]) expect(seen.has(500 + 512 * (9 + 16 * (z + 24 * c)))).toBe(true);
  expect(seen.size).toBe(512 * 8 * 16 * 2);
  const mine = new Error("mine");
  await expect(
    decodeChunkRow(format, [{ bytes, size }], within, () => {
      throw mine;
    }),
  ).rejects.toBe(mine);
});

test("decoded voxels are the caller's own, also from an unaligned part of a buffer", async () => {
  const format: ChunkFormat = { encoding: "raw", dataType: "uint64", channels: 1 };
  const buffer = new Uint8Array(25).fill(7);
  const decoded = await decodeChunk(format, [3, 1, 1], buffer.subarray(1));
  decoded.fill(0n as never);
  expect(buffer.every((byte) => byte === 7)).toBe(true);
});

describe("png", () => {
  const format: ChunkFormat = { encoding: "png", dataType: "uint16", channels: 3 };

  test("what we write, another library reads", async () => {
    const data = voxels("uint16", 6 * 5 * 4 * 3) as Uint16Array;
    const png = libraryDecode(await encodeChunk(format, [6, 5, 4], data), { checkCrc: true });
    expect([png.width, png.height, png.channels, png.depth]).toEqual([6, 20, 3, 16]);
    const planes = [0, 1, 2].flatMap((channel) => [...png.data].filter((_, i) => i % 3 === channel));
    expect(planes).toEqual([...data]);
  });

  test("a picture of any shape with as many pixels is taken", async () => {
    const data = voxels("uint8", 60) as Uint8Array;
    const png = libraryEncode({ width: 30, height: 2, data, channels: 1, depth: 8 });
    expect(await decodeChunk({ ...format, dataType: "uint8", channels: 1 }, [3, 4, 5], png)).toEqual(data);
  });

  test("a picture that inflates to gigabytes is refused before it does", async () => {
    // A valid stream of 80 MB of zeros in about 80 kB, under a header that asks for 64 pixels.
    const { zlibSync } = await import("fflate");
    const idat = zlibSync(new Uint8Array(80_000_000), { level: 9 });
    const good = await encodeChunk({ ...format, dataType: "uint8", channels: 1 }, [4, 4, 4], new Uint8Array(64));
    const bomb = withIdat(good, idat);
    const before = process.memoryUsage().arrayBuffers;
    await expect(decodeChunk({ ...format, dataType: "uint8", channels: 1 }, [4, 4, 4], bomb)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("inflates past"),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000);
  });

  test("palettes and interlacing are named, not guessed at", async () => {
    const interlaced = libraryEncode(
      { width: 4, height: 4, data: new Uint8Array(16), channels: 1 },
      { interlace: "Adam7" },
    );
    const grey: ChunkFormat = { encoding: "png", dataType: "uint8", channels: 1 };
    await expect(decodeChunk(grey, [4, 4, 1], interlaced)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("jpeg", () => {
  const smooth = (channels: number): Uint8Array =>
    Uint8Array.from(
      { length: 16 * 12 * 8 * channels },
      (_, i) => 128 + 100 * Math.sin((i % 16) / 9 + Math.floor(i / 16) / 200),
    );

  test.each([1, 3])("%i channels come back nearly as they were", async (channels) => {
    const format: ChunkFormat = { encoding: "jpeg", dataType: "uint8", channels, jpegQuality: 95 };
    const data = smooth(channels);
    const decoded = await decodeChunk(format, [16, 12, 8], await encodeChunk(format, [16, 12, 8], data));
    expect(decoded.length).toBe(data.length);
    expect(Math.max(...data.map((value, i) => Math.abs(value - Number(decoded[i]))))).toBeLessThan(12);
  });

  test("quality decides the size", async () => {
    const data = voxels("uint8", 16 * 12 * 8) as Uint8Array;
    const size = async (jpegQuality: number): Promise<number> =>
      (await encodeChunk({ encoding: "jpeg", dataType: "uint8", channels: 1, jpegQuality }, [16, 12, 8], data)).length;
    expect(await size(95)).toBeGreaterThan(2 * (await size(10)));
  });

  test("a picture past jpeg's sides is a RangeError", async () => {
    const format: ChunkFormat = { encoding: "jpeg", dataType: "uint8", channels: 1 };
    await expect(encodeChunk(format, [1, 256, 257], new Uint8Array(256 * 257))).rejects.toThrow(/65535/);
  });
});

test("the wrong array or length is refused before anything is encoded", async () => {
  const format: ChunkFormat = { encoding: "raw", dataType: "uint64", channels: 1 };
  await expect(encodeChunk(format, [2, 1, 1], new Uint32Array(2))).rejects.toThrow(TypeError);
  await expect(encodeChunk(format, [2, 1, 1], new BigUint64Array(3))).rejects.toThrow(RangeError);
});

test("encodings we cannot write or do not know are UNSUPPORTED", async () => {
  const compresso: ChunkFormat = { encoding: "compresso", dataType: "uint8", channels: 1 };
  await expect(encodeChunk(compresso, [1, 1, 1], new Uint8Array(1))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  await expect(decodeChunk({ ...compresso, encoding: "jxl" }, [1, 1, 1], new Uint8Array(1))).rejects.toMatchObject({
    code: "UNSUPPORTED",
    fields: { encoding: "jxl" },
  });
});

/** `png` with another compressed body. */
function withIdat(png: Uint8Array, idat: Uint8Array): Uint8Array {
  const part = new Uint8Array(12 + idat.length);
  const view = new DataView(part.buffer);
  view.setUint32(0, idat.length);
  part.set([0x49, 0x44, 0x41, 0x54], 4);
  part.set(idat, 8);
  view.setUint32(8 + idat.length, crc32(part.subarray(4, 8 + idat.length)));
  return Uint8Array.from([...png.subarray(0, 33), ...part, ...png.subarray(-12)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
