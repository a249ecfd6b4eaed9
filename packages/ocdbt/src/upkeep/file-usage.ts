/**
 * Which bytes of each data file are referred to.
 * @module
 */

/** Ranges of one file, joined whenever many have come together. */
class Ranges {
  #starts = new Float64Array(16);
  #ends = new Float64Array(16);
  #length = 0;

  add(start: number, end: number): void {
    if (this.#length === this.#starts.length) {
      this.#join();
      if (this.#length > this.#starts.length / 2) {
        this.#starts = grown(this.#starts);
        this.#ends = grown(this.#ends);
      }
    }
    this.#starts[this.#length] = start;
    this.#ends[this.#length++] = end;
  }

  /** The ranges in order, none touching another. */
  joined(): { readonly start: number; readonly end: number }[] {
    this.#join();
    return Array.from({ length: this.#length }, (_, i) => ({ start: this.#starts[i]!, end: this.#ends[i]! }));
  }

  #join(): void {
    const order = Array.from({ length: this.#length }, (_, i) => i).sort((a, b) => this.#starts[a]! - this.#starts[b]!);
    const starts = new Float64Array(this.#starts.length);
    const ends = new Float64Array(this.#ends.length);
    let length = 0;
    for (const i of order) {
      const start = this.#starts[i]!;
      const end = this.#ends[i]!;
      if (length > 0 && start <= ends[length - 1]!) ends[length - 1] = Math.max(ends[length - 1]!, end);
      else {
        starts[length] = start;
        ends[length++] = end;
      }
    }
    this.#starts = starts;
    this.#ends = ends;
    this.#length = length;
  }
}

/** Of all files. Memory: 16 bytes for each separate range. */
export class FileUsage {
  readonly #files = new Map<string, Ranges>();

  get paths(): IterableIterator<string> {
    return this.#files.keys();
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  add(path: string, offset: number, length: number): void {
    let ranges = this.#files.get(path);
    if (ranges === undefined) {
      ranges = new Ranges();
      this.#files.set(path, ranges);
    }
    ranges.add(offset, offset + length);
  }

  /** Ranges in use, in order, none touching another. */
  ranges(path: string): { readonly start: number; readonly end: number }[] {
    return this.#files.get(path)?.joined() ?? [];
  }

  /** Bytes in use. */
  bytes(path: string): number {
    return this.ranges(path).reduce((sum, { start, end }) => sum + end - start, 0);
  }
}

function grown(column: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(column.length * 2);
  next.set(column);
  return next;
}
