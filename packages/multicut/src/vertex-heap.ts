/**
 * A 4-ary min-heap of vertices ordered by (key, vertex), so that equal keys leave in one order whatever happened before.
 * Entries are not moved when a key falls: push again and skip the stale one when it is popped.
 */
export class VertexHeap {
  private keys = new Float64Array(256);
  private vertices = new Int32Array(256);
  private count = 0;
  /** Key of the vertex that `pop` returned last. */
  key = 0;

  push(key: number, vertex: number): void {
    if (this.count === this.keys.length) this.grow();
    const { keys, vertices } = this;
    let at = this.count++;
    while (at > 0) {
      const up = (at - 1) >> 2;
      if (keys[up]! < key || (keys[up] === key && vertices[up]! <= vertex)) break;
      keys[at] = keys[up]!;
      vertices[at] = vertices[up]!;
      at = up;
    }
    keys[at] = key;
    vertices[at] = vertex;
  }

  /** The vertex of the smallest entry, or -1. */
  pop(): number {
    if (this.count === 0) return -1;
    const { keys, vertices } = this;
    const top = vertices[0]!;
    this.key = keys[0]!;
    const count = --this.count;
    const key = keys[count]!;
    const vertex = vertices[count]!;
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= count) break;
      let least = first;
      const end = Math.min(first + 4, count);
      for (let child = first + 1; child < end; child++) {
        if (keys[child]! < keys[least]! || (keys[child] === keys[least] && vertices[child]! < vertices[least]!))
          least = child;
      }
      if (keys[least]! > key || (keys[least] === key && vertices[least]! >= vertex)) break;
      keys[at] = keys[least]!;
      vertices[at] = vertices[least]!;
      at = least;
    }
    keys[at] = key;
    vertices[at] = vertex;
    return top;
  }

  private grow(): void {
    const keys = new Float64Array(2 * this.keys.length);
    const vertices = new Int32Array(2 * this.vertices.length);
    keys.set(this.keys);
    vertices.set(this.vertices);
    this.keys = keys;
    this.vertices = vertices;
  }
}
