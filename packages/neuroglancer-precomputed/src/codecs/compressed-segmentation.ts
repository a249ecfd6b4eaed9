/**
 * Encoding `compressed_segmentation`: blocks of bit-packed indices into tables of labels; the kernels do the work.
 * @module
 */
import { isKernelError } from "@pcg/kernels";
import {
  decodeCompressedSegmentation as decode,
  decodeCompressedSegmentationRow as decodeRow,
  encodeCompressedSegmentation as encode,
  encodeCompressedSegmentationSlabs as encodeSlabs,
  type LabelSlab,
} from "@pcg/kernels/compressed-segmentation";
import type { Box, Xyz } from "../chunk-grid.ts";
import { bytesPerVoxel, type ChunkArray, type DataType } from "../data-type.ts";
import { corrupt } from "../errors.ts";
import type { EncodedChunk, FillPiece, TakePiece } from "./piece.ts";

export function encodeCompressedSegmentation(data: ChunkArray, size: Xyz, channels: number, block: Xyz): Uint8Array {
  return encode(data as Uint32Array | BigUint64Array, size, channels, block);
}

export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  dataType: DataType,
  size: Xyz,
  channels: number,
  block: Xyz,
): ChunkArray {
  try {
    return decode(bytes, size, channels, block, dataType as "uint32" | "uint64");
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** Pieces are rows of blocks through all chunks, in the kernels' memory; those outside `within` are not decoded. */
export function decodeCompressedSegmentationRow(
  row: readonly EncodedChunk[],
  dataType: DataType,
  channels: number,
  block: Xyz,
  within: Box,
  take: TakePiece,
): void {
  const takeSlab = ({ labels, ...place }: LabelSlab): void => take({ voxels: labels, ...place });
  try {
    decodeRow(row, channels, block, dataType as "uint32" | "uint64", takeSlab, within);
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** Pieces are rows of blocks in the kernels' memory. */
export function encodeCompressedSegmentationPieces(
  dataType: DataType,
  size: Xyz,
  channels: number,
  block: Xyz,
  fill: FillPiece,
): Uint8Array {
  return encodeSlabs(size, channels, block, dataType as "uint32" | "uint64", ({ labels, ...place }) =>
    fill({ voxels: labels, ...place }),
  );
}

/** The kernel's verdict on bytes as ours; what else went wrong, be it in the caller's function, unchanged. */
function asCorrupt(error: unknown): unknown {
  if (!isKernelError(error, "CORRUPT")) return error;
  return corrupt(`compressed_segmentation chunk: ${error.message}`, error.fields, error);
}

/** Most bytes an encoder can need: every block with 32-bit indices and a table of its own. */
export function maxCompressedSegmentationBytes(dataType: DataType, size: Xyz, channels: number, block: Xyz): number {
  const blocks = size.reduce((product, n, axis) => product * Math.ceil(n / block[axis]!), 1);
  const blockVoxels = block[0] * block[1] * block[2];
  return 4 * channels + channels * blocks * (8 + blockVoxels * (4 + bytesPerVoxel(dataType)));
}
