/**
 * Encoding compressed_segmentation, from labels or from indices into a table of labels.
 * @module
 */
import { type Layout, layoutOf, type Slab, slabBytes, slabs } from "./compressed-segmentation-layout.ts";
import { KernelError } from "./error.ts";
import { renumber } from "./renumber.ts";
import { checkLength, type Size } from "./volume.ts";
import { wasm as encodeWasm } from "./wasm/compressed-segmentation-encode.wasm.ts";
import { align, bytesOf, heap, kernel, outOfMemory } from "./workspace.ts";

type EncodeSlab = (slab: number, rows: number, depth: number, header: number) => number;

interface EncodeKernel {
  start(sx: number, bx: number, by: number, bz: number, scratch: number, hashSlots: number): void;
  startChannel(channel: number, blocks: number, known: number, knownSlots: number): number;
  encodeU32: EncodeSlab;
  encodeU64: EncodeSlab;
  encodeRanks(slab: number, rows: number, depth: number, header: number, table: number): number;
  finish(): number;
}

/** Status codes of the kernel. */
const NO_MEMORY = 1;
const OFFSET_TOO_LARGE = 2;

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
  const width = labels.BYTES_PER_ELEMENT;
  const from = bytesOf(labels);
  const [sx, sy] = layout.size;
  return encode(layout, width, 0, (wasm) => {
    const encodeSlab = labels instanceof Uint32Array ? wasm.encodeU32 : wasm.encodeU64;
    return (slab, channel) => {
      const memory = heap();
      const start = (channel * layout.voxels + sx * (slab.y + sy * slab.z)) * width;
      const plane = sx * slab.rows * width;
      for (let k = 0; k < slab.depth; k++) {
        const at = start + k * sx * sy * width;
        memory.set(from.subarray(at, at + plane), k * plane);
      }
      return encodeSlab(0, slab.rows, slab.depth, slab.header);
    };
  });
}

/**
 * Encodes one channel of uint64 labels given as indices into `table`, to the same bytes as the labels themselves would
 * give. The table may be in any order and may repeat labels. Errors and memory as {@link encodeCompressedSegmentation}, and
 * 12 bytes per entry of the table.
 */
export function encodeCompressedSegmentationIndexed(
  indices: Uint32Array,
  table: BigUint64Array,
  size: Size,
  blockSize: Size,
): Uint8Array {
  const layout = layoutOf(size, 1, blockSize);
  checkLength("indices", indices.length, size);
  // Blocks sort their tables by rank, so equal labels must be one rank and ranks must ascend as labels do.
  const { indices: rankOf, labels: ascending } = renumber(table);
  const [sx, sy] = layout.size;
  return encode(layout, 4, ascending.length * 8, (wasm, tableAt) => {
    heap().set(bytesOf(ascending), tableAt);
    return (slab) => {
      const ranks = new Uint32Array(heap().buffer, 0, sx * slab.rows * slab.depth);
      const plane = sx * slab.rows;
      for (let k = 0; k < slab.depth; k++) {
        const start = sx * (slab.y + sy * (slab.z + k));
        translate(indices, start, ranks, k * plane, plane, rankOf);
      }
      return wasm.encodeRanks(0, slab.rows, slab.depth, slab.header, tableAt);
    };
  });
}

function translate(
  indices: Uint32Array,
  start: number,
  ranks: Uint32Array,
  to: number,
  n: number,
  rankOf: Uint32Array,
): void {
  for (let i = 0; i < n; i++) {
    const index = indices[start + i]!;
    if (index >= rankOf.length) {
      throw new RangeError(`indices[${start + i}] is ${index}, beyond the table's ${rankOf.length} labels`);
    }
    ranks[to + i] = rankOf[index]!;
  }
}

/** Encodes all channels; `begin` returns what encodes a slab, and may fill `extra` bytes that it is given the address of. */
function encode(
  layout: Layout,
  width: number,
  extra: number,
  begin: (wasm: EncodeKernel, extraAt: number) => (slab: Slab, channel: number) => number,
): Uint8Array {
  const [bx, by, bz] = layout.block;
  const blockVoxels = bx * by * bz;
  const hashSlots = powerOfTwo(2 * blockVoxels);
  const knownSlots = powerOfTwo(2 * layout.blocks);
  const scratch = align(slabBytes(layout, width));
  const known = align(scratch + blockVoxels * 16 + 4 + align(blockVoxels + 32) * 4 + hashSlots * 4);
  const extraAt = known + knownSlots * 16;
  const out = align(extraAt + extra);
  const wasm = kernel<EncodeKernel>(encodeWasm, out + layout.channels * 4);
  const encodeSlab = begin(wasm, extraAt);
  wasm.start(layout.size[0], bx, by, bz, scratch, hashSlots);
  let end = out + layout.channels * 4;
  for (let channel = 0; channel < layout.channels; channel++) {
    new DataView(heap().buffer).setUint32(out + channel * 4, (end - out) / 4, true);
    let status = wasm.startChannel(end, layout.blocks, known, knownSlots);
    for (const slab of slabs(layout, width)) {
      if (status === 0) status = encodeSlab(slab, channel);
    }
    end = wasm.finish() >>> 0;
    if (status === NO_MEMORY) throw outOfMemory(end);
    if (status === OFFSET_TOO_LARGE) {
      throw new KernelError(
        "TOO_LARGE",
        `compressed_segmentation: channel ${channel} of ${layout.size.join("×")} voxels passes the format's limit of ` +
          "2^24 words (64 MiB); write smaller chunks",
        { channel, limit: 2 ** 24 },
      );
    }
  }
  return heap().slice(out, end);
}

function powerOfTwo(least: number): number {
  let value = 16;
  while (value < least) value *= 2;
  return value;
}
