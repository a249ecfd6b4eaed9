import type { Box, Xyz } from "@pcg/volume";
import type { ChunkCoords, ChunkGrid } from "../ids.ts";

/**
 * Counts the chunks of a layer by one number, their ordinal, z fastest and x slowest. That is the order of their ids: who
 * counts nodes chunk by chunk in this order counts them in the order of their ids.
 */
export class ChunkOrder {
  readonly layer: number;
  /** Chunks per axis. */
  readonly counts: ChunkCoords;
  /** All chunks. */
  readonly total: number;
  private readonly grid: ChunkGrid;

  constructor(grid: ChunkGrid, layer: number) {
    this.grid = grid;
    this.layer = layer;
    this.counts = grid.counts(layer);
    this.total = this.counts[0] * this.counts[1] * this.counts[2];
  }

  coords(ordinal: number): ChunkCoords {
    const z = ordinal % this.counts[2];
    const column = (ordinal - z) / this.counts[2];
    const y = column % this.counts[1];
    return [(column - y) / this.counts[1], y, z];
  }

  ordinal(coords: ChunkCoords): number {
    return (coords[0] * this.counts[1] + coords[1]) * this.counts[2] + coords[2];
  }

  /** Ordinal of the chunk that contains the node. */
  ordinalOf(id: bigint): number {
    return this.ordinal(this.grid.layout.coordsOf(this.grid.layout.ancestorChunk(id, this.layer)));
  }

  chunkId(ordinal: number): bigint {
    return this.grid.layout.chunkId(this.layer, this.coords(ordinal));
  }

  /** The chunk's voxels, clipped to the volume. */
  box(ordinal: number): Box {
    return this.grid.chunkBox(this.chunkId(ordinal));
  }

  /** Ordinal of the next (`step` 1) or previous (−1) chunk along an axis, or `undefined` outside the volume. */
  neighbour(ordinal: number, axis: number, step: 1 | -1): number | undefined {
    const at = this.coords(ordinal)[axis]! + step;
    if (at < 0 || at >= this.counts[axis]!) return undefined;
    const stride = axis === 0 ? this.counts[1] * this.counts[2] : axis === 1 ? this.counts[2] : 1;
    return ordinal + step * stride;
  }
}

/** Voxels of a box per axis. */
export function boxSize(box: Box): Xyz {
  return [box.end[0] - box.begin[0], box.end[1] - box.begin[1], box.end[2] - box.begin[2]];
}
