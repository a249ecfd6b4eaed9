/**
 * Reads under way that several callers wait for. A caller whose signal aborts leaves; the read goes on for the others, and
 * fills the cache.
 * @module
 */
import { onAbort } from "../own-signal.ts";

export class SharedReads<T> {
  readonly #open = new Map<string, Promise<T>>();

  has(name: string): boolean {
    return this.#open.has(name);
  }

  async join(name: string, signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let flight = this.#open.get(name);
    if (flight === undefined) {
      flight = read().finally(() => this.#open.delete(name));
      // When all have left, nobody is to be told of a failure.
      flight.catch(() => {});
      this.#open.set(name, flight);
    }
    return signal === undefined ? await flight : await unlessAborted(flight, signal);
  }
}

/** `promise`, or a rejection with the signal's reason as soon as it aborts. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    leave();
  }
}
