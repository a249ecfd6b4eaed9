/**
 * 64-bit ids to dense numbers and back. Ids never become JS numbers or boxed BigInts in loops: they are hashed by their two
 * 32-bit lanes (little-endian, as every engine lays them out).
 * @module
 */

/** Distinct ids, ascending, and for each input element the index of its id. */
export interface IdTable {
  readonly ids: BigUint64Array;
  readonly index: Int32Array;
}

/**
 * Numbers the ids of `values` by rank. Open addressing numbers them by first occurrence, the native sort ranks the distinct
 * ones: O(n) hashing plus O(V log V). Memory: 4 bytes per value plus about 60 per distinct id.
 */
export function indexIds(values: BigUint64Array): IdTable {
  const lanes = lanesOf(values);
  const index = new Int32Array(values.length);
  let table = emptyTable(firstBits(values.length));
  let { slots, keys, shift } = table;
  let mask = slots.length - 1;
  let room = slots.length / SPARSENESS;
  let count = 0;
  for (let i = 0; i < index.length; i++) {
    const low = lanes[2 * i]!;
    const high = lanes[2 * i + 1]!;
    let slot = hash(low, high) >>> shift;
    let number = slots[slot]!;
    while (number !== 0 && (keys[2 * number] !== low || keys[2 * number + 1] !== high)) {
      slot = (slot + 1) & mask;
      number = slots[slot]!;
    }
    if (number === 0) {
      number = ++count;
      slots[slot] = number;
      keys[2 * number] = low;
      keys[2 * number + 1] = high;
      if (count === room) {
        table = doubled(table, count);
        ({ slots, keys, shift } = table);
        mask = slots.length - 1;
        room = slots.length / SPARSENESS;
      }
    }
    index[i] = number;
  }
  const ids = new BigUint64Array(keys.slice(2, 2 * count + 2).buffer).sort();
  const rank = rankNumbers(table, lanesOf(ids));
  for (let i = 0; i < index.length; i++) index[i] = rank[index[i]!]!;
  return { ids, index };
}

/** The rank of `id` in ascending `ids`, or -1. */
export function rankOf(ids: BigUint64Array, id: bigint): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ids[middle]!;
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The ids at the given places. */
export function idsAt(ids: BigUint64Array, places: Int32Array): BigUint64Array {
  const from = lanesOf(ids);
  const lanes = new Int32Array(2 * places.length);
  for (let i = 0; i < places.length; i++) {
    lanes[2 * i] = from[2 * places[i]!]!;
    lanes[2 * i + 1] = from[2 * places[i]! + 1]!;
  }
  return new BigUint64Array(lanes.buffer);
}

function lanesOf(values: BigUint64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Distinct ids by hash. A slot holds 0 or the number of an id, from 1 on; `keys` holds the lanes of the ids by number. */
interface HashTable {
  readonly slots: Int32Array;
  readonly keys: Int32Array<ArrayBuffer>;
  /** What leaves as many high bits of a hash as number the slots. */
  readonly shift: number;
}

/** Slots per id at least: with fewer, mispredicted probes cost more than the cache that is saved. */
const SPARSENESS = 4;
/** Slots a table starts with at most, as a power of two. */
const FIRST_BITS = 15;

function firstBits(values: number): number {
  return Math.min(FIRST_BITS, Math.max(4, Math.ceil(Math.log2(values))));
}

function emptyTable(bits: number): HashTable {
  const slots = new Int32Array(1 << bits);
  return { slots, keys: new Int32Array(2 * (slots.length / SPARSENESS + 1)), shift: 32 - bits };
}

function doubled(table: HashTable, count: number): HashTable {
  const larger = emptyTable(33 - table.shift);
  const { slots, keys, shift } = larger;
  const mask = slots.length - 1;
  keys.set(table.keys);
  for (let number = 1; number <= count; number++) {
    let slot = hash(keys[2 * number]!, keys[2 * number + 1]!) >>> shift;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = number;
  }
  return larger;
}

/** Per number the place of its id among the ascending ids, all of which are in the table. */
function rankNumbers(table: HashTable, sorted: Int32Array): Int32Array {
  const { slots, keys, shift } = table;
  const rank = new Int32Array(sorted.length / 2 + 1);
  const mask = slots.length - 1;
  for (let r = 0; r < sorted.length / 2; r++) {
    const low = sorted[2 * r]!;
    const high = sorted[2 * r + 1]!;
    let slot = hash(low, high) >>> shift;
    let number = slots[slot]!;
    while (keys[2 * number] !== low || keys[2 * number + 1] !== high) {
      slot = (slot + 1) & mask;
      number = slots[slot]!;
    }
    rank[number] = r;
  }
  return rank;
}

/** Mixes two lanes so that the high bits, which choose the slot, depend on all of both. */
function hash(low: number, high: number): number {
  const h = Math.imul(high, 0x9e3779b1) ^ low;
  return Math.imul(h ^ (h >>> 16), 0x85ebca6b);
}
