/**
 * At most so many tasks, or tasks of so much weight, at a time; the rest wait in order. A task that alone weighs more than the limit
 * runs when nothing else does.
 */
export class Semaphore {
  readonly #limit: number;
  readonly #waiting: { readonly weight: number; readonly begin: () => void }[] = [];
  #used = 0;

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1)
      throw new RangeError(`limit must be a whole number from 1, not ${limit}`);
    this.#limit = limit;
  }

  async run<T>(task: () => Promise<T>, weight = 1): Promise<T> {
    if (!this.tryEnter(weight)) await this.enter(weight);
    try {
      return await task();
    } finally {
      this.leave(weight);
    }
  }

  /** Whether a task may begin at once; it must then {@link leave}. */
  tryEnter(weight = 1): boolean {
    if (this.#waiting.length > 0 || !this.#fits(weight)) return false;
    this.#used += weight;
    return true;
  }

  /** Resolves when it is the task's turn; it must then {@link leave}. */
  enter(weight = 1): Promise<void> {
    if (this.tryEnter(weight)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ weight, begin: resolve }));
  }

  leave(weight = 1): void {
    this.#used -= weight;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.weight); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.weight;
      next.begin();
    }
  }

  #fits(weight: number): boolean {
    return this.#used === 0 || this.#used + weight <= this.#limit;
  }
}
