/**
 * Integer voxels of any type as unsigned labels, changed while they are copied to their place.
 * @module
 */
import { type CopyVoxels, copyBox } from "./array/copy-box.ts";
import { firstNegative } from "./array/negative.ts";
import type { ReadForm } from "./array/read-box.ts";
import { widen8, widen16 } from "./array/widen-box.ts";
import { boxSize } from "./box.ts";
import type { Box, DataType } from "./contract.ts";
import { bytesPerVoxel, integerRange } from "./data-type.ts";
import { VolumeError } from "./errors.ts";

/**
 * How voxels of an integer type are read as labels: up to 32 bits as uint32, 64 bits as uint64. A negative one is an error.
 * @param box the box that is read, for the message about a negative label
 */
export function labelForm(dataType: DataType, box: Box, what: string): ReadForm {
  const range = integerRange(dataType);
  if (range === undefined) {
    throw new VolumeError("WRONG_DATA_TYPE", `${what} holds ${dataType} voxels, which are no labels; use \`read\``);
  }
  const width = bytesPerVoxel(dataType);
  const copy = width === 1 ? widen8 : width === 2 ? widen16 : copyBox;
  return {
    dataType: width === 8 ? "uint64" : "uint32",
    copy: range[0] < 0n ? refusingNegatives(copy, box, what) : copy,
  };
}

/** Voxels that are not below zero have the same bits signed and unsigned, so `copy` may take them for unsigned. */
function refusingNegatives(copy: CopyVoxels, box: Box, what: string): CopyVoxels {
  return (target, to, source, from, extent) => {
    const negative = firstNegative(source, from, extent);
    if (negative < 0) return copy(target, to, source, from, extent);
    const inPart = place(negative, extent[0], extent[1], extent[2]);
    const [sx, sy, sz] = boxSize(box);
    const part = place(to.start, sx, sy, sz);
    const position = box.begin.map((begin, axis) => begin + part[axis]! + inPart[axis]!);
    const value = source[from.start + inPart.reduce((sum, n, axis) => sum + n * from.strides[axis]!, 0)];
    throw new VolumeError(
      "NEGATIVE_LABEL",
      `${what} has the negative label ${value} at voxel ${position.join(", ")} (x, y, z); labels must be 0 or more`,
    );
  };
}

/** Position (x, y, z, channel) of an element of a dense array, x fastest. */
function place(index: number, sx: number, sy: number, sz: number): readonly number[] {
  const row = Math.floor(index / sx);
  const plane = Math.floor(row / sy);
  return [index % sx, row % sy, plane % sz, Math.floor(plane / sz)];
}
