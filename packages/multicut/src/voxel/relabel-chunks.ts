/**
 * Gives the parts of split supervoxels new ids, chunk by chunk.
 * @module
 */
import { componentStats, connectedComponents, type Size } from "@pcg/kernels";
import { describe, type Names } from "../arguments.ts";
import type { Corner } from "./box.ts";
import { checkBlock, checkCorner, checkObject, checkSize, invalid } from "./check.ts";
import type { Xyz } from "./contract.ts";
import { VoxelSplitError } from "./error.ts";

/** What {@link relabelChunks} is asked. Axis order is x, y, z; blocks are dense with x fastest. */
export interface RelabelRequest {
  /** Per voxel its supervoxel, 0 for none. All voxels of supervoxels that are split must be in the block. */
  readonly labels: BigUint64Array;
  /** Per voxel its side, as `splitVoxels` gives them; 0 where nothing is split. */
  readonly sides: Uint8Array;
  readonly size: Size;
  /** Absolute position of the block's first voxel. Default 0, 0, 0. */
  readonly offset?: Xyz;
  /** Voxels of a chunk. */
  readonly chunkSize: Xyz;
  /**
   * Absolute position where the chunk grid begins: that of the volume (its `voxel_offset`), not always 0. Chunk (i, j, k) begins
   * at chunkOrigin + (i, j, k)·chunkSize. Default 0, 0, 0.
   */
  readonly chunkOrigin?: Xyz;
  /** Gives `count` fresh ids for the chunk with these grid coordinates. Called once per chunk that changes, x fastest. */
  readonly mint: (chunk: Xyz, count: number) => BigUint64Array;
}

/** A new supervoxel: one 26-component of one side of an old one, inside of one chunk. */
export interface Fragment {
  readonly id: bigint;
  readonly old: bigint;
  readonly side: number;
  /** Grid coordinates of its chunk. */
  readonly chunk: Xyz;
  /** 1 or more. */
  readonly voxels: number;
  /** Absolute position of one of its voxels. */
  readonly at: Xyz;
}

/** A chunk whose labels changed. */
export interface ChangedChunk {
  readonly chunk: Xyz;
  /** The part of the chunk inside of the block: first voxel, absolute, and size. */
  readonly begin: Xyz;
  readonly size: Size;
}

export interface Relabelling {
  /** The block's labels after the split, a new array. */
  readonly labels: BigUint64Array;
  /** In order of chunk, then of first voxel. */
  readonly fragments: readonly Fragment[];
  /** The new ids of each old one, ascending. Supervoxels that stay whole are not in it. */
  readonly replaced: ReadonlyMap<bigint, BigUint64Array>;
  /** The side of each supervoxel of the object that lies on one side alone and so keeps its id. */
  readonly whole: ReadonlyMap<bigint, number>;
  /** Chunks to write; all others keep every voxel. */
  readonly changed: readonly ChangedChunk[];
}

/**
 * Relabels every supervoxel that lies on two or more sides within a chunk: each 26-component of each of its sides there gets
 * an id of its own, so that no id has two pieces, two old ids or two sides. A supervoxel with one side in a chunk keeps its id
 * there. New ids lie in their old id's chunk. Peak memory beside the request: 8 bytes per voxel for the result, and 25 per
 * voxel of a chunk.
 *
 * @throws VoxelSplitError `BAD_IDS` when `mint` gives another number of ids than asked, 0, an id twice, or one that is in the
 *   block; `INVALID_ARGUMENT` when arrays do not fit the block, or a voxel of a supervoxel that is split has no side.
 */
export function relabelChunks(request: RelabelRequest): Relabelling {
  checkRelabelRequest(request);
  const { labels, sides, size, offset = [0, 0, 0], chunkSize, chunkOrigin = [0, 0, 0], mint } = request;
  const out = labels.slice();
  const fragments: Fragment[] = [];
  const changed: ChangedChunk[] = [];
  const replaced = new Map<bigint, bigint[]>();
  const whole = new Map<bigint, number>();
  const taken = new TakenIds(labels);
  for (const { chunk, corner, size: part } of chunksOf(size, offset, chunkSize, chunkOrigin)) {
    const pieces = piecesOf(labels, sides, size, { corner, size: part });
    for (const [id, side] of pieces.whole) whole.set(id, side);
    if (pieces.ids.length === 0) continue;
    const fresh = mint(chunk, pieces.ids.length);
    taken.check(fresh, pieces.ids.length, chunk);
    const begin = corner.map((at, axis) => at + offset[axis]!) as unknown as Xyz;
    changed.push({ chunk, begin, size: part });
    writePieces(out, size, { corner, size: part }, pieces.components, pieces.numbers, fresh);
    pieces.ids.forEach((old, i) => {
      const first = pieces.first[i]!;
      const at: Xyz = [
        begin[0] + (first % part[0]),
        begin[1] + (Math.floor(first / part[0]) % part[1]),
        begin[2] + Math.floor(first / (part[0] * part[1])),
      ];
      fragments.push({ id: fresh[i]!, old, side: pieces.sides[i]!, chunk, voxels: pieces.voxels[i]!, at });
      const ids = replaced.get(old);
      if (ids) ids.push(fresh[i]!);
      else replaced.set(old, [fresh[i]!]);
    });
  }
  return {
    labels: out,
    fragments,
    replaced: new Map([...replaced].map(([old, ids]) => [old, BigUint64Array.from(ids).sort()])),
    whole,
    changed,
  };
}

const NAMES: Names<RelabelRequest> = {
  labels: true,
  sides: true,
  size: true,
  offset: true,
  chunkSize: true,
  chunkOrigin: true,
  mint: true,
};

function checkRelabelRequest(request: RelabelRequest): void {
  checkObject(request, "relabelChunks", NAMES);
  const { labels, sides, size, offset, chunkSize, chunkOrigin, mint } = request;
  checkSize(size);
  checkBlock(labels, "labels", [BigUint64Array], size);
  checkBlock(sides, "sides", [Uint8Array], size);
  checkSize(chunkSize, "chunkSize");
  if (offset !== undefined) checkCorner(offset, "offset", size);
  if (chunkOrigin !== undefined) checkCorner(chunkOrigin, "chunkOrigin");
  if (typeof mint !== "function") throw invalid("mint", "a function (chunk, count) => BigUint64Array", describe(mint));
}

/** The chunks that a block meets, x fastest, each with its part of the block. */
function* chunksOf(size: Size, offset: Xyz, chunkSize: Xyz, origin: Xyz): Generator<Corner & { chunk: Xyz }> {
  const low = offset.map((at, axis) => Math.floor((at - origin[axis]!) / chunkSize[axis]!));
  const high = offset.map((at, axis) => Math.ceil((at + size[axis]! - origin[axis]!) / chunkSize[axis]!));
  for (let z = low[2]!; z < high[2]!; z++) {
    for (let y = low[1]!; y < high[1]!; y++) {
      for (let x = low[0]!; x < high[0]!; x++) {
        const chunk: Xyz = [x, y, z];
        const begin = chunk.map((at, axis) => Math.max(0, origin[axis]! + at * chunkSize[axis]! - offset[axis]!));
        const end = chunk.map((at, axis) =>
          Math.min(size[axis]!, origin[axis]! + (at + 1) * chunkSize[axis]! - offset[axis]!),
        );
        yield {
          chunk,
          corner: begin as unknown as Xyz,
          size: end.map((at, axis) => at - begin[axis]!) as unknown as Size,
        };
      }
    }
  }
}

interface Pieces {
  readonly components: Uint32Array;
  /** Per component its place among the pieces plus 1, 0 for what keeps its id. */
  readonly numbers: Uint32Array;
  readonly ids: readonly bigint[];
  readonly sides: readonly number[];
  readonly voxels: readonly number[];
  /** The first voxel of each piece in the chunk's part. */
  readonly first: readonly number[];
  /** Supervoxels with one side, and that side. */
  readonly whole: readonly (readonly [id: bigint, side: number])[];
}

/** The pieces of supervoxels that lie on two or more sides, in order of first voxel. */
function piecesOf(labels: BigUint64Array, sides: Uint8Array, size: Size, { corner, size: part }: Corner): Pieces {
  const voxels = part[0] * part[1] * part[2];
  // Each (supervoxel, side) gets a number; what is not split stays 0.
  const keys = new Uint32Array(voxels);
  const numberOf = new Map<bigint, Map<number, number>>();
  const kinds: { id: bigint; side: number }[] = [];
  let lastId = 0n;
  let lastSide = 0;
  let last = 0;
  for (let z = 0, to = 0; z < part[2]; z++) {
    for (let y = 0; y < part[1]; y++) {
      const row = corner[0] + size[0] * (corner[1] + y + size[1] * (corner[2] + z));
      for (let x = 0; x < part[0]; x++, to++) {
        const side = sides[row + x]!;
        if (side === 0) continue;
        const id = labels[row + x]!;
        if (id === 0n) continue;
        if (last === 0 || id !== lastId || side !== lastSide) {
          let bySide = numberOf.get(id);
          if (bySide === undefined) {
            bySide = new Map();
            numberOf.set(id, bySide);
          }
          last = bySide.get(side) ?? kinds.push({ id, side });
          bySide.set(side, last);
          lastId = id;
          lastSide = side;
        }
        keys[to] = last;
      }
    }
  }
  const whole = kinds.filter(({ id }) => numberOf.get(id)!.size === 1).map(({ id, side }) => [id, side] as const);
  if (whole.length === kinds.length) {
    return { components: keys, numbers: keys, ids: [], sides: [], voxels: [], first: [], whole };
  }
  checkCovered(labels, sides, size, { corner, size: part }, numberOf);
  const { components, count } = connectedComponents(keys, part, 26);
  const stats = componentStats(components, part, count);
  const numbers = new Uint32Array(count + 1);
  const pieces = { ids: [] as bigint[], sides: [] as number[], voxels: [] as number[], first: [] as number[] };
  // Components are numbered by first voxel.
  for (let voxel = 0, known = 0; voxel < voxels && known < count; voxel++) {
    if (components[voxel]! <= known) continue;
    known = components[voxel]!;
    const { id, side } = kinds[keys[voxel]! - 1]!;
    if (numberOf.get(id)!.size < 2) continue;
    numbers[known] = pieces.ids.push(id);
    pieces.sides.push(side);
    pieces.voxels.push(stats.voxels[known - 1]!);
    pieces.first.push(voxel);
  }
  return { components, numbers, ...pieces, whole };
}

/** A supervoxel that is split must have a side everywhere, else some of it would keep the old id. */
function checkCovered(
  labels: BigUint64Array,
  sides: Uint8Array,
  size: Size,
  { corner, size: part }: Corner,
  sidesOf: ReadonlyMap<bigint, ReadonlyMap<number, number>>,
): void {
  for (let z = 0; z < part[2]; z++) {
    for (let y = 0; y < part[1]; y++) {
      const row = corner[0] + size[0] * (corner[1] + y + size[1] * (corner[2] + z));
      let last = 0n;
      for (let voxel = row; voxel < row + part[0]; voxel++) {
        if (sides[voxel] !== 0 || labels[voxel] === last) continue;
        last = labels[voxel]!;
        if ((sidesOf.get(last)?.size ?? 0) < 2) continue;
        const message = `sides[${voxel}] is 0, but supervoxel ${last}, in which the voxel lies, is split in its chunk: give it a side everywhere`;
        throw new VoxelSplitError("INVALID_ARGUMENT", message, { argument: "sides", voxel, supervoxel: last });
      }
    }
  }
}

function writePieces(
  out: BigUint64Array,
  size: Size,
  { corner, size: part }: Corner,
  components: Uint32Array,
  numbers: Uint32Array,
  fresh: BigUint64Array,
): void {
  for (let z = 0, from = 0; z < part[2]; z++) {
    for (let y = 0; y < part[1]; y++) {
      const row = corner[0] + size[0] * (corner[1] + y + size[1] * (corner[2] + z));
      for (let x = 0; x < part[0]; x++, from++) {
        const number = numbers[components[from]!]!;
        if (number !== 0) out[row + x] = fresh[number - 1]!;
      }
    }
  }
}

/** Ids that must not be given again. */
class TakenIds {
  private readonly ids: Set<bigint>;

  constructor(labels: BigUint64Array) {
    this.ids = new Set([0n]);
    let last = 0n;
    for (let voxel = 0; voxel < labels.length; voxel++) {
      const label = labels[voxel]!;
      if (label === last) continue;
      last = label;
      this.ids.add(label);
    }
  }

  check(fresh: BigUint64Array, wanted: number, chunk: Xyz): void {
    if (!(fresh instanceof BigUint64Array)) {
      throw new VoxelSplitError("BAD_IDS", `mint must give a BigUint64Array, got ${describe(fresh)}`, {
        wanted,
        given: 0,
      });
    }
    if (fresh.length !== wanted) {
      const message = `chunk ${chunk.join(", ")} needs ${wanted} ids, mint gave ${fresh.length}`;
      throw new VoxelSplitError("BAD_IDS", message, { wanted, given: fresh.length });
    }
    for (const id of fresh) {
      if (this.ids.has(id)) {
        const message = `mint gave id ${id} for chunk ${chunk.join(", ")}, which is ${id === 0n ? "background" : "taken"}`;
        throw new VoxelSplitError("BAD_IDS", message, { id });
      }
      this.ids.add(id);
    }
  }
}
