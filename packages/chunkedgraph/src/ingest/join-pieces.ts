/**
 * Choosing the edges that keep a label one object when its supervoxels fall apart.
 *
 * Memory: some 64 bytes per supervoxel of the labels dealt with at a time, which are at most `capacity` supervoxels together.
 * A label with more is thinned: the first supervoxel of each piece stays, of the others every k-th.
 * @module
 */
import { halves } from "../ids.ts";
import type { UnionFind } from "../union-find.ts";
import type { LabelStream } from "./broken-labels.ts";
import { joinNearestPieces } from "./nearest-pieces.ts";

/** The voxel at an index of a chunk's box, in nanometres from the volume's origin, written to `target[at…at + 2]`. */
export type LocateVoxel = (chunk: number, index: number, target: Float64Array, at: number) => void;

/**
 * @param broken labels in several pieces, ascending.
 * @returns pairs of supervoxels (counted over the volume), the smaller first, ordered.
 */
export async function joinBrokenLabels(
  stream: LabelStream,
  pieces: UnionFind,
  broken: BigUint64Array,
  locate: LocateVoxel,
  capacity: number = 1 << 21,
): Promise<Uint32Array> {
  const sizes = await supervoxelsPerLabel(stream, broken);
  const pairs: Uint32Array[] = [];
  for (let first = 0; first < broken.length; ) {
    let last = first;
    let sum = 0;
    while (last < broken.length && (last === first || sum + sizes[last]! <= capacity)) sum += sizes[last++]!;
    const stride = Math.ceil(sum / capacity);
    const points = await gatherPoints(stream, pieces, broken, first, last, sum, stride, locate);
    for (const label of points) pairs.push(joinLabel(label));
    first = last;
  }
  return sortPairs(pairs);
}

/** The supervoxels of one label that are considered, in the order of their ids. */
interface LabelPoints {
  readonly supervoxels: Uint32Array;
  readonly pieces: Uint32Array;
  readonly positions: Float64Array;
}

async function supervoxelsPerLabel(stream: LabelStream, broken: BigUint64Array): Promise<Float64Array> {
  const search = new LabelSearch(broken);
  const sizes = new Float64Array(broken.length);
  for await (const { labels } of stream()) {
    const half = halves(labels);
    for (let i = 0; i < labels.length; i++) {
      const label = search.indexOf(half[2 * i]!, half[2 * i + 1]!);
      if (label >= 0) sizes[label] = sizes[label]! + 1;
    }
  }
  return sizes;
}

/** Points of labels `first` … `last` − 1; of a label too large, every `stride`-th and the first of each piece. */
async function gatherPoints(
  stream: LabelStream,
  pieces: UnionFind,
  broken: BigUint64Array,
  first: number,
  last: number,
  total: number,
  stride: number,
  locate: LocateVoxel,
): Promise<LabelPoints[]> {
  const search = new LabelSearch(broken.subarray(first, last));
  const room = Math.ceil(total / stride);
  let labelOf = new Uint32Array(room);
  let supervoxels = new Uint32Array(room);
  let positions = new Float64Array(3 * room);
  const lengths = new Uint32Array(last - first);
  let length = 0;
  let seen = 0;
  for await (const { ordinal, start, labels, positions: voxels } of stream()) {
    const half = halves(labels);
    for (let i = 0; i < labels.length; i++) {
      const label = search.indexOf(half[2 * i]!, half[2 * i + 1]!);
      if (label < 0) continue;
      if (seen++ % stride !== 0 && pieces.parents[start + i] !== start + i) continue;
      if (length === supervoxels.length) {
        labelOf = grown(labelOf, new Uint32Array(2 * length));
        supervoxels = grown(supervoxels, new Uint32Array(2 * length));
        positions = grown(positions, new Float64Array(6 * length));
      }
      labelOf[length] = label;
      supervoxels[length] = start + i;
      locate(ordinal, voxels[i]!, positions, 3 * length);
      lengths[label] = lengths[label]! + 1;
      length++;
    }
  }
  return groupByLabel(lengths, labelOf, supervoxels, positions, length, pieces);
}

function groupByLabel(
  lengths: Uint32Array,
  labelOf: Uint32Array,
  supervoxels: Uint32Array,
  positions: Float64Array,
  length: number,
  pieces: UnionFind,
): LabelPoints[] {
  const groups = Array.from(lengths, (size) => ({
    supervoxels: new Uint32Array(size),
    pieces: new Uint32Array(size),
    positions: new Float64Array(3 * size),
  }));
  const filled = new Uint32Array(lengths.length);
  for (let i = 0; i < length; i++) {
    const group = groups[labelOf[i]!]!;
    const at = filled[labelOf[i]!]!;
    filled[labelOf[i]!] = at + 1;
    group.supervoxels[at] = supervoxels[i]!;
    group.pieces[at] = pieces.find(supervoxels[i]!);
    group.positions[3 * at] = positions[3 * i]!;
    group.positions[3 * at + 1] = positions[3 * i + 1]!;
    group.positions[3 * at + 2] = positions[3 * i + 2]!;
  }
  return groups;
}

function joinLabel({ supervoxels, pieces, positions }: LabelPoints): Uint32Array {
  const numbers = new Map<number, number>();
  const numbered = pieces.map((piece) => {
    const known = numbers.get(piece);
    if (known !== undefined) return known;
    numbers.set(piece, numbers.size);
    return numbers.size - 1;
  });
  return joinNearestPieces(positions, numbered, numbers.size).map((point) => supervoxels[point]!);
}

/** All pairs in ascending order of their first and then second supervoxel. */
function sortPairs(parts: readonly Uint32Array[]): Uint32Array {
  const packed = new BigUint64Array(parts.reduce((sum, part) => sum + part.length / 2, 0));
  const half = halves(packed);
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2, at += 2) {
      half[at + 1] = part[i]!;
      half[at] = part[i + 1]!;
    }
  }
  packed.sort();
  return half.map((_, i) => half[i ^ 1]!);
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}

/** Binary search in ascending labels, by halves: no bigint is made per supervoxel. */
class LabelSearch {
  private readonly half: Uint32Array;
  private readonly count: number;

  constructor(labels: BigUint64Array) {
    this.half = halves(labels);
    this.count = labels.length;
  }

  /** Index of the label, or −1. */
  indexOf(low: number, high: number): number {
    const half = this.half;
    let begin = 0;
    let end = this.count;
    while (begin < end) {
      const middle = (begin + end) >>> 1;
      const other = half[2 * middle + 1]!;
      if (other < high || (other === high && half[2 * middle]! < low)) begin = middle + 1;
      else end = middle;
    }
    return begin < this.count && half[2 * begin] === low && half[2 * begin + 1] === high ? begin : -1;
  }
}
