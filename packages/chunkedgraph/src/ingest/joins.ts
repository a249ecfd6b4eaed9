import { UnionFind } from "../union-find.ts";
import type { SupervoxelCount } from "./supervoxel-count.ts";

/** Chunks whose level-2 numbers are remembered. */
const REMEMBERED = 64;

/** The edges that keep broken labels whole, found by either end. Supervoxels are counted over the volume. */
export class Joins {
  /** Pairs ordered by their first, smaller supervoxel. */
  readonly pairs: Uint32Array;
  private readonly count: SupervoxelCount;
  /** Indices of pairs, ordered by their second supervoxel. */
  private readonly bySecond: Uint32Array;
  private readonly level2 = new Map<number, Uint32Array>();

  constructor(pairs: Uint32Array, count: SupervoxelCount) {
    this.pairs = pairs;
    this.count = count;
    const order = Uint32Array.from({ length: pairs.length / 2 }, (_, i) => i);
    this.bySecond = order.sort((a, b) => pairs[2 * a + 1]! - pairs[2 * b + 1]! || a - b);
  }

  /** Pairs whose first supervoxel is in the chunk. */
  from(chunk: number): Uint32Array {
    const begin = this.firstAtLeast(this.count.start(chunk), (i) => this.pairs[2 * i]!);
    const end = this.firstAtLeast(this.count.start(chunk + 1), (i) => this.pairs[2 * i]!);
    return this.pairs.subarray(2 * begin, 2 * end);
  }

  /** Pairs whose second supervoxel is in the chunk and whose first is not. */
  into(chunk: number): Uint32Array {
    const second = (i: number): number => this.pairs[2 * this.bySecond[i]! + 1]!;
    const start = this.count.start(chunk);
    const begin = this.firstAtLeast(start, second);
    const end = this.firstAtLeast(this.count.start(chunk + 1), second);
    const found: number[] = [];
    for (let i = begin; i < end; i++) {
      const pair = 2 * this.bySecond[i]!;
      if (this.pairs[pair]! < start) found.push(this.pairs[pair]!, this.pairs[pair + 1]!);
    }
    return Uint32Array.from(found);
  }

  /**
   * The level-2 number of each supervoxel of a chunk: element n − 1 is that of supervoxel n. Level-2 nodes are the sets that
   * edges inside the chunk join, numbered 1, 2, … by their smallest supervoxel.
   */
  level2Numbers(chunk: number): Uint32Array {
    const known = this.level2.get(chunk);
    if (known !== undefined) return known;
    const start = this.count.start(chunk);
    const sets = new UnionFind(this.count.count(chunk));
    const pairs = this.from(chunk);
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i + 1]! < this.count.start(chunk + 1)) sets.union(pairs[i]! - start, pairs[i + 1]! - start);
    }
    const numbers = sets.intoSetNumbers();
    for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! + 1;
    const oldest = this.level2.keys().next();
    if (this.level2.size >= REMEMBERED && !oldest.done) this.level2.delete(oldest.value);
    this.level2.set(chunk, numbers);
    return numbers;
  }

  private firstAtLeast(supervoxel: number, keyOf: (index: number) => number): number {
    let begin = 0;
    let end = this.bySecond.length;
    while (begin < end) {
      const middle = (begin + end) >>> 1;
      if (keyOf(middle) < supervoxel) begin = middle + 1;
      else end = middle;
    }
    return begin;
  }
}
