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
    if (this.#waiting.length === 0 && this.#fits(weight)) this.#used += weight;
    else await new Promise<void>((resolve) => this.#waiting.push({ weight, begin: resolve }));
    try {
      return await task();
    } finally {
      this.#used -= weight;
      for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.weight); next = this.#waiting[0]) {
        this.#waiting.shift();
        this.#used += next.weight;
        next.begin();
      }
    }
  }

  #fits(weight: number): boolean {
    return this.#used === 0 || this.#used + weight <= this.#limit;
  }
}
