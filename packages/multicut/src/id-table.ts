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
  const table = new LaneTable();
  let lastLow = 0;
  let lastHigh = 0;
  let last = -1;
  for (let i = 0; i < values.length; i++) {
    const low = lanes[2 * i]!;
    const high = lanes[2 * i + 1]!;
    // Edge lists come grouped by their first end, so an id often repeats two places on.
    if (low !== lastLow || high !== lastHigh || last < 0) {
      index[i] = table.number(low, high);
      if ((i & 1) === 0) {
        lastLow = low;
        lastHigh = high;
        last = index[i]!;
      }
    } else index[i] = last;
  }
  const ids = table.distinct().sort();
  const sortedLanes = lanesOf(ids);
  const rank = new Int32Array(ids.length);
  for (let r = 0; r < ids.length; r++) rank[table.number(sortedLanes[2 * r]!, sortedLanes[2 * r + 1]!)] = r;
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

function lanesOf(values: BigUint64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Numbers (low, high) pairs by first occurrence; grows by doubling at half load. */
class LaneTable {
  private slots = new Int32Array(1 << 13);
  private shift = 32 - 13;
  private keys = new Uint32Array(1 << 13);
  private count = 0;

  number(low: number, high: number): number {
    const slots = this.slots;
    const keys = this.keys;
    const mask = slots.length - 1;
    let slot = hash(low, high) >>> this.shift;
    for (;;) {
      const entry = slots[slot]!;
      if (entry === 0) break;
      if (keys[2 * entry - 2] === low && keys[2 * entry - 1] === high) return entry - 1;
      slot = (slot + 1) & mask;
    }
    keys[2 * this.count] = low;
    keys[2 * this.count + 1] = high;
    slots[slot] = ++this.count;
    if (2 * this.count >= slots.length) this.grow();
    return this.count - 1;
  }

  /** A copy of the distinct ids in order of first occurrence. */
  distinct(): BigUint64Array {
    return new BigUint64Array(this.keys.slice(0, 2 * this.count).buffer);
  }

  private grow(): void {
    this.shift--;
    const slots = new Int32Array(2 * this.slots.length);
    const keys = new Uint32Array(2 * this.keys.length);
    keys.set(this.keys);
    const mask = slots.length - 1;
    for (let entry = 1; entry <= this.count; entry++) {
      let slot = hash(keys[2 * entry - 2]!, keys[2 * entry - 1]!) >>> this.shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.slots = slots;
    this.keys = keys;
  }
}

/** Mixes two lanes so that the high bits, which choose the slot, depend on all of both. */
function hash(low: number, high: number): number {
  let h = Math.imul(high ^ (high >>> 15), 0x9e3779b1) ^ low;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
}
