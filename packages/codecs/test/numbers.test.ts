import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "../src/crc32c.ts";
import { CodecError, isCodecError } from "../src/error.ts";
import { ByteReader } from "../src/reader.ts";
import {
  encodeVarint,
  MAX_VARINT_BYTES,
  readVarintU32,
  readVarintU64,
  varintLength,
  writeVarint,
} from "../src/varint.ts";

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test("CRC-32C gives the check value and splits anywhere", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(0))).toBe(0);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
    }),
  );
});

test("varints round-trip, as numbers and as bigints, to the same bytes", () => {
  fc.assert(
    fc.property(u64, fc.integer({ min: 0, max: 63 }), (wide, shift) => {
      const value = wide >> BigInt(shift);
      const bytes = encodeVarint(value);
      expect(bytes.length).toBe(varintLength(value));
      expect(bytes.length).toBeLessThanOrEqual(MAX_VARINT_BYTES);
      const reader = new ByteReader(bytes);
      expect(readVarintU64(reader)).toBe(value);
      expect(reader.remaining).toBe(0);
      if (value <= Number.MAX_SAFE_INTEGER) expect(encodeVarint(Number(value))).toEqual(bytes);
      if (value < 2n ** 32n) expect(readVarintU32(new ByteReader(bytes))).toBe(Number(value));
      else expect(() => readVarintU32(new ByteReader(bytes))).toThrow(/does not fit 32 bits/);
    }),
  );
  expect([...encodeVarint(300)]).toEqual([0xac, 2]);
});

test("varints too long, too large or cut short are refused", () => {
  const read = (...bytes: number[]): bigint => readVarintU64(new ByteReader(Uint8Array.from(bytes)));
  const full = new Array(9).fill(0xff);
  expect(read(...full, 1)).toBe(2n ** 64n - 1n);
  expect(() => read(...full, 2)).toThrow(/offset 0 does not fit 64 bits/);
  expect(() => read(...new Array(20).fill(0x80))).toThrow(CodecError);
  expect(() => read(0x80, 0x80)).toThrow(/wanted 1 bytes at offset 2, only 0/);
  expect(() => writeVarint(new Uint8Array(3), 2, 128)).toThrow(RangeError);
  expect(() => encodeVarint(-1)).toThrow(RangeError);
  expect(() => encodeVarint(2 ** 53)).toThrow(/pass a bigint/);
  expect(() => encodeVarint(2n ** 64n)).toThrow(RangeError);
});

test("a reader reads what a DataView wrote, in either byte order, inside any window", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 60 }), fc.nat(8), fc.boolean(), (bytes, from, bigEndian) => {
      const window = bytes.subarray(from);
      const view = new DataView(bytes.buffer, bytes.byteOffset + from);
      const reader = new ByteReader(window, { bigEndian });
      expect(reader.u8()).toBe(view.getUint8(0));
      expect(reader.u16()).toBe(view.getUint16(1, !bigEndian));
      expect(reader.u32()).toBe(view.getUint32(3, !bigEndian));
      expect(reader.i32()).toBe(view.getInt32(7, !bigEndian));
      expect(reader.u64()).toBe(view.getBigUint64(11, !bigEndian));
      expect(reader.f32()).toBe(view.getFloat32(19, !bigEndian));
      reader.seek(1);
      expect(reader.f64()).toBe(view.getFloat64(1, !bigEndian));
      expect(reader.bytes(3)).toEqual(window.subarray(9, 12));
      reader.skip(reader.remaining);
      reader.expectEnd();
    }),
  );
});

test("a reader names offset, wanted and available when it runs out", () => {
  const reader = new ByteReader(new Uint8Array(10), { what: "shard index" });
  reader.u64();
  try {
    reader.u32();
    expect.unreachable();
  } catch (error) {
    expect(isCodecError(error, "TRUNCATED")).toBe(true);
    expect(isCodecError(error, "CORRUPT")).toBe(false);
    expect((error as CodecError).fields).toEqual({ offset: 8, wanted: 4, available: 2 });
    expect((error as CodecError).message).toBe("shard index: wanted 4 bytes at offset 8, only 2 are available");
  }
  expect(reader.offset).toBe(8);
  expect(() => reader.expectEnd()).toThrow(/2 bytes are left over/);
  for (const hostile of [-1, 1.5, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY]) {
    expect(() => reader.bytes(hostile)).toThrow(CodecError);
    expect(() => reader.seek(hostile)).toThrow(CodecError);
  }
  const wide = new ByteReader(Uint8Array.from(new Array(8).fill(255)));
  expect(() => wide.u64Number(100)).toThrow(/18446744073709551615, more than 100/);
});
