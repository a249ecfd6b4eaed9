/**
 * Decoding chunks that lie side by side, together: in an array that holds them all, rows of voxels that run through several
 * chunks are copied several times faster than the short rows of one.
 * @module
 */
import { channelBases, corrupt, type DecodeKernel } from "./compressed-segmentation-decode.ts";
import { type Layout, layoutOf, type Slab, slabBytes, slabs } from "./compressed-segmentation-layout.ts";
import { type LabelSlab, labelSlab } from "./compressed-segmentation-slab.ts";
import { isKernelError, KernelError } from "./error.ts";
import type { Size } from "./volume.ts";
import { wasm as decodeWasm } from "./wasm/compressed-segmentation-decode.wasm.ts";
import { align, heap, kernel } from "./workspace.ts";

/** A chunk of a row. */
export interface EncodedChunk {
  readonly bytes: Uint8Array;
  /** Voxels; all chunks of a row have the same in y and z. */
  readonly size: Size;
}

/** A chunk in memory. */
interface LoadedChunk {
  readonly layout: Layout;
  readonly bases: readonly number[];
  readonly encoded: number;
  readonly words: number;
  /** Voxels of the row before it. */
  readonly x: number;
}

/**
 * Decodes chunks that lie side by side along x. `take` gets slab after slab, each with rows through all of the chunks, in
 * memory that stays in the processor's cache as long as the row of chunks is not long (512 voxels of uint64 in blocks of 8³ fill
 * 256 KiB); nothing is allocated per voxel. With `within`, only slabs that share a voxel with that box (in voxels of the row)
 * are decoded and checked. KernelError CORRUPT names block and limit, and in `fields.chunk` the chunk by its place in the row.
 *
 * @param take is given a view that holds until it returns; it must not call a kernel
 *
 * @example
 * const row = [left, right].map((bytes) => ({ bytes, size: [64, 64, 64] as const }));
 * decodeCompressedSegmentationRow(row, 1, [8, 8, 8], "uint64", ({ labels, begin, size }) => place(labels, begin, size));
 */
export function decodeCompressedSegmentationRow(
  chunks: readonly EncodedChunk[],
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
  take: (slab: LabelSlab) => void,
  within?: { readonly begin: Size; readonly end: Size },
): void {
  const width = dtype === "uint32" ? 4 : 8;
  const row = layoutOf(rowSize(chunks), channels, blockSize);
  const { wasm, loaded } = load(chunks, row, slabBytes(row, width));
  const decode = dtype === "uint32" ? wasm.decodeU32 : wasm.decodeU64;
  for (let channel = 0; channel < channels; channel++) {
    for (const slab of slabs(row, width)) {
      if (within !== undefined && !(shares(slab.y, slab.rows, within, 1) && shares(slab.z, slab.depth, within, 2))) {
        continue;
      }
      for (let i = 0; i < loaded.length; i++) {
        const { layout, bases, encoded, words, x } = loaded[i]!;
        const own: Slab = { ...slab, header: (slab.header / row.grid[0]) * layout.grid[0] };
        wasm.start(encoded, words, layout.size[0], row.size[0], ...layout.block);
        const status = decode(bases[channel]!, own.header, x * width, slab.rows, slab.depth);
        if (status !== 0) throw inChunk(i, corrupt(status, layout, channel, own, wasm.failedBlock()));
      }
      take(labelSlab(row, slab, channel, width));
    }
  }
}

function rowSize(chunks: readonly EncodedChunk[]): Size {
  const [, sy, sz] = chunks[0]?.size ?? [0, 0, 0];
  let sx = 0;
  for (const { size } of chunks) {
    if (size[1] !== sy || size[2] !== sz) {
      throw new RangeError(
        `chunks of a row have equal sizes in y and z, got ${chunks.map((chunk) => chunk.size.join("×"))}`,
      );
    }
    sx += size[0];
  }
  return [sx, sy, sz];
}

/** A kernel with all chunks in memory behind the slab. */
function load(
  chunks: readonly EncodedChunk[],
  row: Layout,
  slab: number,
): { wasm: DecodeKernel; loaded: readonly LoadedChunk[] } {
  let encoded = align(slab);
  let x = 0;
  const loaded = chunks.map(({ bytes, size }, i): LoadedChunk => {
    const layout = layoutOf(size, row.channels, row.block);
    try {
      const chunk = { layout, bases: channelBases(bytes, layout), encoded, words: bytes.length >>> 2, x };
      encoded += align(bytes.length) + 16;
      x += size[0];
      return chunk;
    } catch (error) {
      throw inChunk(i, error);
    }
  });
  const wasm = kernel<DecodeKernel>(decodeWasm, encoded);
  const memory = heap();
  chunks.forEach(({ bytes }, i) => {
    memory.set(bytes, loaded[i]!.encoded);
  });
  return { wasm, loaded };
}

function shares(
  first: number,
  count: number,
  within: { readonly begin: Size; readonly end: Size },
  axis: 1 | 2,
): boolean {
  return first < within.end[axis] && first + count > within.begin[axis];
}

/** The verdict on a chunk's bytes, with the chunk's place in the row. */
function inChunk(chunk: number, error: unknown): unknown {
  if (!isKernelError(error, "CORRUPT")) return error;
  return new KernelError("CORRUPT", error.message, { ...error.fields, chunk });
}
