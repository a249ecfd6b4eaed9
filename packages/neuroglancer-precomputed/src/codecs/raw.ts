/**
 * Encoding `raw`: the little-endian voxels themselves.
 * @module
 */
import { bytesOfVoxels, bytesPerVoxel, type ChunkArray, type DataType, voxelsFromBytes } from "../data-type.ts";
import { corrupt } from "../errors.ts";

export function encodeRaw(data: ChunkArray): Uint8Array {
  return bytesOfVoxels(data).slice();
}

export function decodeRaw(bytes: Uint8Array, dataType: DataType, voxels: number): ChunkArray {
  const wanted = voxels * bytesPerVoxel(dataType);
  if (bytes.length !== wanted) {
    throw corrupt(`raw chunk of ${bytes.length} bytes; ${voxels} voxels of ${dataType} are ${wanted}`, {
      length: bytes.length,
      wanted,
    });
  }
  return voxelsFromBytes(dataType, bytes);
}
