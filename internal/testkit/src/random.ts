/** A small seeded generator (xorshift128+ style on 32-bit lanes): same seed, same numbers, on every machine. */
export class Random {
  private a: number;
  private b: number;

  constructor(seed: number) {
    this.a = (seed | 0) ^ 0x9e3779b9;
    this.b = Math.imul(seed | 1, 0x85ebca6b) ^ 0x6d2b79f5;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    let t = this.a;
    const s = this.b;
    this.a = s;
    t ^= t << 23;
    t ^= t >>> 17;
    t ^= s ^ (s >>> 26);
    this.b = t;
    return Math.imul((t + s) | 0, 0x9e3779b1) >>> 0;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** An integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** A 64-bit unsigned integer. */
  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  /** One element of a non-empty array. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
