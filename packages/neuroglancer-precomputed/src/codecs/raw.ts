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
import { type FillPiece, filledWhole } from "./piece.ts";

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

/** The voxels as a view of `bytes` where these are aligned, for a caller that copies them. */
export function viewRaw(bytes: Uint8Array, dataType: DataType, voxels: number): ChunkArray {
  checkRaw(bytes, dataType, voxels);
  return viewVoxels(dataType, bytes);
}

function checkRaw(bytes: Uint8Array, dataType: DataType, voxels: number): void {
  const wanted = voxels * bytesPerVoxel(dataType);
  if (bytes.length === wanted) return;
  throw corrupt(`raw chunk of ${bytes.length} bytes; ${voxels} voxels of ${dataType} are ${wanted}`, {
    length: bytes.length,
    wanted,
  });
}
