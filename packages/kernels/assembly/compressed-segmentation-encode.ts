// Packs compressed_segmentation, some rows of blocks at a time: all headers of a channel first, then per block its values
// and, unless the channel holds an identical one already, its ascending table.
//
// Scratch for one block, in this order (n = voxels of a block, H = power of two ≥ 2n, N = n rounded up to 32):
//   labels u64 × n | slots-then-order u32 × n | rank u32 × (n + 1) | index u32 × N | hash u32 × H
import { ensure, skipEqual } from "./lanes";

/** Results of the exported functions, also named in src/compressed-segmentation-encode.ts. */
const OK: u32 = 0;
const NO_MEMORY: u32 = 1;
const OFFSET_TOO_LARGE: u32 = 2;
const INDEX_PAST_TABLE: u32 = 3;
const MAX_OFFSET: usize = 1 << 24;
const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

let sx: u32 = 0;
let bx: u32 = 0;
let by: u32 = 0;
let bz: u32 = 0;
let blockVoxels: u32 = 0;

let labels: usize = 0;
let order: usize = 0;
let rank: usize = 0;
let index: usize = 0;
let hash: usize = 0;
let hashMask: u32 = 0;

/** Known tables of the channel, 16 bytes: hash u32, offset u32, labels u32 (0 = empty), padding. */
let known: usize = 0;
let knownMask: u32 = 0;

/** Where the channel begins, and the next free byte. */
let base: usize = 0;
let end: usize = 0;

/** Labels distinct in the block at hand. */
let distinct: u32 = 0;

export function start(sizeX: u32, blockX: u32, blockY: u32, blockZ: u32, scratch: usize, hashSlots: u32): void {
  sx = sizeX;
  bx = blockX;
  by = blockY;
  bz = blockZ;
  blockVoxels = bx * by * bz;
  labels = scratch;
  order = labels + (<usize>blockVoxels << 3);
  rank = order + (<usize>blockVoxels << 2);
  index = rank + ((<usize>blockVoxels + 1) << 2);
  hash = index + (((<usize>blockVoxels + 31) & ~31) << 2);
  hashMask = hashSlots - 1;
  memory.fill(hash, 0, <usize>hashSlots << 2);
  // Positions without a voxel carry the index n, whose rank is 0.
  store<u32>(rank + (<usize>blockVoxels << 2), 0);
  clearIndex();
}

/** Begins a channel at `channelAt`, which ends the memory in use. `knownSlots` is a power of two above the blocks. */
export function startChannel(channelAt: usize, blocks: u32, knownAt: usize, knownSlots: u32): u32 {
  base = channelAt;
  known = knownAt;
  knownMask = knownSlots - 1;
  memory.fill(known, 0, <usize>knownSlots << 4);
  if (!ensure(<u64>base + (<u64>blocks << 3))) return NO_MEMORY;
  end = base + (<usize>blocks << 3);
  return OK;
}

/** Address after the last byte written. */
export function finish(): usize {
  return end;
}

function clearIndex(): void {
  for (let p = index; p < hash; p += 4) store<u32>(p, blockVoxels);
}

/** The block's own number of `label`, in order of appearance. */
// @ts-ignore: decorator
@inline
function numberOf(label: u64): u32 {
  let slot = <u32>((label * MULTIPLIER) >> 32) & hashMask;
  while (true) {
    const at = hash + (<usize>slot << 2);
    const there = load<u32>(at);
    if (there == 0) {
      store<u64>(labels + (<usize>distinct << 3), label);
      store<u32>(order + (<usize>distinct << 2), slot);
      store<u32>(at, ++distinct);
      return distinct - 1;
    }
    if (load<u64>(labels + (<usize>(there - 1) << 3)) == label) return there - 1;
    slot = (slot + 1) & hashMask;
  }
}

/** Whether all voxels of a block carry `label`. */
// @ts-ignore: decorator
@inline
function isUniform<T>(label: T, p: usize, w: u32, h: u32, d: u32, row: usize, plane: usize): bool {
  const bytes = <usize>w * sizeof<T>();
  for (let z: u32 = 0; z < d; z++, p += plane) {
    for (let y: u32 = 0, q = p; y < h; y++, q += row) {
      if (skipEqual<T>(q, q + bytes, label) != q + bytes) return false;
    }
  }
  return true;
}

/** Numbers the voxels of a block in `index` and lists its labels. */
// @ts-ignore: decorator
@inline
function gather<T>(p: usize, w: u32, h: u32, d: u32, row: usize, plane: usize): void {
  let last = load<T>(p);
  distinct = 0;
  let number = numberOf(<u64>last);
  for (let z: u32 = 0; z < d; z++, p += plane) {
    let q = p;
    for (let y: u32 = 0; y < h; y++, q += row) {
      let to = index + (<usize>(bx * (y + by * z)) << 2);
      for (let v = q; v < q + <usize>w * sizeof<T>(); v += sizeof<T>(), to += 4) {
        const label = load<T>(v);
        if (label != last) {
          last = label;
          number = numberOf(<u64>label);
        }
        store<u32>(to, number);
      }
    }
  }
  for (let i: usize = 0; i < <usize>distinct << 2; i += 4) {
    store<u32>(hash + (<usize>load<u32>(order + i) << 2), 0);
    store<u32>(order + i, <u32>(i >> 2));
  }
}

/** Puts labels in the place of the indices gathered; false when one is not below `entries`. */
function substitute(table: usize, entries: u32): bool {
  for (let at = labels; at < labels + (<usize>distinct << 3); at += 8) {
    const i = load<u64>(at);
    if (i >= entries) return false;
    store<u64>(at, load<u64>(table + (<usize>i << 3)));
  }
  return true;
}

/**
 * Sorts labels ascending, `order` with them (Shell's sort: tables are short), drops the repetitions that a substitution can
 * leave, and ranks the block's numbers.
 */
function sortLabels(): void {
  let gap: u32 = 1;
  while (gap < distinct / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < distinct; i++) {
      const label = load<u64>(labels + (<usize>i << 3));
      const number = load<u32>(order + (<usize>i << 2));
      let j = i;
      for (; j >= gap; j -= gap) {
        const other = load<u64>(labels + (<usize>(j - gap) << 3));
        if (other <= label) break;
        store<u64>(labels + (<usize>j << 3), other);
        store<u32>(order + (<usize>j << 2), load<u32>(order + (<usize>(j - gap) << 2)));
      }
      store<u64>(labels + (<usize>j << 3), label);
      store<u32>(order + (<usize>j << 2), number);
    }
  }
  let last: u32 = 0;
  for (let i: u32 = 0; i < distinct; i++) {
    const label = load<u64>(labels + (<usize>i << 3));
    if (label != load<u64>(labels + (<usize>last << 3))) store<u64>(labels + (<usize>++last << 3), label);
    store<u32>(rank + (<usize>load<u32>(order + (<usize>i << 2)) << 2), last);
  }
  distinct = last + 1;
}

/** Appends the block's values with `bits` bits each. */
// @ts-ignore: decorator
@inline
function pack(bits: u32): void {
  let from = index;
  for (let left: i32 = blockVoxels; left > 0; left -= 32 / bits) {
    let word: u32 = 0;
    for (let shift: u32 = 0; shift < 32; shift += bits, from += 4) {
      word |= load<u32>(rank + (<usize>load<u32>(from) << 2)) << shift;
    }
    store<u32>(end, word);
    end += 4;
  }
}

/** Appends the values of a block of two labels of which every position holds a voxel. */
function packTwo(): void {
  const flip: u32 = load<u32>(rank) == 0 ? 0 : u32.MAX_VALUE;
  for (let from = index; from < hash; from += 128) {
    let word: u32 = 0;
    for (let shift: u32 = 0; shift < 32; shift += 4) {
      word |= <u32>i32x4.bitmask(i32x4.shl(v128.load(from + (shift << 2)), 31)) << shift;
    }
    store<u32>(end, word ^ flip);
    end += 4;
  }
}

/** The word offset of the block's table, appended unless the channel has it. E is the type of a table's entries. */
// @ts-ignore: decorator
@inline
function tableOffset<E>(): u32 {
  let h: u64 = distinct;
  for (let i: usize = 0; i < <usize>distinct << 3; i += 8) h = (rotl(h, 23) ^ load<u64>(labels + i)) * MULTIPLIER;
  const key = <u32>(h >> 32);
  let slot = key & knownMask;
  while (true) {
    const at = known + (<usize>slot << 4);
    if (load<u32>(at, 8) == 0) {
      const offset = <u32>((end - base) >> 2);
      store<u32>(at, key);
      store<u32>(at, offset, 4);
      store<u32>(at, distinct, 8);
      for (let i: u32 = 0; i < distinct; i++, end += sizeof<E>()) store<E>(end, <E>load<u64>(labels + (<usize>i << 3)));
      return offset;
    }
    if (load<u32>(at) == key && load<u32>(at, 8) == distinct) {
      const table = base + (<usize>load<u32>(at, 4) << 2);
      let i: u32 = 0;
      while (i < distinct && load<E>(table + <usize>i * sizeof<E>()) == <E>load<u64>(labels + (<usize>i << 3))) i++;
      if (i == distinct) return load<u32>(at, 4);
    }
    slot = (slot + 1) & knownMask;
  }
}

/** The fewest bits that number `n` labels, out of those the format knows. */
// @ts-ignore: decorator
@inline
function bitsFor(n: u32): u32 {
  return n == 1 ? 0 : n == 2 ? 1 : n <= 4 ? 2 : n <= 16 ? 4 : n <= 256 ? 8 : n <= 65536 ? 16 : 32;
}

/**
 * Encodes rows of blocks out of a slab of `rows` rows and `depth` planes; their first header is word `header` of the
 * channel. With a `table` of `entries` labels, voxels are indices into it.
 */
// @ts-ignore: decorator
@inline
function encode<T, E>(slab: usize, rows: u32, depth: u32, header: u32, table: usize, entries: u32): u32 {
  const row = <usize>sx * sizeof<T>();
  const plane = row * rows;
  const worst = 12 * <u64>blockVoxels + 128;
  let head = base + (<usize>header << 2);
  for (let y0: u32 = 0; y0 < rows; y0 += by) {
    const h = min(by, rows - y0);
    for (let x0: u32 = 0; x0 < sx; x0 += bx, head += 8) {
      if (!ensure(<u64>end + worst)) return NO_MEMORY;
      const w = min(bx, sx - x0);
      const p = slab + y0 * row + <usize>x0 * sizeof<T>();
      const valuesOffset = (end - base) >> 2;
      let bits: u32 = 0;
      const first = load<T>(p);
      if (isUniform<T>(first, p, w, h, depth, row, plane)) {
        distinct = 1;
        store<u64>(labels, <u64>first);
        if (table != 0 && !substitute(table, entries)) return INDEX_PAST_TABLE;
      } else {
        const full = w == bx && h == by && depth == bz;
        if (!full) clearIndex();
        gather<T>(p, w, h, depth, row, plane);
        const two = distinct == 2;
        if (table != 0 && !substitute(table, entries)) return INDEX_PAST_TABLE;
        sortLabels();
        bits = bitsFor(distinct);
        if (bits == 1) {
          if (two && full && (blockVoxels & 31) == 0) packTwo();
          else pack(1);
        } else if (bits == 2) pack(2);
        else if (bits == 4) pack(4);
        else if (bits == 8) pack(8);
        else if (bits == 16) pack(16);
        else if (bits == 32) pack(32);
      }
      const offset = tableOffset<E>();
      if (offset >= MAX_OFFSET || valuesOffset >= MAX_OFFSET) return OFFSET_TOO_LARGE;
      store<u32>(head, offset | (bits << 24));
      store<u32>(head, <u32>valuesOffset, 4);
    }
  }
  return OK;
}

export function encodeU32(slab: usize, rows: u32, depth: u32, header: u32): u32 {
  return encode<u32, u32>(slab, rows, depth, header, 0, 0);
}

export function encodeU64(slab: usize, rows: u32, depth: u32, header: u32): u32 {
  return encode<u64, u64>(slab, rows, depth, header, 0, 0);
}

export function encodeIndices(slab: usize, rows: u32, depth: u32, header: u32, table: usize, entries: u32): u32 {
  return encode<u32, u64>(slab, rows, depth, header, table, entries);
}
