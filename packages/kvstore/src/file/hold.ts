import type { KeyHold } from "../contract.ts";
import type { HeldLock } from "./lock/locking.ts";
import { Queue } from "./queue.ts";

/** A lock that outlasts one call. It is dropped when a write has been applied under it, or it is released and none is under way. */
export class FileHold implements KeyHold {
  readonly path: Buffer;
  /** Resolves when the lock is dropped. */
  readonly ended: Promise<void>;
  readonly #lock: HeldLock;
  readonly #end: () => void;
  #hasEnded = false;
  #isReleased = false;
  /** Writes under the hold take turns. */
  readonly #turns = new Queue();
  #writes = 0;

  constructor(path: Buffer, lock: HeldLock) {
    let end!: () => void;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.path = path;
    this.#end = end;
    this.#lock = {
      isHeld: () => lock.isHeld(),
      release: (isRepeated) => {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        this.#end();
        lock.release(isRepeated);
      },
    };
  }

  release(): void {
    this.#isReleased = true;
    // Whoever holds a key does so because it is written again and again.
    if (this.#writes === 0) this.#lock.release(true);
  }

  /** Runs `write` with the lock, without it when the hold has ended before or the lock was lost. */
  async use<T>(write: (held: HeldLock | undefined) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#writes++;
    const inTurn = (): Promise<T> => {
      if (!this.#hasEnded && !this.#lock.isHeld()) this.#lock.release();
      return write(this.#hasEnded ? undefined : this.#lock);
    };
    try {
      return await this.#turns.run(inTurn, signal);
    } finally {
      this.#writes--;
      if (this.#isReleased) this.release();
    }
  }
}
