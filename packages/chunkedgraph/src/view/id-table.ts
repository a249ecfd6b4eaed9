import { halves } from "../ids.ts";

/** What the cells of a node say about its place: its parent (0: it is a root) and since when. */
export interface Place {
  parentLow: number;
  parentHigh: number;
  /** Microseconds; exact, as times stay below 2^53. */
  since: number;
}

const ENTRY_BYTES = 24;
const MAX_LOAD = 0.6;
const LEAST_SLOTS = 16;

/** A hash table from id to {@link Place} on typed arrays: open addressing, no removal, grows up to a number of bytes. */
export class IdTable {
  size = 0;
  private readonly maxSlots: number;
  private slots: number;
  private keys: Uint32Array;
  private parents: Uint32Array;
  private since: Float64Array;

  /** @param expected how many ids to make room for at once. */
  constructor(maxBytes: number, expected = 0) {
    this.maxSlots = Math.max(LEAST_SLOTS, 2 ** Math.floor(Math.log2(Math.max(maxBytes / ENTRY_BYTES, 1))));
    const wanted = 2 ** Math.ceil(Math.log2(expected / MAX_LOAD + 1));
    this.slots = Math.min(Math.max(LEAST_SLOTS, wanted), this.maxSlots);
    this.keys = new Uint32Array(2 * this.slots);
    this.parents = new Uint32Array(2 * this.slots);
    this.since = new Float64Array(this.slots);
  }

  /** Takes no new ids any more. */
  get full(): boolean {
    return this.size >= this.maxSlots * MAX_LOAD;
  }

  /** Reads the id's place into `into`. @returns whether it is known. */
  get(low: number, high: number, into: Place): boolean {
    const slot = this.find(low, high);
    if (this.keys[2 * slot] === 0 && this.keys[2 * slot + 1] === 0) return false;
    into.parentLow = this.parents[2 * slot]!;
    into.parentHigh = this.parents[2 * slot + 1]!;
    into.since = this.since[slot]!;
    return true;
  }

  has(low: number, high: number): boolean {
    const slot = this.find(low, high);
    return this.keys[2 * slot] !== 0 || this.keys[2 * slot + 1] !== 0;
  }

  /** Adds or replaces a place. */
  set(low: number, high: number, place: Place): void {
    this.put(low, high, place.parentLow, place.parentHigh, place.since);
  }

  clear(): void {
    this.keys.fill(0);
    this.size = 0;
  }

  private put(low: number, high: number, parentLow: number, parentHigh: number, since: number): void {
    let slot = this.find(low, high);
    if (this.keys[2 * slot] === 0 && this.keys[2 * slot + 1] === 0) {
      if (this.full) return;
      if (this.size >= this.slots * MAX_LOAD) {
        this.grow();
        slot = this.find(low, high);
      }
      this.keys[2 * slot] = low;
      this.keys[2 * slot + 1] = high;
      this.size++;
    }
    this.parents[2 * slot] = parentLow;
    this.parents[2 * slot + 1] = parentHigh;
    this.since[slot] = since;
  }

  private grow(): void {
    const { keys, parents, since } = this;
    this.slots *= 2;
    this.keys = new Uint32Array(2 * this.slots);
    this.parents = new Uint32Array(2 * this.slots);
    this.since = new Float64Array(this.slots);
    this.size = 0;
    for (let i = 0; i < since.length; i++)
      if (keys[2 * i] !== 0 || keys[2 * i + 1] !== 0)
        this.put(keys[2 * i]!, keys[2 * i + 1]!, parents[2 * i]!, parents[2 * i + 1]!, since[i]!);
  }

  /** The slot that holds the id, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const mask = this.slots - 1;
    let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    for (;;) {
      const keyLow = this.keys[2 * slot]!;
      const keyHigh = this.keys[2 * slot + 1]!;
      if ((keyLow === low && keyHigh === high) || (keyLow === 0 && keyHigh === 0)) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

/** Where each of a set of distinct ids stands among them, for joins on ids in hot loops. */
export class IdIndex {
  private readonly table: IdTable;
  private readonly place: Place = { parentLow: 0, parentHigh: 0, since: 0 };

  /** The ids must be distinct and not 0. Takes 40 to 80 bytes per id. */
  constructor(ids: BigUint64Array) {
    this.table = new IdTable(Number.POSITIVE_INFINITY, ids.length);
    const half = halves(ids);
    const place = this.place;
    for (let i = 0; i < ids.length; i++) {
      place.parentLow = i;
      this.table.set(half[2 * i]!, half[2 * i + 1]!, place);
    }
  }

  /** Position of the id, or −1. */
  of(low: number, high: number): number {
    return this.table.get(low, high, this.place) ? this.place.parentLow : -1;
  }
}
