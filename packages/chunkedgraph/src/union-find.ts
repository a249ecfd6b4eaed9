/** Disjoint sets of 0 … size − 1; the smallest member stands for its set. Four bytes per item. */
export class UnionFind {
  private readonly parent: Uint32Array;

  constructor(size: number) {
    this.parent = new Uint32Array(size);
    for (let i = 0; i < size; i++) this.parent[i] = i;
  }

  /** The smallest member of the item's set. */
  find(item: number): number {
    const parent = this.parent;
    let at = item;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }

  join(a: number, b: number): void {
    const first = this.find(a);
    const second = this.find(b);
    if (first < second) this.parent[second] = first;
    else this.parent[first] = second;
  }
}
