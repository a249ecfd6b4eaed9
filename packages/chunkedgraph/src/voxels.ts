/**
 * Supervoxels by position: the graph's window on its voxels.
 * @module
 */
import type { Box, VoxelArray, Xyz } from "@pcg/volume";
import { GraphError } from "./errors.ts";
import type { ChunkGrid } from "./ids.ts";

/** The supervoxel volume; a `Scale` of `@pcg/volume` is one. */
export interface VoxelSource {
  /** Supervoxel ids of a box inside the volume, x fastest. */
  read(box: Box, options?: { readonly signal?: AbortSignal }): Promise<VoxelArray>;
}

export class Voxels {
  readonly grid: ChunkGrid;
  private readonly source: VoxelSource | undefined;

  constructor(grid: ChunkGrid, source: VoxelSource | undefined) {
    this.grid = grid;
    this.source = source;
  }

  async read(box: Box, signal?: AbortSignal): Promise<BigUint64Array> {
    if (this.source === undefined)
      throw new GraphError("no-voxels", "the graph was opened without voxels: positions cannot be looked up");
    const voxels = await this.source.read(box, signal === undefined ? {} : { signal });
    if (!(voxels instanceof BigUint64Array))
      throw new GraphError(
        "no-voxels",
        `the voxels are ${voxels.constructor.name}, not BigUint64Array: open the graph with its supervoxel volume`,
      );
    return voxels;
  }

  /** The voxel a position is in. Outside the volume or not finite: GraphError. */
  voxelOf(position: Xyz): Xyz {
    const voxel: Xyz = [Math.floor(position[0]), Math.floor(position[1]), Math.floor(position[2])];
    if (this.grid.contains(voxel)) return voxel;
    const { begin, end } = this.grid.volume;
    throw new GraphError(
      "outside-volume",
      `position ${position.join(", ")} is outside the volume ${begin.join(", ")} to ${end.join(", ")} (voxels)`,
      { position: position.map(String) },
    );
  }

  /** The supervoxel at each voxel, 0 for background. Reads one box per chunk that holds voxels. */
  async at(voxels: readonly Xyz[], signal?: AbortSignal): Promise<BigUint64Array> {
    const byChunk = new Map<string, number[]>();
    voxels.forEach((voxel, i) => {
      const name = this.grid.chunkAt(this.voxelOf(voxel)).join();
      const members = byChunk.get(name);
      if (members === undefined) byChunk.set(name, [i]);
      else members.push(i);
    });
    const found = new BigUint64Array(voxels.length);
    for (const members of byChunk.values()) {
      const points = members.map((i) => this.voxelOf(voxels[i]!));
      const box = hull(points);
      const block = await this.read(box, signal);
      members.forEach((i, k) => {
        found[i] = block[offsetIn(box, points[k]!)]!;
      });
    }
    return found;
  }
}

/** Position of a voxel in the data of a box. */
export function offsetIn(box: Box, [x, y, z]: Xyz): number {
  const width = box.end[0] - box.begin[0];
  const height = box.end[1] - box.begin[1];
  return x - box.begin[0] + width * (y - box.begin[1] + height * (z - box.begin[2]));
}

function hull(points: readonly Xyz[]): Box {
  const begin = [...points[0]!] as [number, number, number];
  const end = points[0]!.map((c) => c + 1) as [number, number, number];
  for (const point of points)
    for (let axis = 0; axis < 3; axis++) {
      begin[axis] = Math.min(begin[axis]!, point[axis]!);
      end[axis] = Math.max(end[axis]!, point[axis]! + 1);
    }
  return { begin, end };
}
