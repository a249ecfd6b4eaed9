/**
 * Encoding `compressed_segmentation`: blocks of bit-packed indices into tables of labels; the kernels do the work.
 * @module
 */
import {
  decodeCompressedSegmentation as decode,
  encodeCompressedSegmentation as encode,
} from "@pcg/kernels/compressed-segmentation";
import type { Xyz } from "../chunk-grid.ts";
import { bytesPerVoxel, type ChunkArray, type DataType } from "../data-type.ts";
import { corrupt } from "../errors.ts";

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
  } catch (cause) {
    throw corrupt(`compressed_segmentation chunk: ${(cause as Error).message}`, { length: bytes.length }, cause);
  }
}

/** Most bytes an encoder can need: every block with 32-bit indices and a table of its own. */
export function maxCompressedSegmentationBytes(dataType: DataType, size: Xyz, channels: number, block: Xyz): number {
  const blocks = size.reduce((product, n, axis) => product * Math.ceil(n / block[axis]!), 1);
  const blockVoxels = block[0] * block[1] * block[2];
  return 4 * channels + channels * blocks * (8 + blockVoxels * (4 + bytesPerVoxel(dataType)));
}
