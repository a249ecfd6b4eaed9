/**
 * Encoding `raw`: the little-endian voxels themselves.
 * @module
 */
import type { Xyz } from "../chunk-grid.ts";
import {
  bytesOfVoxels,
  bytesPerVoxel,
  type ChunkArray,
  type DataType,
  viewVoxels,
  voxelsFromBytes,
} from "../data-type.ts";
import { corrupt } from "../errors.ts";
import { type FillPiece, filledWhole, type TakePiece, takeWhole } from "./piece.ts";

export function encodeRaw(data: ChunkArray): Uint8Array {
  return bytesOfVoxels(data).slice();
}

export function encodeRawPieces(dataType: DataType, size: Xyz, channels: number, fill: FillPiece): Uint8Array {
  return bytesOfVoxels(filledWhole(dataType, size, channels, fill));
}

export function decodeRaw(bytes: Uint8Array, dataType: DataType, voxels: number): ChunkArray {
  checkRaw(bytes, dataType, voxels);
  return voxelsFromBytes(dataType, bytes);
}

/** Pieces are views of `bytes`. */
export function decodeRawPieces(
  bytes: Uint8Array,
  dataType: DataType,
  size: Xyz,
  channels: number,
  take: TakePiece,
): void {
  checkRaw(bytes, dataType, size[0] * size[1] * size[2] * channels);
  takeWhole(viewVoxels(dataType, bytes), size, channels, take);
}

function checkRaw(bytes: Uint8Array, dataType: DataType, voxels: number): void {
  const wanted = voxels * bytesPerVoxel(dataType);
  if (bytes.length === wanted) return;
  throw corrupt(`raw chunk of ${bytes.length} bytes; ${voxels} voxels of ${dataType} are ${wanted}`, {
    length: bytes.length,
    wanted,
  });
}
