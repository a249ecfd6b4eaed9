// Unpacks compressed_segmentation, some rows of blocks at a time. The caller has checked that all block headers lie inside
// the words; everything they point at is checked here.
//
// T is the type written, S the type whose width separates table entries: for labels both are the label's type; indices are
// written (T = u32) from ranks that lie at each u64 entry's first word (S = u64).
import { fillOver } from "./lanes";

/** Results of the exported functions, also named in src/compressed-segmentation-decode.ts. */
const OK: u32 = 0;
const BAD_BITS: u32 = 1;
const VALUES_PAST_END: u32 = 2;
const ENTRY_PAST_END: u32 = 3;

/** What `mark` leaves per word. */
const HEADER: u8 = 1;
const VALUES: u8 = 2;
const ENTRY_LOW: u8 = 4;
const ENTRY_HIGH: u8 = 8;

let encoded: usize = 0;
let words: u64 = 0;
let sx: u32 = 0;
/** Voxels from row to row of the slab, which may hold other chunks beside this one. */
let pitch: u32 = 0;
let bx: u32 = 0;
let by: u32 = 0;
let bz: u32 = 0;
/** The block at which a function failed, counted in the layer from the first row of blocks asked for. */
let failed: u32 = 0;

export function start(
  encodedAt: usize, wordCount: u32, sizeX: u32, rowVoxels: u32, blockX: u32, blockY: u32, blockZ: u32,
): void {
  encoded = encodedAt;
  words = wordCount;
  sx = sizeX;
  pitch = rowVoxels;
  bx = blockX;
  by = blockY;
  bz = blockZ;
}

export function failedBlock(): u32 {
  return failed;
}

// @ts-ignore: decorator
@inline
function uniform<T>(value: T, out: usize, w: u32, h: u32, d: u32, row: usize, plane: usize): void {
  const bytes = <usize>w * sizeof<T>();
  for (let z: u32 = 0; z < d; z++, out += plane) {
    let p = out;
    // Rows of whole vectors need no care for their ends.
    if ((bytes & 15) == 0) for (let y: u32 = 0; y < h; y++, p += row) fillOver<T>(p, p + bytes, value);
    else {
      for (let y: u32 = 0; y < h; y++, p += row) {
        for (let q = p; q < p + bytes; q += sizeof<T>()) store<T>(q, value);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function entry<T, S>(table: usize, index: u64): T {
  return load<T>(table + <usize>index * sizeof<S>());
}

/** Unpacks a block of which every index is known to lie inside the words. */
// @ts-ignore: decorator
@inline
function unpack<T, S>(
  bits: u32, values: usize, table: usize, out: usize, w: u32, h: u32, d: u32, row: usize, plane: usize,
): void {
  const mask: u64 = (<u64>1 << bits) - 1;
  for (let z: u32 = 0; z < d; z++, out += plane) {
    let p = out;
    let bit: u32 = bits * bx * by * z;
    for (let y: u32 = 0; y < h; y++, p += row, bit += bits * bx) {
      if (w == 8 && bx == 8 && bits <= 8) {
        // A row of eight is `bits` bytes.
        const at = values + (bit >> 3);
        const packed: u64 =
          bits == 1 ? <u64>load<u8>(at) : bits == 2 ? <u64>load<u16>(at) : bits == 4 ? <u64>load<u32>(at) : load<u64>(at);
        store<T>(p, entry<T, S>(table, packed & mask));
        store<T>(p, entry<T, S>(table, (packed >> bits) & mask), sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (2 * bits)) & mask), 2 * sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (3 * bits)) & mask), 3 * sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (4 * bits)) & mask), 4 * sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (5 * bits)) & mask), 5 * sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (6 * bits)) & mask), 6 * sizeof<T>());
        store<T>(p, entry<T, S>(table, (packed >> (7 * bits)) & mask), 7 * sizeof<T>());
      } else {
        let at = bit;
        for (let q = p; q < p + <usize>w * sizeof<T>(); q += sizeof<T>(), at += bits) {
          const word: u64 = load<u32>(values + ((at >> 5) << 2));
          store<T>(q, entry<T, S>(table, (word >> (at & 31)) & mask));
        }
      }
    }
  }
}

/** Unpacks a block whose table lies so near the end that each index must be compared with `limit`. */
function unpackChecked<T, S>(
  bits: u32, values: usize, table: usize, limit: u64, out: usize, w: u32, h: u32, d: u32, row: usize, plane: usize,
): bool {
  const mask: u64 = (<u64>1 << bits) - 1;
  for (let z: u32 = 0; z < d; z++) {
    for (let y: u32 = 0; y < h; y++) {
      let at = bits * bx * (y + by * z);
      for (let x: u32 = 0; x < w; x++, at += bits) {
        const index = (<u64>load<u32>(values + ((at >> 5) << 2)) >> (at & 31)) & mask;
        if (index >= limit) return false;
        store<T>(out + z * plane + y * row + <usize>x * sizeof<T>(), entry<T, S>(table, index));
      }
    }
  }
  return true;
}

/**
 * Decodes some rows of blocks whose first header is word `header` of the channel that begins at word `base`, into
 * a slab of `rows` rows and `depth` planes. `tables` is where table entries are read: the words or what stands for them.
 */
// @ts-ignore: decorator
@inline
function decode<T, S>(tables: usize, base: u32, header: u32, out: usize, rows: u32, depth: u32): u32 {
  const row = <usize>pitch * sizeof<T>();
  const plane = row * rows;
  let at = encoded + ((<usize>base + header) << 2);
  failed = 0;
  for (let y0: u32 = 0; y0 < rows; y0 += by) {
    const h = min(by, rows - y0);
    for (let x0: u32 = 0; x0 < sx; x0 += bx, at += 8, failed++) {
      const w = min(bx, sx - x0);
      const first = load<u32>(at);
      const bits = first >> 24;
      const table = <u64>base + (first & 0xffffff);
      const limit: u64 = table < words ? (words - table) / (sizeof<S>() >> 2) : 0;
      const entries = tables + (<usize>table << 2);
      const p = out + y0 * row + <usize>x0 * sizeof<T>();
      if (bits == 0) {
        if (limit == 0) return ENTRY_PAST_END;
        uniform<T>(load<T>(entries), p, w, h, depth, row, plane);
        continue;
      }
      if (bits > 32 || (bits & (bits - 1)) != 0) return BAD_BITS;
      const valuesWord = <u64>base + load<u32>(at, 4);
      const lastVoxel: u64 = w - 1 + bx * (h - 1 + by * (depth - 1));
      if (valuesWord + ((lastVoxel * bits) >> 5) + 1 > words) return VALUES_PAST_END;
      const values = encoded + (<usize>valuesWord << 2);
      if (limit < <u64>1 << bits) {
        if (!unpackChecked<T, S>(bits, values, entries, limit, p, w, h, depth, row, plane)) return ENTRY_PAST_END;
      } else if (bits == 1) unpack<T, S>(1, values, entries, p, w, h, depth, row, plane);
      else if (bits == 2) unpack<T, S>(2, values, entries, p, w, h, depth, row, plane);
      else if (bits == 4) unpack<T, S>(4, values, entries, p, w, h, depth, row, plane);
      else if (bits == 8) unpack<T, S>(8, values, entries, p, w, h, depth, row, plane);
      else unpack<T, S>(16, values, entries, p, w, h, depth, row, plane);
    }
  }
  return OK;
}

export function decodeU32(base: u32, header: u32, out: usize, rows: u32, depth: u32): u32 {
  return decode<u32, u32>(encoded, base, header, out, rows, depth);
}

export function decodeU64(base: u32, header: u32, out: usize, rows: u32, depth: u32): u32 {
  return decode<u64, u64>(encoded, base, header, out, rows, depth);
}

/** Like decodeU64, but writes the u32 found at `ranks` + 4 · (the entry's first word). */
export function decodeRanks(ranks: usize, base: u32, header: u32, out: usize, rows: u32, depth: u32): u32 {
  return decode<u32, u64>(ranks, base, header, out, rows, depth);
}

// @ts-ignore: decorator
@inline
function mark8(at: usize, flag: u8): void {
  store<u8>(at, load<u8>(at) | flag);
}

// @ts-ignore: decorator
@inline
function markEntry(entry: usize): void {
  mark8(entry, ENTRY_LOW);
  mark8(entry + 1, ENTRY_HIGH);
}

/** The set of indices, as bits, that occur in `count` words of values of at most 4 bits. */
// @ts-ignore: decorator
@inline
function indicesIn(bits: u32, values: usize, count: u32): u32 {
  const mask: u32 = (1 << bits) - 1;
  let found: u32 = 0;
  let last: u32 = 0;
  for (let p = values; p < values + (<usize>count << 2); p += 4) {
    const word = load<u32>(p);
    if (p > values && word == last) continue;
    last = word;
    for (let shift: u32 = 0; shift < 32; shift += bits) found |= 1 << ((word >> shift) & mask);
  }
  return found;
}

/** Marks the entries used by the voxels of one block; false when one lies past the end. */
function markEntries(
  bits: u32, values: usize, valueWords: u32, entries: usize, limit: u64, w: u32, h: u32, d: u32,
): bool {
  if (bits <= 4 && w == bx && h == by && d == bz && ((bx * by * bz * bits) & 31) == 0) {
    let found = bits == 1 ? indicesIn(1, values, valueWords) : bits == 2 ? indicesIn(2, values, valueWords) : indicesIn(4, values, valueWords);
    for (; found != 0; found &= found - 1) {
      const index = ctz(found);
      if (<u64>index >= limit) return false;
      markEntry(entries + 2 * <usize>index);
    }
    return true;
  }
  const mask: u64 = (<u64>1 << bits) - 1;
  let last: u64 = u64.MAX_VALUE;
  for (let z: u32 = 0; z < d; z++) {
    for (let y: u32 = 0; y < h; y++) {
      let at = bits * bx * (y + by * z);
      for (let x: u32 = 0; x < w; x++, at += bits) {
        const index = (<u64>load<u32>(values + ((at >> 5) << 2)) >> (at & 31)) & mask;
        if (index == last) continue;
        if (index >= limit) return false;
        last = index;
        markEntry(entries + 2 * <usize>index);
      }
    }
  }
  return true;
}

/** Marks what each word is used for by some rows of u64 blocks, one byte per word at `marks`. */
export function mark(marks: usize, base: u32, header: u32, rows: u32, depth: u32): u32 {
  let word = <usize>base + header;
  failed = 0;
  for (let y0: u32 = 0; y0 < rows; y0 += by) {
    const h = min(by, rows - y0);
    for (let x0: u32 = 0; x0 < sx; x0 += bx, word += 2, failed++) {
      const w = min(bx, sx - x0);
      const first = load<u32>(encoded + (word << 2));
      const bits = first >> 24;
      const table = <u64>base + (first & 0xffffff);
      const limit: u64 = table < words ? (words - table) >> 1 : 0;
      mark8(marks + word, HEADER);
      mark8(marks + word + 1, HEADER);
      if (bits == 0) {
        if (limit == 0) return ENTRY_PAST_END;
        markEntry(marks + <usize>table);
        continue;
      }
      if (bits > 32 || (bits & (bits - 1)) != 0) return BAD_BITS;
      const valuesWord = <u64>base + load<u32>(encoded + (word << 2), 4);
      const lastVoxel: u64 = w - 1 + bx * (h - 1 + by * (depth - 1));
      const valueWords = <u32>((lastVoxel * bits) >> 5) + 1;
      if (valuesWord + valueWords > words) return VALUES_PAST_END;
      for (let i: u32 = 0; i < valueWords; i++) mark8(marks + <usize>(valuesWord + i), VALUES);
      const values = encoded + (<usize>valuesWord << 2);
      if (!markEntries(bits, values, valueWords, marks + <usize>table, limit, w, h, depth)) return ENTRY_PAST_END;
    }
  }
  return OK;
}
