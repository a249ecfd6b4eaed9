import { type RowStore, readRows } from "@pcg/rowstore";
import type { Operation, Time } from "../contract.ts";
import { readTimelineKey, timelineKey, timelineRange } from "../rows/index.ts";
import { earlier } from "../time.ts";
import { readHead } from "../view/head.ts";
import { readOperations } from "./operations.ts";

/** How often the head row is looked at while someone listens. */
const POLL_MS = 200;
const BATCH = 256;

/** Where a problem goes that has no caller to tell. */
export interface Logger {
  warn(message: string, fields: { readonly error: unknown }): void;
}

/**
 * Tells listeners of every commit after a time, of this and other processes, once and in order. Commits get increasing
 * times in the transaction that makes them visible, so a look at the timeline beyond the last one seen misses none.
 */
export class Feed {
  private readonly rows: RowStore;
  private readonly logger: Logger | undefined;
  private readonly listeners = new Set<Subscription>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private polling = false;

  constructor(rows: RowStore, logger: Logger | undefined) {
    this.rows = rows;
    this.logger = logger;
  }

  /** @returns the unsubscriber. */
  subscribe(listener: (operation: Operation) => void, after: Time): () => void {
    const subscription: Subscription = { listener, seen: after };
    this.listeners.add(subscription);
    if (this.timer === undefined) {
      this.timer = setInterval(() => void this.poll(), POLL_MS);
      (this.timer as { unref?: () => void }).unref?.();
    }
    return () => {
      this.listeners.delete(subscription);
      if (this.listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.listeners.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Delivers what is new. Trouble with the store is reported and tried again at the next poll. */
  async poll(): Promise<void> {
    if (this.polling || this.listeners.size === 0) return;
    this.polling = true;
    try {
      const head = await readHead(this.rows);
      if (head !== undefined) await this.deliver(head.lastTime);
    } catch (error) {
      this.logger?.warn("cannot read new operations", { error });
    } finally {
      this.polling = false;
    }
  }

  private async deliver(until: Time): Promise<void> {
    const waiting = [...this.listeners].filter(({ seen }) => seen < until);
    if (waiting.length === 0) return;
    const from = waiting.map(({ seen }) => seen).reduce(earlier);
    let range = timelineRange(from + 1n, until + 1n);
    for (;;) {
      const window = { ranges: [range] };
      const entries = (await readRows(this.rows, window, { limit: BATCH })).map((row) => readTimelineKey(row.key));
      const ids = entries.map(({ operation }) => operation);
      for (const operation of await readOperations(this.rows, ids))
        if (operation?.status === "done") for (const subscription of waiting) this.tell(subscription, operation);
      if (entries.length < BATCH) return;
      const last = entries.at(-1)!;
      range = { ...range, start: timelineKey(last.time, last.operation + 1n) };
    }
  }

  private tell(subscription: Subscription, operation: Operation): void {
    if (operation.time <= subscription.seen || !this.listeners.has(subscription)) return;
    subscription.seen = operation.time;
    try {
      subscription.listener(operation);
    } catch (error) {
      this.logger?.warn("a listener of operations failed", { error });
    }
  }
}

interface Subscription {
  readonly listener: (operation: Operation) => void;
  seen: Time;
}
