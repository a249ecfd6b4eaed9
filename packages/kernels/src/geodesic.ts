/**
 * Shortest paths inside a mask.
 * @module
 */
import {
  checkVoxelSize,
  DIRECTIONS,
  type Rimmed,
  rowStart,
  stepLengths,
  toRimmed,
  type VoxelSize,
  withRim,
} from "./rim.ts";
import { runSlices, type Slices } from "./slices.ts";
import { checkLength, type Size } from "./volume.ts";
import { wasm as geodesicWasm } from "./wasm/geodesic.wasm.ts";
import { align, bytesOf, ownKernel } from "./workspace.ts";

/** What {@link geodesicDistances} is asked. Voxels are given by number: x + sx·(y + sy·z). */
export interface GeodesicOptions {
  /** Physical length of a voxel per axis. */
  readonly voxelSize: VoxelSize;
  /** Voxels of the mask where distance is 0. Order does not matter. */
  readonly seeds: Uint32Array;
  /** Per voxel a cost per length, finite and above 0 inside of the mask; a step costs its length times the mean of both ends. */
  readonly costs?: Float32Array;
  /** Stop once the nearest of these voxels is known; distances beyond it are upper bounds or Infinity. */
  readonly until?: Uint32Array;
}

interface GeodesicKernel {
  start(
    distances: number,
    nexts: number,
    previous: number,
    costs: number,
    offsets: number,
    lengths: number,
    heads: number,
    buckets: number,
    width: number,
    voxels: number,
  ): void;
  open(mask: number, voxel: number, n: number): void;
  close(voxel: number, n: number): void;
  seed(voxel: number): number;
  restart(): void;
  advance(budget: number): number;
  settled(): number;
}

const MOST_BUCKETS = 2 ** 16;
const SLICE_VOXELS = 100_000;

/** Bytes of WebAssembly memory that {@link geodesicDistances} takes for a block. */
export function geodesicBytes(size: Size, costs: boolean): number {
  const { voxels, row } = withRim(size);
  return align(voxels * (costs ? 16 : 12)) + 4 * MOST_BUCKETS + align(row) + 1024;
}

/**
 * Per voxel the length of the shortest path from the nearest seed through the mask, by steps to 26 neighbours; Infinity where
 * there is none, and outside of the mask. Sums are f32; they depend neither on the order of the seeds nor on how the axes are
 * named. Peak memory beside input and result: 12 bytes per voxel (16 with costs), a rim of one voxel included, and 256 KiB.
 * Steps and costs should differ by less than about 60 000 times; beyond, it is slower, not wrong.
 *
 * @example
 * geodesicDistances(Uint8Array.of(1, 1, 1, 0), [4, 1, 1], { voxelSize: [4, 4, 40], seeds: Uint32Array.of(0) }); // 0, 4, 8, Infinity
 */
export function geodesicDistances(mask: Uint8Array, size: Size, options: GeodesicOptions): Float32Array {
  return runSlices(geodesicDistancesSlices(mask, size, options));
}

/** {@link geodesicDistances}, pausing after every 10^5 voxels. */
export function* geodesicDistancesSlices(mask: Uint8Array, size: Size, options: GeodesicOptions): Slices<Float32Array> {
  const { seeds, until } = options;
  const block = openBlock(mask, size, options);
  for (const voxel of [...seeds, ...(until ?? [])]) {
    if (voxel < mask.length && mask[voxel] !== 0) continue;
    throw new RangeError(`voxel ${voxel} is no voxel of the mask, and paths begin and end inside of it`);
  }
  const result = new Float32Array(mask.length).fill(Number.POSITIVE_INFINITY);
  const { wasm, rimmed, distances } = block;
  for (const voxel of seeds) wasm.seed(toRimmed(rimmed, voxel));
  const ends = Array.from(until ?? [], (voxel) => toRimmed(rimmed, voxel));
  for (let taken = 0; wasm.advance(SLICE_VOXELS); ) {
    const known = wasm.settled();
    if (ends.some((voxel) => distances[voxel]! < known)) break;
    taken += SLICE_VOXELS;
    yield Math.min(0.99, taken / mask.length);
  }
  const [sx, sy, sz] = size;
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const from = sx * (y + sy * z);
      const at = rowStart(rimmed, y, z);
      for (let x = 0; x < sx; x++) {
        const distance = distances[at + x]!;
        if (distance >= 0) result[from + x] = distance;
      }
    }
  }
  block.release();
  return result;
}

/**
 * Distances from a set of voxels that grows: an addition costs as much as what it brings nearer, not a search of the block. They
 * are at all times those that {@link geodesicDistances} finds for all voxels added so far, bit for bit. Holds
 * {@link geodesicBytes} until released, and no copy of its arguments.
 */
export class GrowingDistances {
  private readonly block: OpenBlock;
  private readonly options: Pick<GeodesicOptions, "voxelSize" | "costs">;

  constructor(mask: Uint8Array, size: Size, options: Pick<GeodesicOptions, "voxelSize" | "costs">) {
    this.block = openBlock(mask, size, options);
    const { heap, costsAt, rimmed } = this.block;
    const costs = costsAt === 0 ? {} : { costs: new Float32Array(heap.buffer, costsAt, rimmed.voxels) };
    this.options = { voxelSize: options.voxelSize, ...costs };
  }

  /** Distance becomes 0 at `voxels`, which join the mask if they are outside, and falls around them. Pauses after every 10^5 voxels. */
  *add(voxels: Uint32Array): Slices<void> {
    const { wasm, rimmed, distances } = this.block;
    wasm.restart();
    for (const voxel of voxels) {
      const at = toRimmed(rimmed, voxel);
      if (distances[at]! < 0) distances[at] = Number.POSITIVE_INFINITY;
      wasm.seed(at);
    }
    for (let taken = SLICE_VOXELS; wasm.advance(SLICE_VOXELS); taken += SLICE_VOXELS) {
      yield Math.min(0.99, taken / rimmed.voxels);
    }
  }

  /** The distance of a voxel: Infinity where no path leads, and outside of the mask. */
  at(voxel: number): number {
    const distance = this.block.distances[toRimmed(this.block.rimmed, voxel)]!;
    return distance < 0 ? Number.POSITIVE_INFINITY : distance;
  }

  /** {@link tracePath} to `end`. */
  path(end: number): Uint32Array {
    if (this.at(end) === Number.POSITIVE_INFINITY) return new Uint32Array(0);
    const { distances, rimmed } = this.block;
    const [sx, sy, sz] = rimmed.size;
    const path = tracePath(distances, [sx + 2, sy + 2, sz + 2], this.options, toRimmed(rimmed, end));
    return path.map((voxel) => {
      const x = voxel % rimmed.row;
      const y = Math.floor(voxel / rimmed.row) % (sy + 2);
      return x - 1 + sx * (y - 1 + sy * (Math.floor(voxel / rimmed.plane) - 1));
    });
  }

  /** Lets the memory go; nothing else may be called then. */
  release(): void {
    this.block.release();
  }
}

/** A block laid out in the kernel's memory, rim and all, with nothing reached yet. */
interface OpenBlock {
  readonly wasm: GeodesicKernel;
  readonly rimmed: Rimmed;
  readonly heap: Uint8Array;
  /** With the rim: negative outside of the mask. */
  readonly distances: Float32Array;
  /** Where costs lie, with the rim; 0 without costs. */
  readonly costsAt: number;
  readonly release: () => void;
}

function openBlock(
  mask: Uint8Array,
  size: Size,
  { voxelSize, costs }: Pick<GeodesicOptions, "voxelSize" | "costs">,
): OpenBlock {
  checkLength("mask", mask.length, size);
  checkVoxelSize(voxelSize);
  if (costs !== undefined) checkLength("costs", costs.length, size);
  const rimmed = withRim(size);
  const { voxels } = rimmed;
  const array = voxels * 4;
  const costsAt = costs === undefined ? 0 : array * 3;
  const heads = align(array * (costs === undefined ? 3 : 4));
  const tables = heads + 4 * MOST_BUCKETS;
  const maskAt = align(tables + 2 * 26 * 4);
  const [cheapest, dearest] = costs === undefined ? [1, 1] : costRange(mask, costs);
  const { wasm, heap, release } = ownKernel<GeodesicKernel>(geodesicWasm, geodesicBytes(size, costs !== undefined));

  const lengths = stepLengths(voxelSize);
  new Int32Array(heap.buffer, tables, 26).set([...rimmed.offsets, ...rimmed.offsets.map((offset) => -offset)]);
  new Float32Array(heap.buffer, tables + 104, 26).set([...lengths, ...lengths]);
  const shortest = Math.min(...usable(lengths, size)) * cheapest;
  const longest = Math.max(...lengths) * dearest;
  // A bucket no wider than the shortest step holds only final distances; wider ones repeat some work.
  const width = Math.max(shortest, longest / (MOST_BUCKETS - 8));
  const buckets = 2 ** Math.ceil(Math.log2(longest / width + 4));
  wasm.start(0, array, array * 2, costsAt, tables, tables + 104, heads, buckets, width, voxels);

  const [sx, sy, sz] = size;
  wasm.close(0, voxels);
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const from = sx * (y + sy * z);
      const to = rowStart(rimmed, y, z);
      heap.set(mask.subarray(from, from + sx), maskAt);
      wasm.open(maskAt, to, sx);
      if (costs !== undefined) heap.set(bytesOf(costs.subarray(from, from + sx)), costsAt + to * 4);
    }
  }
  return { wasm, rimmed, heap, distances: new Float32Array(heap.buffer, 0, voxels), costsAt, release };
}

/**
 * The voxels of a shortest path from the nearest seed to `end`, `end` first, found from distances that reach it. Of equal steps
 * the one over the lowest cost counts, then the least voxel number. Empty when `end` was not reached.
 */
export function tracePath(
  distances: Float32Array,
  size: Size,
  { voxelSize, costs }: Pick<GeodesicOptions, "voxelSize" | "costs">,
  end: number,
): Uint32Array {
  checkLength("distances", distances.length, size);
  if (!Number.isFinite(distances[end])) return new Uint32Array(0);
  const lengths = stepLengths(voxelSize);
  const [sx, sy, sz] = size;
  const path = [end];
  for (let voxel = end; distances[voxel]! > 0; ) {
    const x = voxel % sx;
    const y = Math.floor(voxel / sx) % sy;
    const z = Math.floor(voxel / (sx * sy));
    let next = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 26; k++) {
      const sign = k < 13 ? 1 : -1;
      const [dx, dy, dz] = DIRECTIONS[k % 13]!;
      const [i, j, l] = [x + sign * dx, y + sign * dy, z + sign * dz];
      if (i < 0 || j < 0 || l < 0 || i >= sx || j >= sy || l >= sz) continue;
      const other = i + sx * (j + sy * l);
      // Negative is outside, in the kernel's own memory.
      if (!(distances[other]! < distances[voxel]!) || distances[other]! < 0) continue;
      const step = stepCost(lengths[k % 13]!, costs, voxel, other);
      if (Math.fround(distances[other]! + step) !== distances[voxel]) continue;
      const cost = costs?.[other] ?? 1;
      if (cost > least || (cost === least && other > next)) continue;
      least = cost;
      next = other;
    }
    if (next < 0)
      throw new RangeError(`no neighbour of voxel ${voxel} explains its distance; other options made these`);
    path.push(next);
    voxel = next;
  }
  return Uint32Array.from(path);
}

/** The kernel's own f32 arithmetic. */
function stepCost(length: number, costs: Float32Array | undefined, a: number, b: number): number {
  if (costs === undefined) return length;
  return Math.fround(length * Math.fround(Math.fround(costs[a]! * 0.5) + Math.fround(costs[b]! * 0.5)));
}

/** Steps that stay inside a block of this size. */
function usable(lengths: Float32Array, size: Size): number[] {
  const fits = DIRECTIONS.map((direction) => direction.every((d, axis) => d === 0 || size[axis]! > 1));
  const left = [...lengths].filter((_, k) => fits[k]);
  return left.length > 0 ? left : [...lengths];
}

function costRange(mask: Uint8Array, costs: Float32Array): [least: number, most: number] {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let voxel = 0; voxel < mask.length; voxel++) {
    if (mask[voxel] === 0) continue;
    const cost = costs[voxel]!;
    if (!(cost > 0 && cost < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`costs must be finite and above 0 inside of the mask, got ${cost} at voxel ${voxel}`);
    }
    if (cost < least) least = cost;
    if (cost > most) most = cost;
  }
  return [least, most];
}
