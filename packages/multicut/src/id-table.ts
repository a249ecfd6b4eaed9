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
 * ones: O(n) hashing plus O(V log V). Memory: 4 bytes per value plus about 40 per distinct id.
 */
export function indexIds(values: BigUint64Array): IdTable {
  const lanes = lanesOf(values);
  const index = new Int32Array(values.length);
  // Slots hold a number + 1; numbers count ids by first occurrence; `keys` holds their lanes.
  let bits = FIRST_BITS;
  let slots = new Int32Array(1 << bits);
  let keys = new Int32Array(1 << bits);
  let count = 0;
  let lastLow = 0;
  let lastHigh = 0;
  let last = -1;
  for (let i = 0; i < index.length; i++) {
    const low = lanes[2 * i]!;
    const high = lanes[2 * i + 1]!;
    // Edge lists come grouped by their first end, so an id often repeats two places on.
    if (low === lastLow && high === lastHigh && last >= 0) {
      index[i] = last;
      continue;
    }
    const mask = slots.length - 1;
    let slot = hash(low, high) >>> (32 - bits);
    let number = slots[slot]! - 1;
    while (number >= 0 && (keys[2 * number] !== low || keys[2 * number + 1] !== high)) {
      slot = (slot + 1) & mask;
      number = slots[slot]! - 1;
    }
    if (number < 0) {
      number = count++;
      keys[2 * number] = low;
      keys[2 * number + 1] = high;
      slots[slot] = count;
      if (2 * count >= slots.length) {
        bits++;
        keys = doubled(keys);
        slots = placeKeys(keys, count, bits);
      }
    }
    index[i] = number;
    if ((i & 1) === 0) {
      lastLow = low;
      lastHigh = high;
      last = number;
    }
  }
  const ids = new BigUint64Array(keys.slice(0, 2 * count).buffer).sort();
  const rank = rankNumbers(lanesOf(ids), slots, keys, bits);
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

function lanesOf(values: BigUint64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Slots of a table starts with, as a power of two; it doubles at half load. */
const FIRST_BITS = 13;

function doubled(keys: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(2 * keys.length);
  copy.set(keys);
  return copy;
}

/** Slots for the first `count` keys, which are distinct. */
function placeKeys(keys: Int32Array, count: number, bits: number): Int32Array<ArrayBuffer> {
  const slots = new Int32Array(1 << bits);
  const mask = slots.length - 1;
  for (let number = 0; number < count; number++) {
    let slot = hash(keys[2 * number]!, keys[2 * number + 1]!) >>> (32 - bits);
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = number + 1;
  }
  return slots;
}

/** Per number the place of its id among the ascending ids, all of which are in the table. */
function rankNumbers(sorted: Int32Array, slots: Int32Array, keys: Int32Array, bits: number): Int32Array {
  const rank = new Int32Array(sorted.length / 2);
  const mask = slots.length - 1;
  for (let r = 0; r < rank.length; r++) {
    const low = sorted[2 * r]!;
    const high = sorted[2 * r + 1]!;
    let slot = hash(low, high) >>> (32 - bits);
    let number = slots[slot]! - 1;
    while (keys[2 * number] !== low || keys[2 * number + 1] !== high) {
      slot = (slot + 1) & mask;
      number = slots[slot]! - 1;
    }
    rank[number] = r;
  }
  return rank;
}

/** Mixes two lanes so that the high bits, which choose the slot, depend on all of both. */
function hash(low: number, high: number): number {
  let h = Math.imul(high ^ (high >>> 15), 0x9e3779b1) ^ low;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
}
