/** Keeps the values used last, as many as fit a number of bytes. A value larger than all of it is not kept. */
export class ByteLru<Value> {
  private readonly entries = new Map<string, { readonly value: Value; readonly bytes: number }>();
  private readonly limit: number;
  private readonly sizeOf: (value: Value) => number;
  private used = 0;

  constructor(limit: number, sizeOf: (value: Value) => number) {
    this.limit = limit;
    this.sizeOf = sizeOf;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.used;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    const bytes = this.sizeOf(value);
    if (bytes > this.limit) return;
    this.entries.set(key, { value, bytes });
    this.used += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.used <= this.limit) break;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.used -= entry.bytes;
  }
}
