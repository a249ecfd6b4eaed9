/**
 * Measures what a split cut.
 * @module
 */
import type { Size, VoxelSize } from "@pcg/kernels";
import { checkBlock, checkSize, checkVoxelSize } from "./check.ts";

/** A surface between sides, as the voxel faces that it consists of. */
export interface CutSurface {
  /** Voxel faces between two different sides. */
  readonly faces: number;
  /** Their physical area. */
  readonly area: number;
  /** Mean position of the faces in the block, in voxels; undefined when there are none. */
  readonly centre: readonly [x: number, y: number, z: number] | undefined;
}

/**
 * The faces between different sides of a block; 0 is no side.
 *
 * @throws VoxelSplitError `INVALID_ARGUMENT`.
 */
export function cutSurface(sides: Uint8Array, size: Size, voxelSize: VoxelSize): CutSurface {
  checkSize(size);
  checkVoxelSize(voxelSize);
  checkBlock(sides, "sides", [Uint8Array], size);
  const [sx, sy, sz] = size;
  const strides = [1, sx, sx * sy];
  const counts = [0, 0, 0];
  const sums = [0, 0, 0];
  for (let z = 0, voxel = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, voxel++) {
        const side = sides[voxel];
        if (side === 0) continue;
        for (let axis = 0; axis < 3; axis++) {
          if (axis === 0 ? x + 1 === sx : axis === 1 ? y + 1 === sy : z + 1 === sz) continue;
          const other = sides[voxel + strides[axis]!];
          if (other === 0 || other === side) continue;
          counts[axis]!++;
          sums[0]! += axis === 0 ? x + 0.5 : x;
          sums[1]! += axis === 1 ? y + 0.5 : y;
          sums[2]! += axis === 2 ? z + 0.5 : z;
        }
      }
    }
  }
  const faces = counts[0]! + counts[1]! + counts[2]!;
  const volume = voxelSize[0] * voxelSize[1] * voxelSize[2];
  const area = counts.reduce((sum, count, axis) => sum + (count * volume) / voxelSize[axis]!, 0);
  const centre = faces === 0 ? undefined : ([sums[0]! / faces, sums[1]! / faces, sums[2]! / faces] as const);
  return { faces, area, centre };
}
