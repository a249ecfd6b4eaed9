import { type Box4, cellBox, countOf, extentOf, rowsOf } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import { allocateVoxels } from "../data-type.ts";
import { forEachBounded } from "./bounded.ts";
import type { ChunkedArray } from "./chunked-array.ts";
import type { CopyVoxels } from "./copy-box.ts";
import { Destination } from "./destination.ts";
import { checkBoxBytes, concurrencyFor, type MemoryLimits } from "./limits.ts";

/** What a read makes of voxels: the type they get, and how they are taken over into it. */
export interface ReadForm {
  readonly dataType: DataType;
  readonly copy: CopyVoxels;
}

/**
 * All voxels of a box that lies inside the array: dense, x fastest, in `out` or else a new array. Chunks are decoded into
 * their place. Memory: the box, and the chunks in flight (`maxInFlightBytes`, at least one chunk).
 */
export async function readBox(
  array: ChunkedArray,
  box: Box4,
  form: ReadForm,
  limits: MemoryLimits,
  signal: AbortSignal | undefined,
  out: VoxelArray | undefined,
): Promise<VoxelArray> {
  signal?.throwIfAborted();
  const extent = extentOf(box);
  checkBoxBytes(extent, form.dataType, limits.maxBoxBytes);
  const data = out ?? allocateVoxels(form.dataType, countOf(extent));
  if (data.length === 0) return data;
  const into = new Destination(box, data, form.copy);
  const isZeroFilled = out === undefined && (array.fillValue === 0 || array.fillValue === 0n);
  const chunksInFlight = concurrencyFor(array.chunkSize, array.dataType, limits);
  const rowLength = Math.min(array.rowLength, chunksInFlight);
  const concurrency = Math.floor(chunksInFlight / rowLength);
  await forEachBounded(rowsOf(box, array.chunkSize, rowLength), concurrency, async ({ cell, count }) => {
    signal?.throwIfAborted();
    const absent = await array.readRow(cell, count, into, signal);
    if (isZeroFilled) return;
    for (const hole of absent) {
      into.fill(cellBox(hole, array.chunkSize, array.size), array.dataType, array.fillValue);
    }
  });
  return data;
}
