import { type Box4, extentOf, intersect, type Xyzc } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import { allocateVoxels, fillVoxels } from "../data-type.ts";
import type { CopyVoxels } from "./copy-box.ts";
import { layoutWithin } from "./layout.ts";

/** Where the voxels of a read go: a dense array, x fastest, that covers a box. */
export class Destination {
  readonly box: Box4;
  readonly data: VoxelArray;
  readonly #copy: CopyVoxels;

  /** @param copy takes voxels over into `data`, as they are or changed to its type */
  constructor(box: Box4, data: VoxelArray, copy: CopyVoxels) {
    this.box = box;
    this.data = data;
    this.#copy = copy;
  }

  /** Takes what `source` has of the box; `covered` is what it covers, its first voxel at index 0. */
  put(source: VoxelArray, covered: Box4, strides: Xyzc): void {
    const part = intersect(covered, this.box);
    const extent = extentOf(part);
    if (extent.some((length) => length <= 0)) return;
    this.#copy(this.data, layoutWithin(part, this.box), source, layoutWithin(part, covered, strides), extent);
  }

  /** Gives the voxels that the box shares with `covered` one value of the volume's type. */
  fill(covered: Box4, dataType: DataType, value: number | bigint): void {
    const voxel = allocateVoxels(dataType, 1);
    fillVoxels(voxel, value);
    this.put(voxel, covered, [0, 0, 0, 0]);
  }
}
