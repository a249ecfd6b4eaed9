/**
 * Slabs of labels as callers see them: views of the kernels' memory.
 * @module
 */
import type { Layout, Slab } from "./compressed-segmentation-layout.ts";
import type { Size } from "./volume.ts";
import { heap } from "./workspace.ts";

/** Some rows of blocks of a chunk: all of x, dense, x fastest. */
export interface LabelSlab {
  /** A view of memory that the next slab uses again. */
  readonly labels: Uint32Array | BigUint64Array;
  /** Its first voxel in the chunk. */
  readonly begin: Size;
  readonly size: Size;
  readonly channel: number;
}

/** The slab at the start of memory. */
export function labelSlab(layout: Layout, slab: Slab, channel: number, bytesPerVoxel: 4 | 8): LabelSlab {
  const size: Size = [layout.size[0], slab.rows, slab.depth];
  const count = size[0] * size[1] * size[2];
  const { buffer } = heap();
  const labels = bytesPerVoxel === 4 ? new Uint32Array(buffer, 0, count) : new BigUint64Array(buffer, 0, count);
  return { labels, begin: [0, slab.y, slab.z], size, channel };
}
