/**
 * Chunks piece by piece, so that voxels go from and to the caller's own arrays without a whole chunk between them.
 * @module
 */
import type { Xyz } from "../chunk-grid.ts";
import { allocateVoxels, type ChunkArray, type DataType } from "../data-type.ts";

/** A dense box of one channel of a chunk, x fastest. */
export interface ChunkPiece {
  /** Valid until the function that was given the piece returns. */
  readonly voxels: ChunkArray;
  /** First voxel, counted in the chunk. */
  readonly begin: Xyz;
  readonly size: Xyz;
  readonly channel: number;
}

/** Copies a decoded piece to where it belongs. Must not decode or encode in turn. */
export type TakePiece = (piece: ChunkPiece) => void;

/** Sets every voxel of a piece that is to be encoded. Must not decode or encode in turn. */
export type FillPiece = (piece: ChunkPiece) => void;

/** Hands on a whole decoded chunk, one piece for each channel. */
export function takeWhole(voxels: ChunkArray, size: Xyz, channels: number, take: TakePiece): void {
  const count = size[0] * size[1] * size[2];
  for (let channel = 0; channel < channels; channel++) {
    const plane = channels === 1 ? voxels : voxels.subarray(channel * count, (channel + 1) * count);
    take({ voxels: plane, begin: [0, 0, 0], size, channel });
  }
}

/** A whole chunk as `fill` gives it. */
export function filledWhole(dataType: DataType, size: Xyz, channels: number, fill: FillPiece): ChunkArray {
  const voxels = allocateVoxels(dataType, size[0] * size[1] * size[2] * channels);
  takeWhole(voxels, size, channels, fill);
  return voxels;
}
