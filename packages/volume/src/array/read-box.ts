import {
  type Box4,
  cellBox,
  cellsOf,
  countOf,
  denseStrides,
  extentOf,
  intersect,
  map4,
  sameBox,
  type Xyzc,
} from "../box.ts";
import type { VoxelArray } from "../contract.ts";
import { allocateVoxels, fillVoxels } from "../data-type.ts";
import { forEachBounded } from "./bounded.ts";
import type { ChunkedArray } from "./chunked-array.ts";
import { copyBox, type Layout } from "./copy-box.ts";
import { checkBoxBytes, concurrencyFor, type MemoryLimits } from "./limits.ts";

/** The layout of `part` inside a dense array that covers `whole`. */
export function layoutWithin(part: Box4, whole: Box4): Layout {
  const strides = denseStrides(extentOf(whole));
  return { start: offsetOf(part.begin, whole.begin, strides), strides };
}

/** Index of voxel `position` in an array with these strides whose first voxel is `origin`. */
function offsetOf(position: Xyzc, origin: Xyzc, strides: Xyzc): number {
  let offset = 0;
  for (let axis = 0; axis < 4; axis++) offset += (position[axis]! - origin[axis]!) * strides[axis]!;
  return offset;
}

/**
 * All voxels of a box that lies inside the array: dense, x fastest. Memory: the box, and the chunks in flight
 * (`maxInFlightBytes`, at least one chunk). A box that is exactly one chunk is not copied.
 */
export async function readBox(
  array: ChunkedArray,
  box: Box4,
  limits: MemoryLimits,
  signal: AbortSignal | undefined,
): Promise<VoxelArray> {
  signal?.throwIfAborted();
  const extent = extentOf(box);
  checkBoxBytes(extent, array.dataType, limits.maxBoxBytes);
  const first = map4((axis) => Math.floor(box.begin[axis]! / array.chunkSize[axis]!));
  if (countOf(extent) > 0 && sameBox(box, cellBox(first, array.chunkSize, array.size))) {
    const chunk = await array.readChunk(first, signal);
    if (chunk !== undefined && chunk.data.length === countOf(extent) && isDense(chunk.strides, extent)) {
      return chunk.data;
    }
    const out = filled(array, extent);
    if (chunk !== undefined) {
      copyBox(out, layoutWithin(box, box), chunk.data, { start: 0, strides: chunk.strides }, extent);
    }
    return out;
  }
  const out = filled(array, extent);
  if (out.length === 0) return out;
  const concurrency = concurrencyFor(array.chunkSize, array.dataType, limits);
  await forEachBounded(cellsOf(box, array.chunkSize), concurrency, async (cell) => {
    signal?.throwIfAborted();
    const chunk = await array.readChunk(cell, signal);
    if (chunk === undefined) return;
    const covered = cellBox(cell, array.chunkSize, array.size);
    const part = intersect(covered, box);
    const from = { start: offsetOf(part.begin, covered.begin, chunk.strides), strides: chunk.strides };
    copyBox(out, layoutWithin(part, box), chunk.data, from, extentOf(part));
  });
  return out;
}

/** Whether an array of this extent with these strides is dense with x fastest. */
function isDense(strides: Xyzc, extent: Xyzc): boolean {
  const dense = denseStrides(extent);
  return extent.every((size, axis) => size === 1 || strides[axis] === dense[axis]);
}

function filled(array: ChunkedArray, extent: Xyzc): VoxelArray {
  const out = allocateVoxels(array.dataType, countOf(extent));
  if (array.fillValue !== 0 && array.fillValue !== 0n) fillVoxels(out, array.fillValue);
  return out;
}
