/**
 * Which chunks of a grid share a shard. With the identity hash a shard is a box of chunks: the low bits of the Morton
 * code that a shard leaves free are dealt out to x, y and z.
 * @module
 */
import { compressedMorton, mortonBits } from "@pcg/codecs/morton";
import type { ChunkGrid, Xyz } from "../chunk-grid.ts";
import { PrecomputedError } from "../errors.ts";
import { locate, type ShardingSpec } from "./spec.ts";

/** Most chunks we sort into shards when shards are no boxes: all their positions are held. */
const MAX_GROUPED_CHUNKS = 2n ** 24n;

/** The chunks of one shard. */
export interface ShardChunks {
  readonly shard: bigint;
  readonly positions: readonly Xyz[];
}

/**
 * Size in chunks of the box that a shard is, or `undefined` when shards are no boxes: hashed ids, or too few bits for
 * the grid, so that distant boxes share a shard.
 *
 * @example shardShape([2, 4, 8], { …, hash: "identity", preshift_bits: 1, minishard_bits: 2, shard_bits: 3 }) // [2, 2, 2]
 */
export function shardShape(grid: Xyz, spec: ShardingSpec): Xyz | undefined {
  const bits = mortonBits(grid);
  const inside = spec.preshift_bits + spec.minishard_bits;
  if (spec.hash !== "identity" || inside + spec.shard_bits < bits[0] + bits[1] + bits[2]) return undefined;
  const shape: [number, number, number] = [1, 1, 1];
  let dealt = 0;
  for (let level = 0; level < Math.max(...bits); level++) {
    for (const axis of [0, 1, 2] as const) {
      if (level < bits[axis] && dealt++ < inside) shape[axis] *= 2;
    }
  }
  return shape;
}

/** The box of chunks that shares a shard with `position`, clipped to the grid. */
export function shardBox(grid: Xyz, shape: Xyz, position: Xyz): { readonly begin: Xyz; readonly end: Xyz } {
  const begin = (axis: 0 | 1 | 2): number => position[axis] - (position[axis] % shape[axis]);
  const end = (axis: 0 | 1 | 2): number => Math.min(begin(axis) + shape[axis], grid[axis]);
  return { begin: [begin(0), begin(1), begin(2)], end: [end(0), end(1), end(2)] };
}

/** All shards of the grid with their chunks. Boxes are made one at a time; otherwise all positions are held. */
export function* shardsOf(grid: ChunkGrid, spec: ShardingSpec): IterableIterator<ShardChunks> {
  const shardAt = (position: Xyz): bigint => locate(spec, compressedMorton(grid.shape, position)).shard;
  const shape = shardShape(grid.shape, spec);
  if (shape === undefined) {
    yield* groupedShards(grid, shardAt);
    return;
  }
  for (let z = 0; z < grid.shape[2]; z += shape[2]) {
    for (let y = 0; y < grid.shape[1]; y += shape[1]) {
      for (let x = 0; x < grid.shape[0]; x += shape[0]) {
        const { begin, end } = shardBox(grid.shape, shape, [x, y, z]);
        yield { shard: shardAt(begin), positions: [...positionsIn(begin, end)] };
      }
    }
  }
}

function* groupedShards(grid: ChunkGrid, shardAt: (position: Xyz) => bigint): IterableIterator<ShardChunks> {
  if (grid.chunkCount > MAX_GROUPED_CHUNKS) {
    throw new PrecomputedError(
      "UNSUPPORTED",
      `${grid.chunkCount} chunks cannot be sorted into hashed shards here (at most ${MAX_GROUPED_CHUNKS}): use the identity hash with enough shard_bits`,
    );
  }
  const shards = new Map<bigint, Xyz[]>();
  for (const position of grid.chunks()) {
    const shard = shardAt(position);
    const others = shards.get(shard);
    if (others === undefined) shards.set(shard, [position]);
    else others.push(position);
  }
  for (const [shard, positions] of shards) yield { shard, positions };
}

function* positionsIn(begin: Xyz, end: Xyz): IterableIterator<Xyz> {
  for (let z = begin[2]; z < end[2]; z++) {
    for (let y = begin[1]; y < end[1]; y++) {
      for (let x = begin[0]; x < end[0]; x++) yield [x, y, z];
    }
  }
}
