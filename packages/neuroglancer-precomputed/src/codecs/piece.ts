/**
 * Chunks piece by piece, so that voxels go from and to the caller's own arrays without a whole chunk between them.
 * @module
 */
import type { Xyz } from "../chunk-grid.ts";
import { allocateVoxels, type ChunkArray, type DataType } from "../data-type.ts";

/** A chunk of a row: chunks side by side along x, equal in y and z. */
export interface EncodedChunk {
  readonly bytes: Uint8Array;
  /** Voxels. */
  readonly size: Xyz;
}

/** A dense box of one channel of a chunk or row of chunks, x fastest. */
export interface ChunkPiece {
  /** Valid until the function that was given the piece returns. */
  readonly voxels: ChunkArray;
  /** First voxel, counted in the chunk or row. */
  readonly begin: Xyz;
  readonly size: Xyz;
  readonly channel: number;
}

/** Copies a decoded piece to where it belongs. Must not decode or encode in turn. */
export type TakePiece = (piece: ChunkPiece) => void;

/** Sets every voxel of a piece that is to be encoded. Must not decode or encode in turn. */
export type FillPiece = (piece: ChunkPiece) => void;

/** Hands on a whole decoded chunk that begins at voxel `x` of its row, one piece for each channel. */
export function takeWhole(voxels: ChunkArray, size: Xyz, channels: number, take: TakePiece, x = 0): void {
  const count = size[0] * size[1] * size[2];
  for (let channel = 0; channel < channels; channel++) {
    const plane = channels === 1 ? voxels : voxels.subarray(channel * count, (channel + 1) * count);
    take({ voxels: plane, begin: [x, 0, 0], size, channel });
  }
}

/** A whole chunk as `fill` gives it. */
export function filledWhole(dataType: DataType, size: Xyz, channels: number, fill: FillPiece): ChunkArray {
  const voxels = allocateVoxels(dataType, size[0] * size[1] * size[2] * channels);
  takeWhole(voxels, size, channels, fill);
  return voxels;
}
