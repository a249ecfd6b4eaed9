/**
 * Disjoint sets over the items 0 … size − 1; 4 bytes each. The smallest member of a set stands for it, whatever the order of
 * unions, so that every answer is reproducible.
 */
export class UnionFind {
  readonly parents: Uint32Array;

  constructor(size: number) {
    this.parents = new Uint32Array(size);
    for (let i = 0; i < size; i++) this.parents[i] = i;
  }

  /** The smallest member of the set of `item`. */
  find(item: number): number {
    const parents = this.parents;
    let at = item;
    for (;;) {
      const parent = parents[at]!;
      if (parent === at) return at;
      const next = parents[parent]!;
      parents[at] = next;
      at = next;
    }
  }

  /** Joins two sets. @returns whether they were apart. */
  union(a: number, b: number): boolean {
    const first = this.find(a);
    const second = this.find(b);
    if (first === second) return false;
    if (first < second) this.parents[second] = first;
    else this.parents[first] = second;
    return true;
  }

  /** How many sets there are. */
  count(): number {
    let sets = 0;
    for (let i = 0; i < this.parents.length; i++) if (this.parents[i] === i) sets++;
    return sets;
  }

  /**
   * Numbers the sets 0, 1, 2, … by smallest member and gives each item's set number. Uses the memory of this structure,
   * which must not be used afterwards.
   */
  intoSetNumbers(): Uint32Array {
    const numbers = this.parents;
    let sets = 0;
    // A parent is always smaller than its child, so it has been renumbered when the child is reached.
    for (let i = 0; i < numbers.length; i++) {
      const parent = numbers[i]!;
      numbers[i] = parent === i ? sets++ : numbers[parent]!;
    }
    return numbers;
  }
}
