import { VertexHeap } from "./vertex-heap.ts";

/** Fewer vertices than this are not worth an estimate of their distances. */
const FEW = 64;
/** How many distances are looked at to find one that a quarter of all lie below. */
const SAMPLE = 32;

/**
 * Vertices by their tentative distance, nearest first, equal ones by number: the order of {@link VertexHeap}, in less time.
 * Only the near ones are in a heap, which stays in cache; the far ones lie unsorted until the near ones are used up, and
 * most whose distance falls in the meantime are never sorted at all.
 *
 * A vertex is pushed whenever its distance has fallen; only its least distance counts.
 */
export class DistanceQueue {
  private readonly distance: Float64Array;
  private readonly near = new VertexHeap();
  /** What is at most this far is near. */
  private horizon = -1;
  private far = new Int32Array(256);
  /** The distances at which the far ones were pushed. */
  private farKeys = new Float64Array(256);
  private count = 0;

  /** @param distance per vertex, ≥ 0; the caller lowers entries before it pushes their vertices. */
  constructor(distance: Float64Array) {
    this.distance = distance;
  }

  /** Queues a vertex at its present distance. */
  push(vertex: number): void {
    const key = this.distance[vertex]!;
    if (key <= this.horizon) {
      this.near.push(key, vertex);
      return;
    }
    if (this.count === this.far.length) this.grow();
    this.far[this.count] = vertex;
    this.farKeys[this.count++] = key;
  }

  /** The nearest vertex, or -1. */
  pop(): number {
    for (;;) {
      const vertex = this.near.pop();
      if (vertex < 0) {
        if (this.count === 0) return -1;
        this.widen();
      } else if (this.near.key === this.distance[vertex]) return vertex;
    }
  }

  /** Moves about a quarter of the far vertices to the near ones, and drops those that were pushed again at less. */
  private widen(): void {
    const { distance, far, farKeys } = this;
    let live = 0;
    for (let i = 0; i < this.count; i++) {
      const vertex = far[i]!;
      const key = farKeys[i]!;
      far[live] = vertex;
      farKeys[live] = key;
      if (key === distance[vertex]) live++;
    }
    const horizon = lowerQuarter(farKeys, live);
    let rest = 0;
    for (let i = 0; i < live; i++) {
      const vertex = far[i]!;
      const key = farKeys[i]!;
      if (key <= horizon) this.near.push(key, vertex);
      else {
        far[rest] = vertex;
        farKeys[rest++] = key;
      }
    }
    this.count = rest;
    this.horizon = horizon;
  }

  private grow(): void {
    const far = new Int32Array(2 * this.far.length);
    const farKeys = new Float64Array(far.length);
    far.set(this.far);
    farKeys.set(this.farKeys);
    this.far = far;
    this.farKeys = farKeys;
  }
}

/** One of the first `count` keys that about a quarter of them are not above; their order among each other does not matter. */
function lowerQuarter(keys: Float64Array, count: number): number {
  if (count === 0) return -1;
  const step = count < FEW ? 1 : Math.floor(count / SAMPLE);
  const sample = new Float64Array(Math.ceil(count / step));
  for (let i = 0; i < sample.length; i++) sample[i] = keys[i * step]!;
  return sample.sort()[sample.length >> 2]!;
}
