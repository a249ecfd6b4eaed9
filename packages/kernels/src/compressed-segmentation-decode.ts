/**
 * Decoding compressed_segmentation: to labels, to indices into a table, or only to where its labels lie.
 * @module
 */
import { type Layout, layoutOf, type Slab, slabBytes, slabs } from "./compressed-segmentation-layout.ts";
import { KernelError } from "./error.ts";
import { renumber } from "./renumber.ts";
import { checkLength, type Size } from "./volume.ts";
import { wasm as decodeWasm } from "./wasm/compressed-segmentation-decode.wasm.ts";
import { align, bytesOf, heap, kernel } from "./workspace.ts";

type DecodeSlab = (base: number, header: number, out: number, rows: number, depth: number) => number;

export interface DecodeKernel {
  start(encoded: number, words: number, sx: number, pitch: number, bx: number, by: number, bz: number): void;
  decodeU32: DecodeSlab;
  decodeU64: DecodeSlab;
  decodeRanks(ranks: number, base: number, header: number, out: number, rows: number, depth: number): number;
  mark(marks: number, base: number, header: number, rows: number, depth: number): number;
  failedBlock(): number;
}

/**
 * Decodes `bytes` to the labels of `size` voxels (x fastest, then y, z, channel). KernelError CORRUPT, which names block and
 * limit, when the bytes contradict the format; they may come from anywhere. Peak memory beside input and result: the
 * encoded bytes once more and a slab of 256 KiB (one row of blocks, if that is more).
 *
 * With `out`, labels go there and nothing is allocated: several times faster for many chunks in a row, as taking and
 * returning memory costs more than decoding. After an error its content is undefined.
 *
 * @example
 * const labels = decodeCompressedSegmentation(bytes, [64, 64, 64], 1, [8, 8, 8], "uint64");
 */
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32",
  out?: Uint32Array,
): Uint32Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint64",
  out?: BigUint64Array,
): BigUint64Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
  out?: Uint32Array | BigUint64Array,
): Uint32Array | BigUint64Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
  out?: Uint32Array | BigUint64Array,
): Uint32Array | BigUint64Array {
  if (dtype !== "uint32" && dtype !== "uint64") {
    throw new TypeError(`compressed_segmentation holds uint32 or uint64, got ${dtype}`);
  }
  const layout = layoutOf(size, channels, blockSize);
  const bases = channelBases(bytes, layout);
  const voxels = layout.voxels * channels;
  const labels = out ?? (dtype === "uint32" ? new Uint32Array(voxels) : new BigUint64Array(voxels));
  checkLength("out", labels.length, size, channels);
  if (labels.BYTES_PER_ELEMENT !== (dtype === "uint32" ? 4 : 8)) throw new TypeError(`out does not hold ${dtype}`);
  const width = dtype === "uint32" ? 4 : 8;
  const wasm = load(bytes, layout, slabBytes(layout, width), 0);
  const decode = dtype === "uint32" ? wasm.decodeU32 : wasm.decodeU64;
  decodeChannels(
    wasm,
    layout,
    bases,
    width,
    (base, slab) => decode(base, slab.header, 0, slab.rows, slab.depth),
    copySlabOut(layout, bytesOf(labels), width),
  );
  return labels;
}

/** Labels as indices into an ascending table. */
export interface IndexedLabels {
  /** Per voxel the place of its label in `table`. */
  readonly indices: Uint32Array;
  /** `table[0]` is 0, whether or not it occurs; then every other label that occurs, ascending. */
  readonly table: BigUint64Array;
}

/**
 * Decodes one channel of uint64 labels to what `renumber` of the labels gives, at half the memory and without looking at
 * each voxel's label. Errors as {@link decodeCompressedSegmentation}. Peak memory beside input and result: the encoded
 * bytes twice more and a slab of 256 KiB.
 */
export function decodeCompressedSegmentationIndexed(bytes: Uint8Array, size: Size, blockSize: Size): IndexedLabels {
  const layout = layoutOf(size, 1, blockSize);
  const bases = channelBases(bytes, layout);
  const entries = usedEntries(markWords(bytes, layout));
  const { indices: rankOfEntry, labels: table } = renumber(labelsAt(bytes, entries));

  const out = slabBytes(layout, 4);
  const wasm = load(bytes, layout, out, bytes.length);
  const ranks = align(align(out) + bytes.length);
  const rankOfWord = new Uint32Array(heap().buffer, ranks, bytes.length >>> 2);
  for (let i = 0; i < entries.length; i++) rankOfWord[entries[i]!] = rankOfEntry[i]!;
  const indices = new Uint32Array(layout.voxels);
  decodeChannels(
    wasm,
    layout,
    bases,
    4,
    (base, slab) => wasm.decodeRanks(ranks, base, slab.header, 0, slab.rows, slab.depth),
    copySlabOut(layout, bytesOf(indices), 4),
  );
  return { indices, table };
}

/** The flag of a word that is the lower half of a used table entry. */
const WORD_ENTRY_LOW = 4;

/**
 * The uses of every word of uint64 chunks: 1 header, 2 values, 4 and 8 the words of a table entry that some voxel uses.
 * Validates all that decoding would.
 */
export function markWords(bytes: Uint8Array, layout: Layout): Uint8Array {
  const bases = channelBases(bytes, layout);
  const words = bytes.length >>> 2;
  const wasm = load(bytes, layout, 0, words);
  const marks = align(bytes.length);
  heap().fill(0, marks, marks + words);
  bases.forEach((base, channel) => {
    // The channel offsets at the very start are headers too.
    heap()[marks + channel] = 1;
    for (const slab of slabs(layout, 8)) {
      const status = wasm.mark(marks, base, slab.header, slab.rows, slab.depth);
      if (status !== 0) throw corrupt(status, layout, channel, slab, wasm.failedBlock());
    }
  });
  return heap().slice(marks, marks + words);
}

/** The words at which a used table entry begins. */
export function usedEntries(marks: Uint8Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < marks.length; i++) count += (marks[i]! & WORD_ENTRY_LOW) >>> 2;
  const entries = new Uint32Array(count);
  for (let i = 0, n = 0; i < marks.length; i++) if ((marks[i]! & WORD_ENTRY_LOW) !== 0) entries[n++] = i;
  return entries;
}

/** The labels of table entries that begin at these words. */
export function labelsAt(bytes: Uint8Array, entries: Uint32Array): BigUint64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const labels = new BigUint64Array(entries.length);
  for (let i = 0; i < entries.length; i++) labels[i] = view.getBigUint64(entries[i]! * 4, true);
  return labels;
}

/** The word at which each channel begins, checked so that all block headers lie inside. */
export function channelBases(bytes: Uint8Array, layout: Layout): number[] {
  const words = bytes.length / 4;
  if (!Number.isInteger(words)) {
    throw new KernelError("CORRUPT", `compressed_segmentation: ${bytes.length} bytes are no multiple of 4`, {
      length: bytes.length,
    });
  }
  if (layout.voxels === 0) return [];
  if (words < layout.channels) {
    throw new KernelError(
      "CORRUPT",
      `compressed_segmentation: ${words} words cannot hold the offsets of ${layout.channels} channels`,
      { words, channels: layout.channels },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: layout.channels }, (_, channel) => {
    const base = view.getUint32(channel * 4, true);
    if (base + 2 * layout.blocks > words) {
      throw new KernelError(
        "CORRUPT",
        `compressed_segmentation: channel ${channel} begins at word ${base} and has ${layout.blocks} block headers, ` +
          `past the end of ${words} words; check the chunk's size and block size`,
        { channel, base, blocks: layout.blocks, words },
      );
    }
    return base;
  });
}

/** A kernel with `bytes` in memory behind `out` bytes of slab, and `extra` bytes behind that. */
function load(bytes: Uint8Array, layout: Layout, out: number, extra: number): DecodeKernel {
  const encoded = align(out);
  const wasm = kernel<DecodeKernel>(decodeWasm, align(encoded + bytes.length) + extra + 16);
  heap().set(bytes, encoded);
  wasm.start(encoded, bytes.length >>> 2, layout.size[0], layout.size[0], ...layout.block);
  return wasm;
}

/** Decodes the slabs of all channels to the start of memory, and hands on each. */
function decodeChannels(
  wasm: DecodeKernel,
  layout: Layout,
  bases: readonly number[],
  width: 4 | 8,
  decode: (base: number, slab: Slab) => number,
  take: (slab: Slab, channel: number) => void,
): void {
  bases.forEach((base, channel) => {
    for (const slab of slabs(layout, width)) {
      const status = decode(base, slab);
      if (status !== 0) throw corrupt(status, layout, channel, slab, wasm.failedBlock());
      take(slab, channel);
    }
  });
}

/** What puts decoded slabs where they belong in `target`, the bytes of all channels. */
function copySlabOut(layout: Layout, target: Uint8Array, width: number): (slab: Slab, channel: number) => void {
  const [sx, sy] = layout.size;
  const memory = heap();
  return (slab, channel) => {
    const start = (channel * layout.voxels + sx * (slab.y + sy * slab.z)) * width;
    const plane = sx * slab.rows * width;
    if (slab.rows === sy) {
      target.set(memory.subarray(0, plane * slab.depth), start);
      return;
    }
    for (let k = 0; k < slab.depth; k++) {
      target.set(memory.subarray(k * plane, (k + 1) * plane), start + k * sx * sy * width);
    }
  };
}

const REASONS: readonly string[] = [
  "",
  "has a number of bits other than 0, 1, 2, 4, 8, 16 or 32",
  "has values past the end",
  "has a voxel whose table entry lies past the end",
];

export function corrupt(status: number, layout: Layout, channel: number, slab: Slab, failed: number): KernelError {
  const block = slab.header / 2 + failed;
  const [gx, gy] = layout.grid;
  const at = [block % gx, Math.floor(block / gx) % gy, Math.floor(block / (gx * gy))];
  return new KernelError(
    "CORRUPT",
    `compressed_segmentation: block (${at.join(", ")}) of channel ${channel} ${REASONS[status]}`,
    { channel, block },
  );
}
