/**
 * Remembers where nodes stand, for all views of one graph.
 *
 * Every entry is the newest place of its node as of `time`. A view at that time may use it as it is; a view at an older
 * time may use it when the place began no later. When edits happen, `renew` moves the time forward and corrects the
 * entries that the edits changed, in one step; what a reader found before that step is not remembered after it.
 * @module
 */
import { IdTable, type Place } from "./id-table.ts";

/** Two tables of half the budget: when the young one is full it becomes the old one, so what is not used is forgotten. */
export class PlaceCache {
  private young: IdTable;
  private old: IdTable;
  private asOf: bigint;

  constructor(bytes: number, time: bigint) {
    this.young = new IdTable(bytes / 2);
    this.old = new IdTable(bytes / 2);
    this.asOf = time;
  }

  /** Edits up to this time are accounted for. */
  get time(): bigint {
    return this.asOf;
  }

  get(low: number, high: number, into: Place): boolean {
    if (this.young.get(low, high, into)) return true;
    if (!this.old.get(low, high, into)) return false;
    this.insert(low, high, into);
    return true;
  }

  /** Remembers a place read as of `time`; too late if the cache has moved on. */
  add(low: number, high: number, place: Place, time: bigint): void {
    if (time === this.asOf) this.insert(low, high, place);
  }

  /** Accounts for all edits up to `time`: `changes` has [node, parent, commit time] of every parent they set. */
  renew(time: bigint, changes: readonly { readonly ids: Uint32Array; readonly parent: Place }[]): void {
    for (const { ids, parent } of changes)
      for (let i = 0; i < ids.length; i += 2) {
        const low = ids[i]!;
        const high = ids[i + 1]!;
        if (this.young.has(low, high)) this.young.set(low, high, parent);
        if (this.old.has(low, high)) this.old.set(low, high, parent);
      }
    this.asOf = time;
  }

  /** Forgets everything, as of `time`. */
  reset(time: bigint): void {
    this.young.clear();
    this.old.clear();
    this.asOf = time;
  }

  private insert(low: number, high: number, place: Place): void {
    if (this.young.full) {
      [this.young, this.old] = [this.old, this.young];
      this.young.clear();
    }
    this.young.set(low, high, place);
  }
}
