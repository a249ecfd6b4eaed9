/**
 * One piece of asynchronous work for several callers who may each give up: it is aborted when the last of them has.
 * @module
 */

export class SharedWork<T> {
  private readonly controller = new AbortController();
  private readonly result: Promise<T>;
  private waiting = 0;
  private settled = false;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    // Inside an async function, so that work that throws at once fails like any other.
    this.result = (async () => work(this.controller.signal))().finally(() => {
      this.settled = true;
    });
    // Whoever waits gets the failure; when nobody does any more, it is not unhandled.
    this.result.catch(() => undefined);
  }

  /** Whether everybody gave up, so that newcomers must start anew. */
  get abandoned(): boolean {
    return this.controller.signal.aborted;
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.waiting++;
    let giveUp: (() => void) | undefined;
    try {
      signal?.throwIfAborted();
      if (signal === undefined) return await this.result;
      const aborted = new Promise<never>((_, reject) => {
        giveUp = () => reject(signal.reason);
        signal.addEventListener("abort", giveUp, { once: true });
      });
      return await Promise.race([this.result, aborted]);
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener("abort", giveUp);
      this.waiting--;
      if (this.waiting === 0 && !this.settled) this.controller.abort();
    }
  }
}
