/**
 * Keeps what a process remembers in step with edits, its own and those of other processes: the timeline says which nodes
 * each edit made, and their children are the nodes whose parent changed.
 * @module
 */
import { type RowStore, readRows } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { halves, sortedDistinct } from "../ids.ts";
import { decodeMade, timelineRange } from "../rows/index.ts";
import { readHead } from "./head.ts";
import type { Place } from "./id-table.ts";
import { concatenate } from "./leaves.ts";
import { readChildren } from "./node-reader.ts";
import type { PlaceCache } from "./place-cache.ts";

/** Further behind than this, forgetting is cheaper than catching up. */
const MAX_OPERATIONS = 1000;

export class Renewal {
  private readonly rows: RowStore;
  private readonly places: PlaceCache;
  private running: Promise<void> = Promise.resolve();

  constructor(rows: RowStore, places: PlaceCache) {
    this.rows = rows;
    this.places = places;
  }

  /** Accounts for all edits so far. @returns the time of the last one. */
  async catchUp(): Promise<Time> {
    const head = await readHead(this.rows);
    if (head === undefined || head.lastTime <= this.places.time) return this.places.time;
    const step = this.running.then(() => this.renewTo(head.lastTime));
    // The next step starts over from what is remembered, whether or not this one failed; its caller gets the error.
    this.running = step.catch(() => undefined);
    await step;
    return this.places.time;
  }

  /** Accounts for this process's own edit, without reading it back when no other came between. */
  committed(
    before: Time,
    time: Time,
    made: readonly { readonly id: bigint; readonly children: BigUint64Array }[],
  ): void {
    if (this.places.time === before)
      this.places.renew(
        time,
        made.map(({ id, children }) => change(id, children, time)),
      );
  }

  private async renewTo(time: Time): Promise<void> {
    while (this.places.time < time) {
      const from = this.places.time;
      const window = { ranges: [timelineRange(from + 1n, time + 1n)] };
      const operations = await readRows(this.rows, window, { limit: MAX_OPERATIONS + 1 });
      if (operations.length > MAX_OPERATIONS) {
        this.places.reset(time);
        return;
      }
      const made = sortedDistinct(concatenate(operations.map((row) => decodeMade(row.cells[0]!.value))));
      const nodes = [...(await readChildren(this.rows, made, time))].map(([id, node]) => ({ id, ...node }));
      nodes.sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
      // While this read, the cache may have moved on by an edit of this process.
      if (this.places.time === from)
        this.places.renew(
          time,
          nodes.map(({ id, children, created }) => change(id, children, created)),
        );
    }
  }
}

function change(
  parent: bigint,
  children: BigUint64Array,
  since: Time,
): { readonly ids: Uint32Array; readonly parent: Place } {
  const [parentLow, parentHigh] = halves(BigUint64Array.of(parent));
  return {
    ids: halves(children),
    parent: { parentLow: parentLow!, parentHigh: parentHigh!, since: Number(since) },
  };
}
