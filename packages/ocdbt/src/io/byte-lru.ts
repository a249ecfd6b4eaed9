/** Surrounds of one entry: map slots, the key's characters, the object. */
const ENTRY_OVERHEAD = 256;

/** Immutable things by name, the least recently used dropped when their bytes pass a budget. */
export class ByteLru<T> {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly value: T; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    if (!(maxBytes >= 0)) throw new RangeError(`cache bytes must be at least 0, not ${maxBytes}`);
    this.#maxBytes = maxBytes;
  }

  get(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.value;
  }

  set(name: string, value: T, valueBytes: number): void {
    const bytes = valueBytes + ENTRY_OVERHEAD;
    const old = this.#entries.get(name);
    if (old !== undefined) this.#drop(name, old.bytes);
    if (bytes > this.#maxBytes) return;
    this.#entries.set(name, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest, entry.bytes);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(name: string, bytes: number): void {
    this.#entries.delete(name);
    this.#bytes -= bytes;
  }
}
