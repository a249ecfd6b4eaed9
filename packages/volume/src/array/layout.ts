import { type Box4, denseStrides, extentOf, type Xyzc } from "../box.ts";
import type { VoxelArray } from "../contract.ts";

/** Where a box lies in an array: element index of its first voxel, and elements from voxel to voxel along each axis. */
export interface Layout {
  readonly start: number;
  readonly strides: Xyzc;
}

/** Voxels of a chunk, the first one at index 0, and elements from voxel to voxel along x, y, z, channel. */
export interface ChunkVoxels {
  readonly data: VoxelArray;
  readonly strides: Xyzc;
}

/** The layout of `part` inside an array that covers `whole`, its first voxel at index 0; dense, x fastest, by default. */
export function layoutWithin(part: Box4, whole: Box4, strides: Xyzc = denseStrides(extentOf(whole))): Layout {
  let start = 0;
  for (let axis = 0; axis < 4; axis++) start += (part.begin[axis]! - whole.begin[axis]!) * strides[axis]!;
  return { start, strides };
}
