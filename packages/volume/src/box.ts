/**
 * Arithmetic of half-open boxes, in three dimensions (x, y, z) for callers and in four (x, y, z, channel) inside.
 * @module
 */
import type { Box, Xyz } from "./contract.ts";

/** x, y, z, channel. */
export type Xyzc = readonly [number, number, number, number];

/** Half-open box of voxels and channels. */
export interface Box4 {
  readonly begin: Xyzc;
  readonly end: Xyzc;
}

/** Extent of a box along x, y, z. */
export function boxSize(box: Box): Xyz {
  return [box.end[0] - box.begin[0], box.end[1] - box.begin[1], box.end[2] - box.begin[2]];
}

/** Number of voxels in a box. */
export function boxVolume(box: Box): number {
  const [x, y, z] = boxSize(box);
  return x * y * z;
}

/** As people write it: `[12, 508, 3)–(76, 572, 67)` is `12–76, 508–572, 3–67`. */
export function formatBox(box: Box): string {
  return [0, 1, 2].map((axis) => `${box.begin[axis]}–${box.end[axis]}`).join(", ");
}

/** The box of a grid cell, clipped at `size`. */
export function cellBox(cell: Xyzc, cellSize: Xyzc, size: Xyzc): Box4 {
  const begin = map4((axis) => cell[axis]! * cellSize[axis]!);
  return { begin, end: map4((axis) => Math.min(begin[axis]! + cellSize[axis]!, size[axis]!)) };
}

/** The part of `a` inside `b`; empty parts may come out inverted. */
export function intersect(a: Box4, b: Box4): Box4 {
  return {
    begin: map4((axis) => Math.max(a.begin[axis]!, b.begin[axis]!)),
    end: map4((axis) => Math.min(a.end[axis]!, b.end[axis]!)),
  };
}

export function extentOf(box: Box4): Xyzc {
  return map4((axis) => box.end[axis]! - box.begin[axis]!);
}

export function countOf(extent: Xyzc): number {
  return extent[0] * extent[1] * extent[2] * extent[3];
}

export function sameBox(a: Box4, b: Box4): boolean {
  for (let axis = 0; axis < 4; axis++) {
    if (a.begin[axis] !== b.begin[axis] || a.end[axis] !== b.end[axis]) return false;
  }
  return true;
}

/** Grid cells that a non-empty box touches, x fastest. */
export function* cellsOf(box: Box4, cellSize: Xyzc): Generator<Xyzc> {
  const first = map4((axis) => Math.floor(box.begin[axis]! / cellSize[axis]!));
  const end = map4((axis) => Math.ceil(box.end[axis]! / cellSize[axis]!));
  for (let c = first[3]; c < end[3]; c++) {
    for (let z = first[2]; z < end[2]; z++) {
      for (let y = first[1]; y < end[1]; y++) {
        for (let x = first[0]; x < end[0]; x++) yield [x, y, z, c];
      }
    }
  }
}

/** The cells of `cellsOf` in rows of at most `most` along x: the first of each, and how many. */
export function* rowsOf(box: Box4, cellSize: Xyzc, most: number): Generator<{ cell: Xyzc; count: number }> {
  const first = Math.floor(box.begin[0] / cellSize[0]);
  const end = Math.ceil(box.end[0] / cellSize[0]);
  const left: Box4 = { begin: box.begin, end: [box.begin[0] + 1, box.end[1], box.end[2], box.end[3]] };
  for (const [, y, z, c] of cellsOf(left, cellSize)) {
    for (let x = first; x < end; x += most) yield { cell: [x, y, z, c], count: Math.min(most, end - x) };
  }
}

/** Element strides of a dense array of this extent, x fastest, then y, z, channel. */
export function denseStrides(extent: Xyzc): Xyzc {
  return [1, extent[0], extent[0] * extent[1], extent[0] * extent[1] * extent[2]];
}

export function map4(value: (axis: number) => number): Xyzc {
  return [value(0), value(1), value(2), value(3)];
}

/** Throws a RangeError unless `box` is a box of whole numbers inside `bounds`. */
export function checkBox(box: Box, bounds: Box, what: string): void {
  for (let axis = 0; axis < 3; axis++) {
    const begin = box.begin[axis];
    const end = box.end[axis];
    if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin! > end!) {
      throw new RangeError(`A box needs whole numbers with begin ≤ end on every axis, got ${formatBox(box)}`);
    }
  }
  for (let axis = 0; axis < 3; axis++) {
    if (box.begin[axis]! < bounds.begin[axis]! || box.end[axis]! > bounds.end[axis]!) {
      throw new RangeError(`Box ${formatBox(box)} sticks out of ${what}, which covers ${formatBox(bounds)} (x, y, z)`);
    }
  }
}
