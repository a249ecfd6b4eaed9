import type { Box, Xyz } from "@pcg/volume";
import { type ChunkCoords, type IdLayout, layerOf } from "./layout.ts";

/** The layers a volume needs: ⌈log₂(most chunks on an axis)⌉ + 2. */
export function layerCount(size: Xyz, chunkSize: Xyz): number {
  const most = Math.max(...size.map((s, axis) => Math.ceil(s / chunkSize[axis]!)));
  let layers = 2;
  for (let chunks = 1; chunks < most; chunks *= 2) layers++;
  return layers;
}

/** Where the chunks of each layer lie: the grid starts at the volume's offset and chunks double in size per layer. */
export class ChunkGrid {
  readonly layout: IdLayout;
  /** The volume, in absolute voxels. */
  readonly volume: Box;
  private readonly chunkSize: Xyz;

  constructor(layout: IdLayout, extent: { readonly voxelOffset: Xyz; readonly size: Xyz; readonly chunkSize: Xyz }) {
    this.layout = layout;
    const { voxelOffset, size } = extent;
    this.chunkSize = extent.chunkSize;
    this.volume = {
      begin: voxelOffset,
      end: [voxelOffset[0] + size[0], voxelOffset[1] + size[1], voxelOffset[2] + size[2]],
    };
  }

  /** Chunks per axis on a layer. */
  counts(layer: number): ChunkCoords {
    const { begin, end } = this.volume;
    const along = (axis: 0 | 1 | 2): number => Math.ceil((end[axis] - begin[axis]) / this.extent(layer, axis));
    return [along(0), along(1), along(2)];
  }

  /** Whether the id's chunk overlaps the volume. */
  holds(id: bigint): boolean {
    const counts = this.counts(layerOf(id));
    return this.layout.coordsOf(id).every((c, axis) => c < counts[axis]!);
  }

  /** The voxels of the id's chunk, clipped to the volume. */
  chunkBox(id: bigint): Box {
    const layer = layerOf(id);
    const coords = this.layout.coordsOf(id);
    const { begin, end } = this.volume;
    const low = (axis: 0 | 1 | 2): number => begin[axis] + coords[axis] * this.extent(layer, axis);
    const high = (axis: 0 | 1 | 2): number => Math.min(low(axis) + this.extent(layer, axis), end[axis]);
    return { begin: [low(0), low(1), low(2)], end: [high(0), high(1), high(2)] };
  }

  /** The coordinates of the layer-1 and layer-2 chunk a voxel is in. */
  chunkAt(voxel: Xyz): ChunkCoords {
    const at = (axis: 0 | 1 | 2): number => Math.floor((voxel[axis] - this.volume.begin[axis]) / this.chunkSize[axis]);
    return [at(0), at(1), at(2)];
  }

  contains(voxel: Xyz): boolean {
    return voxel.every((v, axis) => v >= this.volume.begin[axis]! && v < this.volume.end[axis]!);
  }

  /** The chunks of a layer that overlap a box, as a half-open range of coordinates clipped to the volume. */
  chunkRange(box: Box, layer: number): { readonly begin: ChunkCoords; readonly end: ChunkCoords } {
    const counts = this.counts(layer);
    const origin = this.volume.begin;
    const clip = (value: number, axis: 0 | 1 | 2): number => Math.min(Math.max(value, 0), counts[axis]);
    const low = (axis: 0 | 1 | 2): number =>
      clip(Math.floor((box.begin[axis] - origin[axis]) / this.extent(layer, axis)), axis);
    const high = (axis: 0 | 1 | 2): number =>
      box.end[axis] <= box.begin[axis]
        ? low(axis)
        : clip(Math.ceil((box.end[axis] - origin[axis]) / this.extent(layer, axis)), axis);
    return { begin: [low(0), low(1), low(2)], end: [high(0), high(1), high(2)] };
  }

  /** Ids of the layer's chunks that overlap a box, in ascending order. */
  chunksIn(box: Box, layer: number): bigint[] {
    const { begin, end } = this.chunkRange(box, layer);
    const chunks: bigint[] = [];
    for (let x = begin[0]; x < end[0]; x++)
      for (let y = begin[1]; y < end[1]; y++)
        for (let z = begin[2]; z < end[2]; z++) chunks.push(this.layout.chunkId(layer, [x, y, z]));
    return chunks;
  }

  private extent(layer: number, axis: 0 | 1 | 2): number {
    return this.chunkSize[axis] * 2 ** Math.max(0, layer - 2);
  }
}
