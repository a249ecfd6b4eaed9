import { describe, expect, test } from "vitest";
import { isOcdbtError } from "../../src/errors.ts";
import { BodyReader } from "../../src/format/body-reader.ts";
import { BodyWriter } from "../../src/format/body-writer.ts";
import { decodeBtreeNodeBody, encodeBtreeNodeBody } from "../../src/format/btree-node.ts";
import { DataFileTable, readDataFileTable } from "../../src/format/data-file-table.ts";
import { openEnvelope, sealEnvelope } from "../../src/format/envelope.ts";
import {
  type Config,
  decodeBtreeNode,
  decodeManifest,
  encodeManifest,
  encodeNodes,
  envelopeLength,
  InteriorBuilder,
  keyAt,
  LeafBuilder,
  manifestReferenceRanges,
  NO_STATISTICS,
  numberedManifestKey,
  parseNumberedManifestKey,
  splitNode,
  type VersionEntry,
} from "../../src/format/index.ts";
import { decodeManifestBody, encodeManifestBody } from "../../src/format/manifest.ts";
import { decodeVersionNodeBody, encodeVersionNodeBody } from "../../src/format/version-node.ts";
import { ascii } from "./corpus.ts";

const CONFIG: Config = {
  uuid: "000102030405060708090a0b0c0d0e0f",
  manifestKind: "single",
  maxInlineValueBytes: 4,
  maxDecodedNodeBytes: 8_388_608,
  versionTreeArityLog2: 2,
  compression: null,
};
const FILE = { basePath: "", relativePath: "d/0123456789abcdef0123456789abcdef" };

function version(generation: bigint): VersionEntry {
  return {
    generation,
    root: { location: undefined, height: 0, statistics: NO_STATISTICS },
    commitTime: generation * 10n,
  };
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/[^0-9a-f]/g, ""), "hex"));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Expects an `OcdbtError` `code` whose message holds `text`. */
function failing(code: string, text: string): (error: unknown) => boolean {
  return (error) => {
    if (!isOcdbtError(error)) throw error;
    expect(error.message).toMatch(text);
    expect(error.code).toBe(code);
    return true;
  };
}

function expectFailure(work: () => unknown, text: string, code = "corrupt"): void {
  let failed = true;
  try {
    work();
    failed = false;
  } catch (error) {
    failing(code, text)(error);
  }
  expect(failed).toBe(true);
}

describe("the golden vectors", () => {
  const path = hexOf(ascii(FILE.relativePath));
  const leafHex = `0cdb20de4f000000000000000000 00 0122 00${path} 03 0301 040101 61622f31 32 63 030c00 000100 00 00 78797a`;

  test("a leaf of three keys has TensorStore's 79 bytes, and its manifest 97", async () => {
    const builder = new LeafBuilder();
    builder.add(ascii("ab/1"), ascii("xyz"));
    builder.add(ascii("ab/2"), { file: FILE, offset: 0, length: 12 });
    builder.add(ascii("ac"), new Uint8Array(0));
    const [leaf] = await encodeNodes(builder.finish(), CONFIG, { mayBeRoot: true });
    expect(hexOf(leaf!.bytes.subarray(0, -4))).toBe(leafHex.replaceAll(" ", ""));
    expect(leaf!.bytes.length).toBe(79);
    expect(leaf!.statistics).toEqual({ numKeys: 3n, numTreeBytes: 79n, numIndirectValueBytes: 12n });
    const root = {
      location: { file: FILE, offset: 12, length: 79 },
      height: 0,
      statistics: leaf!.statistics,
    };
    const manifest = await encodeManifest({
      config: { ...CONFIG, versionTreeArityLog2: 4 },
      versions: [{ generation: 1n, root, commitTime: 0x0102030405060708n }],
      versionNodes: [],
    });
    expect(manifest.length).toBe(97);
    expect(hexOf(manifest.subarray(12, -4))).toBe(
      `0000${CONFIG.uuid}00048080800404000122 00${path}0101000 00c4f034f0c080706050403020100`.replaceAll(" ", ""),
    );
  });
});

describe("numbers", () => {
  test.each([
    ["ff01", 255n],
    ["80808080808080808001", 1n << 63n],
    ["ffffffffffffffffff01", (1n << 64n) - 1n],
    ["ffffffffffffff0f", (1n << 53n) - 1n],
    ["8080808080808010", 1n << 53n],
    ["81808000", 1n],
  ])("%s is read as %s, canonical or not", (hex, value) => {
    const reader = new BodyReader(bytesOf(hex), "test");
    expect(reader.u64("x")).toBe(value);
    reader.expectEnd();
    const writer = new BodyWriter(1);
    writer.varint64(value);
    expect(new BodyReader(writer.finish(), "test").u64("x")).toBe(value);
  });

  test("what does not fit its width, or ends early, is refused", () => {
    expectFailure(() => new BodyReader(bytesOf("80808080808080808002"), "test").u64("x"), "64 bits");
    expectFailure(() => new BodyReader(new Uint8Array(30).fill(0x80), "test").u64("x"), "64 bits");
    expectFailure(() => new BodyReader(bytesOf("8080"), "test").u64("x"), "ends within x");
    expectFailure(() => new BodyReader(bytesOf("8080808010"), "test").u32("x"), "32 bits");
    expectFailure(() => new BodyReader(bytesOf("808004"), "test").u16Column(1, "x"), "16 bits");
    expectFailure(() => new BodyReader(bytesOf("8080808080808010"), "test").sizeColumn(1, "x"), "2^53", "unsupported");
  });
});

describe("the envelope", () => {
  const body = Uint8Array.from({ length: 500 }, (_, i) => i % 7);

  test("holds any body raw or compressed, and keeps the smaller", async () => {
    for (const compression of [null, { id: "zstd", level: 0 }, { id: "zstd", level: -7 }] as const) {
      const sealed = await sealEnvelope("btreeNode", body, compression);
      expect(await openEnvelope(sealed, "btreeNode")).toEqual(body);
      expect(sealed.length < body.length).toBe(compression !== null);
    }
    const tiny = await sealEnvelope("btreeNode", body.subarray(0, 3), { id: "zstd", level: 3 });
    expect(tiny.length).toBe(21);
  });

  test("takes the trouble to find the strides of a small node where the level is left to the writer", async () => {
    const offsets = new Uint8Array(Uint32Array.from({ length: 918 }, (_, i) => 40_000_000 + 512 * i).buffer);
    const length = async (level: number): Promise<number> =>
      (await sealEnvelope("btreeNode", offsets, { id: "zstd", level })).length;
    expect(await length(0)).toBeLessThan((await length(3)) * 0.75);
  });

  test("refuses another kind, another version, another compression, and bytes before or after", async () => {
    const sealed = await sealEnvelope("btreeNode", body, null);
    const open = (bytes: Uint8Array): Promise<Uint8Array> => openEnvelope(bytes, "btreeNode", { file: "d/ab" });
    await expect(openEnvelope(sealed, "manifest")).rejects.toSatisfy(failing("corrupt", "0x0cdb20de"));
    await expect(open(sealed.subarray(0, 40))).rejects.toSatisfy(failing("corrupt", "d/ab: its header says 518 bytes"));
    await expect(open(withByte(sealed, 12, 1))).rejects.toSatisfy(failing("corrupt", "CRC-32C"));
    await expect(open(resealed(withByte(sealed, 12, 1)))).rejects.toSatisfy(failing("unsupported", "version 1"));
    await expect(open(resealed(withByte(sealed, 13, 2)))).rejects.toSatisfy(failing("unsupported", "compression 2"));
    const tail = new Uint8Array([...sealed, 9, 9]);
    await expect(open(tail)).rejects.toSatisfy(failing("corrupt", "stale tail"));
    expect(envelopeLength(tail)).toBe(sealed.length);
    expect(envelopeLength(sealed.subarray(0, 100))).toBeUndefined();
  });

  test("holds one zstd frame alone, and bounds what comes out of it", async () => {
    const packed = (await sealEnvelope("btreeNode", new Uint8Array(100_000), { id: "zstd", level: 3 })).subarray(
      14,
      -4,
    );
    const twice = await sealEnvelope("btreeNode", new Uint8Array([...packed, ...packed]), null);
    await expect(openEnvelope(resealed(withByte(twice, 13, 1)), "btreeNode")).rejects.toSatisfy(
      failing("corrupt", "one frame alone"),
    );
    const once = resealed(withByte(await sealEnvelope("btreeNode", packed, null), 13, 1));
    expect((await openEnvelope(once, "btreeNode")).length).toBe(100_000);
    await expect(openEnvelope(once, "btreeNode", { maxBytes: 99_999 })).rejects.toSatisfy(
      failing("too-large", "raise maxBytes"),
    );
  });
});

describe("the table of data files", () => {
  function read(hex: string, transitive = ""): unknown {
    return readDataFileTable(new BodyReader(bytesOf(hex), "table"), transitive);
  }

  test("sorts files, writes each once, and reads them below the path they were reached by", () => {
    const table = new DataFileTable();
    const files = [
      { basePath: "b/", relativePath: "d/2" },
      { basePath: "", relativePath: "d/9" },
      { basePath: "b/", relativePath: "d/1" },
      { basePath: "b/c/", relativePath: "d/1" },
      { basePath: "b/", relativePath: "d/1" },
      { basePath: "", relativePath: "" },
    ];
    const handles = files.map((file) => table.add({ ...file }));
    const writer = new BodyWriter();
    const indices = table.write(writer);
    expect(handles.map((handle) => indices[handle])).toEqual([3, 1, 2, 4, 2, 0]);
    const found = readDataFileTable(new BodyReader(writer.finish(), "table"), "up/");
    expect(found).toEqual([
      { basePath: "up/", relativePath: "" },
      { basePath: "up/", relativePath: "d/9" },
      { basePath: "up/b/", relativePath: "d/1" },
      { basePath: "up/b/", relativePath: "d/2" },
      { basePath: "up/b/c/", relativePath: "d/1" },
    ]);
  });

  test("refuses what cannot be, and what leads out of the folder", () => {
    expectFailure(() => read("ffffffffffffffffff01"), "only 0 bytes follow");
    expectFailure(() => read(`02 05 0101 0000 ${hexOf(ascii("ab"))}`), "shares 5 bytes with the one before");
    expectFailure(() => read(`01 02 03 ${hexOf(ascii("ab"))}`), "its base path 3");
    expectFailure(() => read(`02 02 0202 0102 ${hexOf(ascii("abcd"))}`), "across different base paths");
    expectFailure(() => read(`01 02 00 ${hexOf(ascii("ab"))}`, "x".repeat(65_534)), "at most 1");
    expectFailure(() => read(`01 04 00 ${hexOf(ascii("../a"))}`), "outside the database's folder");
    expectFailure(() => read(`01 04 00 ${hexOf(ascii("a/.."))}`), "outside the database's folder");
    expectFailure(() => read(`01 02 00 ${hexOf(ascii("/a"))}`), "outside the database's folder");
    expectFailure(() => read(`01 03 01 ${hexOf(ascii("./a"))}`, "a/."), "outside the database's folder");
    expect(read(`01 04 00 ${hexOf(ascii("a..b"))}`)).toEqual([{ basePath: "", relativePath: "a..b" }]);
  });
});

describe("B+tree nodes", () => {
  const decode = (hex: string): unknown => decodeBtreeNodeBody(bytesOf(hex));

  test("keep keys that are not UTF-8, empty, and of the greatest length", async () => {
    const builder = new LeafBuilder();
    const keys = [
      new Uint8Array(0),
      Uint8Array.of(0),
      Uint8Array.of(0, 0xff),
      new Uint8Array(65_535).fill(0xfe),
      Uint8Array.of(0xff),
    ];
    for (const key of keys) builder.add(key, ascii("v"));
    const [encoded] = await encodeNodes(builder.finish(), CONFIG, { mayBeRoot: true });
    const { keys: found } = await decodeBtreeNode(encoded!.bytes);
    expect(keys.map((_, i) => hexOf(keyAt(found, i)))).toEqual(keys.map(hexOf));
  });

  test("refuse too large keys and values, and keys out of order, before anything is encoded", () => {
    const builder = new LeafBuilder();
    expectFailure(() => builder.add(new Uint8Array(65_536), ascii("v")), "at most 65535", "too-large");
    expectFailure(() => builder.add(ascii("k"), new Uint8Array(2 ** 20 + 1)), "at most 1048576", "too-large");
    builder.add(ascii("k"), new Uint8Array(2 ** 20));
    expect(() => builder.add(ascii("k"), ascii("v"))).toThrow(RangeError);
    expect(() => builder.add(ascii("a"), ascii("v"))).toThrow(RangeError);
    expect(builder.length).toBe(1);
  });

  test("are parted where an entry is larger than a node may be, as TensorStore parts them", () => {
    const row = (lengths: readonly number[]) => {
      const builder = new LeafBuilder();
      for (const [i, length] of lengths.entries()) builder.add(ascii(String(100 + i)), new Uint8Array(length));
      return builder.finish();
    };
    expect(splitNode(row(Array(5).fill(0)), 1)).toEqual([1, 2, 3, 4, 5]);
    // The average entry is larger than the limit; those that are small still fill their nodes, and no more.
    const lengths = [...Array(40).fill(100), ...Array(8).fill(100_000)];
    expect(splitNode(row(lengths), 1024)).toEqual([8, 16, 24, 32, 40, 41, 42, 43, 44, 45, 46, 47, 48]);
  });

  test("refuse what contradicts itself", () => {
    const a = "61";
    const largeBody = new Uint8Array(4_000_000);
    // 2^20 + 1 entries.
    largeBody.set([0, 0, 0x81, 0x80, 0x40]);
    expectFailure(() => decode("00 00 00"), "has no entries");
    expectFailure(() => decode("00 00 818040"), "but only 0 bytes follow");
    expectFailure(() => decodeBtreeNodeBody(largeBody), "at most 1048576");
    expectFailure(() => decode("00 00 02 02 01 01 61 62 0000 0000"), "shares 2 bytes with the one before");
    expectFailure(() => decode("00 00 02 00 01 01 62 61 0000 0000"), "not above the one before");
    expectFailure(() => decode("00 00 02 01 01 00 62 0000 0000"), "not above the one before");
    expectFailure(() => decode(`00 00 01 01 ${a} 00 02`), "kind 2");
    expectFailure(() => decode(`00 00 01 01 ${a} 818040 00 00`), "inline value 0 has 1048577 bytes");
    expectFailure(() => decode(`00 00 01 01 ${a} 01 01 00 00`), "the table has 0");
    expectFailure(() => decode(`00 00 01 01 ${a} 01 00 07 07`), "1 bytes are left over");
    expectFailure(() => decode(`01 00 01 01 02 ${a}`), "subtree prefix of 2 bytes of its key's 1");
    expectFailure(() => decode(`00 01 01 00 ${a} 01 01 ${a} 01 01 00 ffffffffffffff0f`), "2^53", "unsupported");
  });

  test("refuse a table of more data files than there can be references", () => {
    const body = new Uint8Array(8_000_000);
    body.set([0, 0x81, 0x80, 0x40]);
    expectFailure(() => decodeBtreeNodeBody(body), "its table has 1048577 data files, at most 1048576");
  });

  test("keep no more of a body in memory than its values take", () => {
    const builder = new LeafBuilder();
    for (let i = 0; i < 100; i++)
      builder.add(ascii(`key ${String(i).padStart(3, "0")}`), { file: FILE, offset: i, length: 1 });
    builder.add(ascii("small"), new Uint8Array(3));
    const node = decodeBtreeNodeBody(encodeBtreeNodeBody(builder.finish()));
    expect("inline" in node && node.inline.buffer.byteLength).toBe(3);
  });

  test("count u64 beyond 2^53 exactly", () => {
    const builder = new InteriorBuilder(1);
    const counts = [1n, 2n ** 64n - 1n, 2n ** 53n + 1n];
    for (const [i, n] of counts.entries()) {
      const statistics = { numKeys: n, numTreeBytes: 1n, numIndirectValueBytes: n - 1n };
      builder.add(ascii(`${i}`), 0, { location: { file: FILE, offset: 0, length: 9 }, height: 0, statistics });
    }
    const built = builder.finish();
    const read = decodeBtreeNodeBody(encodeBtreeNodeBody(built));
    expect("children" in read && Array.from(read.children)).toEqual(Array.from(built.children));
    expect(Array.from(built.children, ({ statistics }) => statistics.numKeys)).toEqual(counts);
  });

  test("refuse keys that expand beyond the limit", () => {
    const builder = new LeafBuilder();
    const long = new Uint8Array(65_535);
    for (let i = 0; i < 100; i++) {
      long[65_534] = i;
      builder.add(long, new Uint8Array(0));
    }
    const body = encodeBtreeNodeBody(builder.finish());
    expect(body.length).toBeLessThan(70_000);
    expectFailure(() => decodeBtreeNodeBody(body, { maxBytes: 1_000_000 }), "keys take more than", "too-large");
  });
});

describe("version trees", () => {
  test("a block holds only generations of one aligned range, increasing from 1 on", () => {
    const encode = (generations: readonly bigint[]): Uint8Array =>
      encodeVersionNodeBody({ arityLog2: 2, height: 0, versions: generations.map(version) });
    const decode = (generations: readonly bigint[]) => () => decodeVersionNodeBody(encode(generations));
    expect(decode([5n, 7n, 8n])()).toEqual({ arityLog2: 2, height: 0, versions: [5n, 7n, 8n].map(version) });
    expectFailure(decode([4n, 5n]), "do not lie in one block");
    expectFailure(decode([5n, 5n]), "must increase");
    expectFailure(decode([0n, 1n]), "begin at 1");
    expectFailure(decode([]), "from 1 to 4");
    expectFailure(decode([1n, 2n, 3n, 4n, 5n]), "from 1 to 4");
  });

  test("children of an interior node end at multiples of their stride, within one block", () => {
    const decode =
      (height: number, generations: readonly bigint[], numGenerations = 1n) =>
      () =>
        decodeVersionNodeBody(
          encodeVersionNodeBody({
            arityLog2: 2,
            height,
            children: generations.map((generation) => ({
              generation,
              location: { file: FILE, offset: 0, length: 9 },
              numGenerations,
              arityLog2: 2,
              commitTime: 1n,
              height: height - 1,
            })),
          }),
        );
    expect(decode(2, [80n, 128n])()).toMatchObject({ height: 2 });
    expectFailure(decode(1, [6n]), "no multiple of 4");
    expectFailure(decode(1, [16n, 20n]), "do not lie in one block");
    expectFailure(decode(1, [0n]), "no multiple of 4");
    expectFailure(decode(1, [4n], 5n), "claims 5 of 4");
    expectFailure(decode(31, [1n << 62n]), "at most 30");
    expectFailure(decode(1, [4n, 8n, 12n, 16n, 20n]), "holds 5 version-tree nodes, at most 4");
  });

  test("the ranges of a manifest's version-tree nodes cover all older generations without gaps", () => {
    for (const arityLog2 of [1, 2, 4]) {
      for (let latest = 1n; latest < 300n; latest++) {
        const inlineFirst = latest - ((latest - 1n) % BigInt(2 ** arityLog2));
        let expected = inlineFirst - 1n;
        for (const { height, first, last } of manifestReferenceRanges(latest, arityLog2)) {
          if (first <= last) expect(last).toBe(expected);
          expected = first - 1n;
          expect(last - first + 1n).toBeLessThanOrEqual(BigInt(2 ** (arityLog2 * (height + 1))));
        }
        expect(expected).toBe(0n);
      }
    }
  });
});

describe("the manifest", () => {
  test("survives with every kind of configuration", async () => {
    for (const compression of [null, { id: "zstd", level: -131_072 }, { id: "zstd", level: 22 }] as const) {
      for (const versionTreeArityLog2 of [1, 16]) {
        const config: Config = { ...CONFIG, compression, versionTreeArityLog2, maxDecodedNodeBytes: 0xffff_ffff };
        const manifest = { config, versions: [version(1n), version(2n)], versionNodes: [] };
        expect(await decodeManifest(await encodeManifest(manifest))).toEqual(manifest);
      }
    }
  });

  test("of a numbered database is its configuration, and a file a version whose name must be right", async () => {
    const config: Config = { ...CONFIG, manifestKind: "numbered" };
    const bare = { config, versions: [], versionNodes: [] };
    expect(await decodeManifest(await encodeManifest(bare))).toEqual(bare);
    const full = { config, versions: [version(11n)], versionNodes: [] };
    const bytes = await encodeManifest(full);
    expect(await decodeManifest(bytes, { numbered: 11n })).toEqual(full);
    await expect(decodeManifest(bytes, { numbered: 12n })).rejects.toSatisfy(failing("corrupt", "its name says 12"));
    expect(numberedManifestKey(11n)).toBe("manifest.000000000000000b");
    expect(parseNumberedManifestKey("manifest.000000000000000b")).toBe(11n);
    for (const key of [
      "manifest.ocdbt",
      "manifest.b",
      "manifest.000000000000000B",
      "manifest.000000000000000b.__lock",
    ]) {
      expect(parseNumberedManifestKey(key)).toBeUndefined();
    }
  });

  test("refuses values out of their range, written or read", async () => {
    const versions = [version(1n)];
    for (const [change, name] of [
      [{ maxInlineValueBytes: 2 ** 20 + 1 }, "max_inline_value_bytes"],
      [{ maxDecodedNodeBytes: 2 ** 32 }, "max_decoded_node_bytes"],
      [{ versionTreeArityLog2: 17 }, "version_tree_arity_log2"],
      [{ compression: { id: "zstd", level: 23 } }, "compression.level"],
      [{ uuid: "0102" }, "uuid"],
    ] as const) {
      const manifest = { config: { ...CONFIG, ...change }, versions, versionNodes: [] };
      await expect(encodeManifest(manifest)).rejects.toSatisfy(failing("bad-spec", name));
    }
    const body = encodeManifestBody({ config: CONFIG, versions, versionNodes: [] });
    expectFailure(() => decodeManifestBody(withByte(body, 16, 2)), "manifest kind 2");
    expectFailure(() => decodeManifestBody(withByte(body, 22, 0)), "arity of 2^0");
    expectFailure(() => decodeManifestBody(withByte(body, 23, 7)), "compression method 7");
  });

  test("refers to version-tree nodes of falling heights, each in the range of its height", () => {
    const reference = (generation: bigint, height: number) => ({
      generation,
      location: { file: FILE, offset: 0, length: 9 },
      numGenerations: 1n,
      arityLog2: 2,
      commitTime: 1n,
      height,
    });
    const decode = (latest: bigint, references: readonly (readonly [bigint, number])[]) => () =>
      decodeManifestBody(
        encodeManifestBody({
          config: CONFIG,
          versions: [version(latest)],
          versionNodes: references.map(([generation, height]) => reference(generation, height)),
        }),
      );
    // Newest 21: the block of 21, then 17–20 at height 1, 1–16 at height 2.
    expect(
      decode(21n, [
        [16n, 2],
        [20n, 1],
      ])(),
    ).toMatchObject({ versions: [{ generation: 21n }] });
    expect(decode(21n, [[16n, 2]])()).toMatchObject({ versionNodes: [{ height: 2 }] });
    expectFailure(
      decode(21n, [
        [20n, 1],
        [16n, 2],
      ]),
      "follows",
    );
    expectFailure(decode(21n, [[16n, 1]]), "17 to 20 are legal");
    expectFailure(decode(21n, [[20n, 3]]), "none is legal");
    expectFailure(decode(21n, [[20n, 0]]), "follows none");
  });
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = value;
  return changed;
}

/** The envelope with its checksum put right. */
function resealed(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  let crc = ~0;
  for (const byte of changed.subarray(0, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  new DataView(changed.buffer).setUint32(changed.length - 4, ~crc >>> 0, true);
  return changed;
}
