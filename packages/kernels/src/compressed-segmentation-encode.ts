/**
 * Encoding compressed_segmentation, from labels or from indices into a table of labels.
 * @module
 */
import { type Layout, layoutOf, type Slab, slabBytes, slabs } from "./compressed-segmentation-layout.ts";
import { type LabelSlab, labelSlab } from "./compressed-segmentation-slab.ts";
import { KernelError } from "./error.ts";
import { checkLength, type Size } from "./volume.ts";
import { wasm as encodeWasm } from "./wasm/compressed-segmentation-encode.wasm.ts";
import { align, bytesOf, heap, kernel, outOfMemory } from "./workspace.ts";

type EncodeSlab = (slab: number, rows: number, depth: number, header: number) => number;

interface EncodeKernel {
  start(sx: number, bx: number, by: number, bz: number, scratch: number, hashSlots: number): void;
  startChannel(channel: number, blocks: number, known: number, knownSlots: number): number;
  encodeU32: EncodeSlab;
  encodeU64: EncodeSlab;
  encodeIndices(slab: number, rows: number, depth: number, header: number, table: number, entries: number): number;
  finish(): number;
}

/** Status codes of the kernel. */
const NO_MEMORY = 1;
const OFFSET_TOO_LARGE = 2;
const INDEX_PAST_TABLE = 3;

const noTable: BigUint64Array = new BigUint64Array(0);

/**
 * Encodes labels (x fastest, then y, z, channel). Equal labels give equal bytes: tables ascend, and identical tables of a
 * channel are stored once. KernelError TOO_LARGE when a channel passes the format's 2^24 words (64 MiB). Peak memory beside
 * input and result: the encoded bytes, a slab of 256 KiB (one row of blocks, if that is more), 32 to 64 bytes per block,
 * and about 32 bytes per voxel of one block.
 *
 * @example
 * const bytes = encodeCompressedSegmentation(labels, [64, 64, 64], 1, [8, 8, 8]);
 */
export function encodeCompressedSegmentation(
  labels: Uint32Array | BigUint64Array,
  size: Size,
  channels: number,
  blockSize: Size,
): Uint8Array {
  const layout = layoutOf(size, channels, blockSize);
  checkLength("labels", labels.length, size, channels);
  if (!(labels instanceof Uint32Array) && !(labels instanceof BigUint64Array)) {
    throw new TypeError(
      "compressed_segmentation holds uint32 or uint64: labels must be a Uint32Array or BigUint64Array",
    );
  }
  const width = labels instanceof Uint32Array ? 4 : 8;
  return encode(layout, width, noTable, copySlabIn(layout, bytesOf(labels), width), (wasm) =>
    width === 4 ? wasm.encodeU32 : wasm.encodeU64,
  );
}

/**
 * Encodes labels that the caller has in a place of its own: `fill` writes them slab after slab into memory that stays in
 * the processor's cache. Gives the bytes that {@link encodeCompressedSegmentation} gives, with its errors and memory.
 *
 * @param fill must set every label of the slab it is given, a view that holds until it returns; it must not call a kernel
 */
export function encodeCompressedSegmentationSlabs(
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
  fill: (slab: LabelSlab) => void,
): Uint8Array {
  const layout = layoutOf(size, channels, blockSize);
  const width = dtype === "uint32" ? 4 : 8;
  return encode(
    layout,
    width,
    noTable,
    (slab, channel) => fill(labelSlab(layout, slab, channel, width)),
    (wasm) => (width === 4 ? wasm.encodeU32 : wasm.encodeU64),
  );
}

/**
 * Encodes one channel of uint64 labels given as indices into `table`, to the same bytes as the labels themselves would
 * give. The table may be in any order and may repeat labels. Errors and memory as {@link encodeCompressedSegmentation}, and
 * 8 bytes per entry of the table.
 */
export function encodeCompressedSegmentationIndexed(
  indices: Uint32Array,
  table: BigUint64Array,
  size: Size,
  blockSize: Size,
): Uint8Array {
  const layout = layoutOf(size, 1, blockSize);
  checkLength("indices", indices.length, size);
  const fill = copySlabIn(layout, bytesOf(indices), 4);
  return encode(layout, 4, table, fill, (wasm, tableAt) => (slab, rows, depth, header) => {
    const status = wasm.encodeIndices(slab, rows, depth, header, tableAt, table.length);
    if (status === INDEX_PAST_TABLE) throw beyondTable(indices, table.length);
    return status;
  });
}

function beyondTable(indices: Uint32Array, length: number): RangeError {
  const i = indices.findIndex((index) => index >= length);
  return new RangeError(`indices[${i}] is ${indices[i]}, beyond the table's ${length} labels`);
}

/**
 * Encodes all channels; `fill` puts the voxels of a slab at the start of memory, `choose` gives what encodes them, and is
 * told where `table` lies in memory.
 */
function encode(
  layout: Layout,
  width: 4 | 8,
  table: BigUint64Array,
  fill: (slab: Slab, channel: number) => void,
  choose: (wasm: EncodeKernel, tableAt: number) => EncodeSlab,
): Uint8Array {
  const [bx, by, bz] = layout.block;
  const blockVoxels = bx * by * bz;
  const hashSlots = powerOfTwo(2 * blockVoxels);
  const knownSlots = powerOfTwo(2 * layout.blocks);
  const scratch = align(slabBytes(layout, width));
  const known = align(scratch + blockVoxels * 16 + 4 + align(blockVoxels + 32) * 4 + hashSlots * 4);
  const tableAt = known + knownSlots * 16;
  const out = align(tableAt + table.byteLength);
  const wasm = kernel<EncodeKernel>(encodeWasm, out + layout.channels * 4);
  const encodeSlab = choose(wasm, tableAt);
  heap().set(bytesOf(table), tableAt);
  wasm.start(layout.size[0], bx, by, bz, scratch, hashSlots);
  let end = out + layout.channels * 4;
  for (let channel = 0; channel < layout.channels; channel++) {
    new DataView(heap().buffer).setUint32(out + channel * 4, (end - out) / 4, true);
    let status = wasm.startChannel(end, layout.blocks, known, knownSlots);
    for (const slab of slabs(layout, width)) {
      if (status !== 0) break;
      fill(slab, channel);
      status = encodeSlab(0, slab.rows, slab.depth, slab.header);
    }
    end = wasm.finish() >>> 0;
    if (status === NO_MEMORY) throw outOfMemory(end);
    if (status === OFFSET_TOO_LARGE) throw tooManyWords(layout, channel);
  }
  return heap().slice(out, end);
}

/** What puts slabs of `source`, the bytes of all channels, at the start of memory. */
function copySlabIn(layout: Layout, source: Uint8Array, width: number): (slab: Slab, channel: number) => void {
  const [sx, sy] = layout.size;
  return (slab, channel) => {
    const memory = heap();
    const start = (channel * layout.voxels + sx * (slab.y + sy * slab.z)) * width;
    const plane = sx * slab.rows * width;
    for (let k = 0; k < slab.depth; k++) {
      const at = start + k * sx * sy * width;
      memory.set(source.subarray(at, at + plane), k * plane);
    }
  };
}

function tooManyWords(layout: Layout, channel: number): KernelError {
  return new KernelError(
    "TOO_LARGE",
    `compressed_segmentation: channel ${channel} of ${layout.size.join("×")} voxels passes the format's limit of ` +
      "2^24 words (64 MiB); write smaller chunks",
    { channel, limit: 2 ** 24 },
  );
}

function powerOfTwo(least: number): number {
  let value = 16;
  while (value < least) value *= 2;
  return value;
}
