import {
  decodeCompressedSegmentationOracle,
  encodeCompressedSegmentationOracle,
} from "./oracle/compressed-segmentation.ts";
import { applyTable, renumber } from "./renumber.ts";
import type { Size } from "./volume.ts";

export function encodeCompressedSegmentation(
  labels: Uint32Array | BigUint64Array,
  size: Size,
  channels: number,
  blockSize: Size,
): Uint8Array {
  return encodeCompressedSegmentationOracle(labels, size, channels, blockSize);
}

export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32",
): Uint32Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint64",
): BigUint64Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
): Uint32Array | BigUint64Array;
export function decodeCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  dtype: "uint32" | "uint64",
): Uint32Array | BigUint64Array {
  return decodeCompressedSegmentationOracle(bytes, size, channels, blockSize, dtype);
}

export function encodeCompressedSegmentationIndexed(
  indices: Uint32Array,
  table: BigUint64Array,
  size: Size,
  blockSize: Size,
): Uint8Array {
  return encodeCompressedSegmentation(applyTable(indices, table), size, 1, blockSize);
}

export function decodeCompressedSegmentationIndexed(
  bytes: Uint8Array,
  size: Size,
  blockSize: Size,
): { indices: Uint32Array; table: BigUint64Array } {
  const { indices, labels } = renumber(decodeCompressedSegmentation(bytes, size, 1, blockSize, "uint64"));
  return { indices, table: labels };
}

export function remapCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  map: (labels: BigUint64Array) => BigUint64Array,
): Uint8Array {
  const labels = decodeCompressedSegmentation(bytes, size, channels, blockSize, "uint64");
  const { indices, labels: table } = renumber(labels);
  return encodeCompressedSegmentation(applyTable(indices, map(table)), size, channels, blockSize);
}
