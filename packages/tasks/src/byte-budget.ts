/**
 * A semaphore that counts bytes.
 * @module
 */
import { onAbort } from "./on-abort.ts";

/** Gives back what was taken; further calls do nothing. */
export type Release = () => void;

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * Lets holders have `limit` bytes among them at a time, first come, first served: a large request is not overtaken by small
 * ones behind it, so that it never starves. A request larger than the whole budget is refused, since it could never be
 * honoured.
 *
 * @example
 * const budget = new ByteBudget(512 * 2 ** 20);
 * const release = await budget.take(64 * 2 ** 20, signal);
 * try { … } finally { release(); }
 */
export class ByteBudget {
  readonly limit: number;
  #free: number;
  readonly #waiting = new Set<Waiter>();

  /** @param limit in bytes; `Infinity` for no limit. */
  constructor(limit: number) {
    if (!(limit >= 0)) throw new RangeError(`byte budget must be at least 0, not ${limit}`);
    this.limit = limit;
    this.#free = limit;
  }

  /** Bytes that nobody holds. */
  get free(): number {
    return this.#free;
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Why a request can never be granted, or `undefined`. */
  refusal(bytes: number): string | undefined {
    if (!Number.isFinite(bytes) || bytes < 0) return `a request must be a number of bytes from 0 up, not ${bytes}`;
    if (bytes > this.limit) return `${bytes} bytes are more than the whole budget of ${this.limit} bytes`;
    return undefined;
  }

  /**
   * Waits until `bytes` are free and takes them. Rejects with the signal's reason, leaving the line.
   *
   * @throws `RangeError` when they can never be granted, see {@link ByteBudget.refusal}.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<Release> {
    const refusal = this.refusal(bytes);
    if (refusal !== undefined) throw new RangeError(refusal);
    signal?.throwIfAborted();
    if (this.#waiting.size > 0 || bytes > this.#free) await this.#wait(bytes, signal);
    else this.#free -= bytes;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += bytes;
      this.#admit();
    };
  }

  #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        grant: () => {
          stay();
          resolve();
        },
      };
      const stay = onAbort(signal, () => {
        this.#waiting.delete(waiter);
        reject(signal!.reason);
        this.#admit();
      });
      this.#waiting.add(waiter);
    });
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (waiter.bytes > this.#free) return;
      this.#waiting.delete(waiter);
      this.#free -= waiter.bytes;
      waiter.grant();
    }
  }
}
