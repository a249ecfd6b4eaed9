import { componentLabels, connectedComponents, distanceTransform, type Size, type VoxelSize } from "@pcg/kernels";
import { cutSurface } from "../../src/voxel/index.ts";

/** How a split compares with the best one. */
export interface Quality {
  readonly faces: number;
  readonly bestFaces: number;
  readonly area: number;
  readonly bestArea: number;
  /** Mean and largest physical distance from voxels at the surface to the best surface. */
  readonly mean: number;
  readonly most: number;
  /** 26-components per side. */
  readonly pieces: readonly number[];
}

export function qualityOf(
  sides: Uint8Array,
  best: Uint8Array,
  size: Size,
  voxelSize: VoxelSize,
  groups: number,
): Quality {
  const found = cutSurface(sides, size, voxelSize);
  const ideal = cutSurface(best, size, voxelSize);
  const distances = distanceTransform(
    besideSurface(best, size).map((at) => 1 - at),
    size,
    voxelSize,
  );
  const mine = besideSurface(sides, size);
  let sum = 0;
  let most = 0;
  let count = 0;
  for (let voxel = 0; voxel < sides.length; voxel++) {
    if (mine[voxel] === 0) continue;
    sum += distances[voxel]!;
    most = Math.max(most, distances[voxel]!);
    count++;
  }
  const { components, count: pieces } = connectedComponents(sides, size, 26);
  const perSide = new Array<number>(groups).fill(0);
  for (const side of componentLabels(sides, components, pieces)) if (side <= groups) perSide[side - 1]!++;
  return {
    faces: found.faces,
    bestFaces: ideal.faces,
    area: found.area,
    bestArea: ideal.area,
    mean: sum / count,
    most,
    pieces: perSide,
  };
}

/** 1 for voxels that share a face with another side. */
function besideSurface(sides: Uint8Array, [sx, sy, sz]: Size): Uint8Array {
  const beside = new Uint8Array(sides.length);
  const strides = [1, sx, sx * sy];
  for (let z = 0, voxel = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, voxel++) {
        for (let axis = 0; axis < 3; axis++) {
          if ([x + 1 === sx, y + 1 === sy, z + 1 === sz][axis]) continue;
          const other = voxel + strides[axis]!;
          if (sides[voxel] === 0 || sides[other] === 0 || sides[voxel] === sides[other]) continue;
          beside[voxel] = 1;
          beside[other] = 1;
        }
      }
    }
  }
  return beside;
}
