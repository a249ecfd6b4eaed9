import type { Generation } from "@pcg/kvstore";
import { type Box4, cellBox, cellsOf, countOf, denseStrides, extentOf, intersect, sameBox, type Xyzc } from "../box.ts";
import type { VoxelArray } from "../contract.ts";
import { allocateVoxels, fillVoxels } from "../data-type.ts";
import { VolumeError } from "../errors.ts";
import { forEachBounded } from "./bounded.ts";
import type { ChunkedArray } from "./chunked-array.ts";
import { copyBox } from "./copy-box.ts";
import { type ChunkVoxels, layoutWithin } from "./layout.ts";
import { checkBoxBytes, concurrencyFor, type MemoryLimits } from "./limits.ts";

/** What a unit holds now: `voxels` is absent when all of it is fill. */
export interface StoredUnit {
  readonly voxels: ChunkVoxels | undefined;
  /** `null` when the unit is absent. */
  readonly generation: Generation | null;
}

export interface UnitWrite {
  /** Write only over this state; without it, over any. */
  readonly ifGeneration?: Generation | null;
  readonly signal: AbortSignal | undefined;
}

/** An array whose stored objects are boxes on a grid of `unitSize`. */
export interface UnitArray extends ChunkedArray {
  /** All of a unit, with the generation that a conditional write needs. */
  readUnit(cell: Xyzc, signal: AbortSignal | undefined): Promise<StoredUnit>;
  /**
   * Writes the unit at a cell of the unit grid; `data` is dense, x fastest, and covers the part inside the array.
   * @returns false when the condition did not hold.
   */
  writeUnit(cell: Xyzc, data: VoxelArray, options: UnitWrite): Promise<boolean>;
}

/** Each failed attempt means that another writer got through, so this many in a row is contention worth reporting. */
const maxAttempts = 100;

/**
 * Writes a box that lies inside the array; `data` is dense, x fastest. Units inside the box are written without
 * reading; the others are read, changed and written back only over the state that was read, again and again until no
 * other writer came in between. Memory: two units for each one in flight.
 */
export async function writeUnits(
  array: UnitArray,
  box: Box4,
  data: VoxelArray,
  limits: MemoryLimits,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  if (countOf(extentOf(box)) === 0) return;
  const concurrency = concurrencyFor(array.unitSize, array.dataType, limits);
  await forEachBounded(cellsOf(box, array.unitSize), concurrency, async (cell) => {
    signal?.throwIfAborted();
    const unit = cellBox(cell, array.unitSize, array.size);
    const part = intersect(unit, box);
    if (sameBox(part, unit)) {
      await array.writeUnit(cell, cutOut(array, box, data, unit), { signal });
    } else {
      checkBoxBytes(extentOf(unit), array.dataType, limits.maxBoxBytes);
      await updateUnit(array, cell, unit, part, box, data, signal);
    }
  });
}

/** The voxels of `unit` out of `data`, which covers `box`; `data` itself when they are the same. */
export function cutOut(array: ChunkedArray, box: Box4, data: VoxelArray, unit: Box4): VoxelArray {
  if (sameBox(unit, box)) return data;
  const out = allocateVoxels(array.dataType, countOf(extentOf(unit)));
  copyBox(out, layoutWithin(unit, unit), data, layoutWithin(unit, box), extentOf(unit));
  return out;
}

async function updateUnit(
  array: UnitArray,
  cell: Xyzc,
  unit: Box4,
  part: Box4,
  box: Box4,
  data: VoxelArray,
  signal: AbortSignal | undefined,
): Promise<void> {
  const extent = extentOf(unit);
  const strides = denseStrides(extent);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    signal?.throwIfAborted();
    const stored = await array.readUnit(cell, signal);
    const merged = allocateVoxels(array.dataType, countOf(extent));
    if (stored.voxels === undefined) fillVoxels(merged, array.fillValue);
    else
      copyBox(merged, { start: 0, strides }, stored.voxels.data, { start: 0, strides: stored.voxels.strides }, extent);
    copyBox(merged, layoutWithin(part, unit), data, layoutWithin(part, box), extentOf(part));
    if (await array.writeUnit(cell, merged, { ifGeneration: stored.generation, signal })) return;
  }
  throw new VolumeError(
    "CONFLICT",
    `Other writers changed the stored object at cell ${cell.join(", ")} of scale ${JSON.stringify(array.key)} ${maxAttempts} times ` +
      "during one write; let each writer own whole storage units",
  );
}
