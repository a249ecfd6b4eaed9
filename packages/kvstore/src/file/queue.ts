import { unlessAborted } from "../on-abort.ts";

/** Actions that are done one after the other. Whoever stops waiting for its turn is passed over. */
export class Queue {
  readonly #ended: () => void;
  #last: Promise<unknown> | undefined;

  /** @param ended called whenever nothing is left to do. */
  constructor(ended: () => void = () => {}) {
    this.#ended = ended;
  }

  /** Resolves when all that was asked for until now is done. */
  async done(): Promise<void> {
    await this.#last;
  }

  /** Does `action` in its turn; it looks after the signal itself from then on. */
  async run<T>(action: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const previous = this.#last;
    const turn = previous === undefined ? action() : unlessAborted(previous, signal).then(action);
    // Also of one that was called off, which may be before those in front of it are done.
    const end: Promise<unknown> = Promise.allSettled([previous, turn]).then(() => {
      if (this.#last !== end) return;
      this.#last = undefined;
      this.#ended();
    });
    this.#last = end;
    return await turn;
  }
}
