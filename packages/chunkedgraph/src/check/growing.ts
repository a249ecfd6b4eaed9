/** Typed arrays that grow by doubling; `array` is what has been pushed so far. */
export class GrowingU32 {
  length = 0;
  private data = new Uint32Array(1024);

  get array(): Uint32Array {
    return this.data.subarray(0, this.length);
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const grown = new Uint32Array(2 * this.data.length);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length++] = value;
  }
}

export class GrowingF64 {
  length = 0;
  private data = new Float64Array(1024);

  get array(): Float64Array {
    return this.data.subarray(0, this.length);
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const grown = new Float64Array(2 * this.data.length);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length++] = value;
  }
}

export class GrowingU64 {
  length = 0;
  private data = new BigUint64Array(1024);

  get array(): BigUint64Array {
    return this.data.subarray(0, this.length);
  }

  push(value: bigint): void {
    this.reserve(1);
    this.data[this.length++] = value;
  }

  append(values: BigUint64Array): void {
    this.reserve(values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  /** Sorts what is there and drops repetitions. */
  makeDistinct(): void {
    const sorted = this.array.sort();
    let kept = 0;
    for (let i = 0; i < sorted.length; i++)
      if (kept === 0 || sorted[kept - 1] !== sorted[i]) sorted[kept++] = sorted[i]!;
    this.length = kept;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.data.length) return;
    let size = this.data.length;
    while (size < this.length + count) size *= 2;
    const grown = new BigUint64Array(size);
    grown.set(this.data);
    this.data = grown;
  }
}
