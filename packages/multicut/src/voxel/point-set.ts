/**
 * Physical distances between sets of voxels.
 * @module
 */
import type { Xyz } from "./contract.ts";

/** A box of voxels by its first voxel, absolute unless said otherwise, and its size. */
export interface VoxelBox {
  readonly begin: Xyz;
  readonly size: Xyz;
}

/** Leaves are searched point by point. */
const LEAF_POINTS = 12;

/** Points with a k-d tree over them: 24 bytes per point. The array is reordered and belongs to the set from then on. */
export class PointSet {
  /** Physical x, y, z of each point; the median of every range lies in its middle. */
  private readonly points: Float64Array;

  constructor(points: Float64Array) {
    this.points = points;
    this.build(0, points.length / 3, 0);
  }

  /** The least distance between a point of this set and one of the other; `within` or more is given as `within`. */
  distanceTo(other: PointSet, within: number = Number.POSITIVE_INFINITY): number {
    const [few, many] = other.points.length < this.points.length ? [other, this] : [this, other];
    let squared = within * within;
    for (let i = 0; i < few.points.length && squared > 0; i += 3) {
      squared = many.nearest(
        few.points[i]!,
        few.points[i + 1]!,
        few.points[i + 2]!,
        0,
        many.points.length / 3,
        0,
        squared,
      );
    }
    return Math.sqrt(squared);
  }

  /** The least distance between a point and the centre of a voxel of the box. */
  distanceToBox({ begin, size }: VoxelBox, voxelSize: Xyz): number {
    let squared = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.points.length; i += 3) {
      let sum = 0;
      for (let axis = 0; axis < 3; axis++) {
        const low = begin[axis]! * voxelSize[axis]!;
        const high = (begin[axis]! + size[axis]! - 1) * voxelSize[axis]!;
        sum += Math.max(0, low - this.points[i + axis]!, this.points[i + axis]! - high) ** 2;
      }
      squared = Math.min(squared, sum);
    }
    return Math.sqrt(squared);
  }

  /** Puts the median of [from, to) along `axis` in the middle, and so on below. */
  private build(from: number, to: number, axis: number): void {
    if (to - from <= LEAF_POINTS) return;
    const middle = (from + to) >> 1;
    this.select(from, to - 1, middle, axis);
    this.build(from, middle, (axis + 1) % 3);
    this.build(middle + 1, to, (axis + 1) % 3);
  }

  /** Quickselect (Hoare) with the middle element as pivot. */
  private select(low: number, high: number, wanted: number, axis: number): void {
    const { points } = this;
    while (low < high) {
      const pivot = points[((low + high) >> 1) * 3 + axis]!;
      let i = low;
      let j = high;
      while (i <= j) {
        while (points[i * 3 + axis]! < pivot) i++;
        while (points[j * 3 + axis]! > pivot) j--;
        if (i <= j) this.swap(i++, j--);
      }
      if (wanted <= j) high = j;
      else if (wanted >= i) low = i;
      else return;
    }
  }

  private swap(a: number, b: number): void {
    for (let axis = 0; axis < 3; axis++) {
      const kept = this.points[a * 3 + axis]!;
      this.points[a * 3 + axis] = this.points[b * 3 + axis]!;
      this.points[b * 3 + axis] = kept;
    }
  }

  /** The least squared distance to a point of [from, to), or `best` if none is nearer. */
  private nearest(x: number, y: number, z: number, from: number, to: number, axis: number, best: number): number {
    const { points } = this;
    if (to - from <= LEAF_POINTS) {
      for (let i = from * 3; i < to * 3; i += 3) {
        const squared = (points[i]! - x) ** 2 + (points[i + 1]! - y) ** 2 + (points[i + 2]! - z) ** 2;
        if (squared < best) best = squared;
      }
      return best;
    }
    const middle = (from + to) >> 1;
    const at = middle * 3;
    const squared = (points[at]! - x) ** 2 + (points[at + 1]! - y) ** 2 + (points[at + 2]! - z) ** 2;
    if (squared < best) best = squared;
    const away = (axis === 0 ? x : axis === 1 ? y : z) - points[at + axis]!;
    const next = (axis + 1) % 3;
    best =
      away < 0 ? this.nearest(x, y, z, from, middle, next, best) : this.nearest(x, y, z, middle + 1, to, next, best);
    if (away * away >= best) return best;
    return away < 0
      ? this.nearest(x, y, z, middle + 1, to, next, best)
      : this.nearest(x, y, z, from, middle, next, best);
  }
}
