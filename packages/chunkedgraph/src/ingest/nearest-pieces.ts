/**
 * Joining the pieces of one label: a minimum spanning tree between groups of points, by Borůvka's algorithm over a tree of
 * bounding boxes. Each round finds for every group the nearest point of another one and joins them, so there are at most
 * log2(pieces) rounds, each about n·log n: a label with 10^5 pieces takes seconds, not hours.
 *
 * The tree is exact for the points given. Those are one voxel per supervoxel, so the distance between two pieces is that of
 * their nearest such voxels, not of their surfaces. Equal distances are decided by the order of the points.
 * @module
 */
import { UnionFind } from "../union-find.ts";

/** Points in each leaf of the tree of boxes. */
const LEAF = 8;

/**
 * @param points positions in any isotropic unit, x, y, z of one point after the other.
 * @param pieces the group of each point, 0 … `pieceCount` − 1, each of them used.
 * @returns pairs of point indices, `pieceCount − 1` of them, that make one group of all; in the order they were found.
 */
export function joinNearestPieces(points: Float64Array, pieces: Uint32Array, pieceCount: number): Uint32Array {
  const tree = new PointTree(points);
  const groups = new UnionFind(pieceCount);
  const joins = new Uint32Array(Math.max(0, 2 * (pieceCount - 1)));
  const groupOf = new Uint32Array(pieces.length);
  const best = new Float64Array(pieceCount);
  const from = new Uint32Array(pieceCount);
  const to = new Uint32Array(pieceCount);
  let found = 0;
  while (found < pieceCount - 1) {
    for (let i = 0; i < groupOf.length; i++) groupOf[i] = groups.find(pieces[i]!);
    tree.setGroups(groupOf);
    best.fill(Infinity);
    for (let slot = 0; slot < groupOf.length; slot++) {
      const point = tree.order[slot]!;
      const group = groupOf[point]!;
      if (!tree.nearestOfOtherGroup(point, group, best[group]!)) continue;
      const nearest = tree.nearest;
      const closer = tree.nearestDistance < best[group]! || isBefore(point, nearest, from[group]!, to[group]!);
      if (!closer) continue;
      best[group] = tree.nearestDistance;
      from[group] = point;
      to[group] = nearest;
    }
    for (let group = 0; group < pieceCount; group++) {
      if (best[group] === Infinity) continue;
      if (!groups.union(pieces[from[group]!]!, pieces[to[group]!]!)) continue;
      joins[2 * found] = Math.min(from[group]!, to[group]!);
      joins[2 * found + 1] = Math.max(from[group]!, to[group]!);
      found++;
    }
  }
  return joins;
}

/** Order of pairs of points regardless of direction; breaks ties between equal distances the same way for both ends. */
function isBefore(a: number, b: number, c: number, d: number): boolean {
  const low = Math.min(a, b);
  const otherLow = Math.min(c, d);
  return low < otherLow || (low === otherLow && Math.max(a, b) < Math.max(c, d));
}

/** Boxes over points in Morton order: leaves of {@link LEAF} points, above them a binary heap. */
class PointTree {
  /** Points in tree order. */
  readonly order: Uint32Array;
  /** Result of the last search. */
  nearest = 0;
  nearestDistance = Infinity;
  private readonly points: Float64Array;
  private readonly leaves: number;
  /** Low x, y, z, high x, y, z of each node; node 1 is the top, children of n are 2n and 2n + 1. */
  private readonly boxes: Float64Array;
  /** The one group of all points below a node, or −1. */
  private readonly uniform: Int32Array;
  private groups: Uint32Array = new Uint32Array(0);

  constructor(points: Float64Array) {
    this.points = points;
    this.order = mortonOrder(points);
    let leaves = 1;
    while (leaves * LEAF < this.order.length) leaves *= 2;
    this.leaves = leaves;
    this.boxes = new Float64Array(2 * leaves * 6);
    this.uniform = new Int32Array(2 * leaves);
    this.measure();
  }

  /** Sets the group of each point; searches answer for these groups. */
  setGroups(groups: Uint32Array): void {
    this.groups = groups;
    const { order, uniform, leaves } = this;
    for (let leaf = 0; leaf < leaves; leaf++) {
      const begin = leaf * LEAF;
      const end = Math.min(begin + LEAF, order.length);
      // Below an empty leaf there is nothing to find; −2 agrees with every group.
      let group = begin < end ? groups[order[begin]!]! : -2;
      for (let slot = begin + 1; slot < end; slot++) if (groups[order[slot]!] !== group) group = -1;
      uniform[leaves + leaf] = group;
    }
    for (let node = leaves - 1; node > 0; node--) {
      const left = uniform[2 * node]!;
      const right = uniform[2 * node + 1]!;
      uniform[node] = left === right || right === -2 ? left : left === -2 ? right : -1;
    }
  }

  /** Finds the nearest point outside `group` at a squared distance of at most `limit`; sets `nearest`, `nearestDistance`. */
  nearestOfOtherGroup(point: number, group: number, limit: number): boolean {
    this.nearestDistance = limit;
    this.nearest = -1;
    this.search(1, point, group);
    return this.nearest >= 0;
  }

  private search(node: number, point: number, group: number): void {
    const uniform = this.uniform[node]!;
    if (uniform === group || uniform === -2) return;
    if (this.boxDistance(node, point) > this.nearestDistance) return;
    if (node >= this.leaves) {
      this.searchLeaf(node - this.leaves, point, group);
      return;
    }
    const left = 2 * node;
    const near = this.boxDistance(left, point) <= this.boxDistance(left + 1, point) ? left : left + 1;
    this.search(near, point, group);
    this.search(near ^ 1, point, group);
  }

  private searchLeaf(leaf: number, point: number, group: number): void {
    const { points, order, groups } = this;
    const end = Math.min((leaf + 1) * LEAF, order.length);
    for (let slot = leaf * LEAF; slot < end; slot++) {
      const other = order[slot]!;
      if (groups[other] === group) continue;
      const x = points[3 * other]! - points[3 * point]!;
      const y = points[3 * other + 1]! - points[3 * point + 1]!;
      const z = points[3 * other + 2]! - points[3 * point + 2]!;
      const distance = x * x + y * y + z * z;
      if (distance > this.nearestDistance) continue;
      if (distance === this.nearestDistance && this.nearest >= 0 && !isBefore(point, other, point, this.nearest))
        continue;
      this.nearestDistance = distance;
      this.nearest = other;
    }
  }

  private boxDistance(node: number, point: number): number {
    const { boxes, points } = this;
    let sum = 0;
    for (let axis = 0; axis < 3; axis++) {
      const at = points[3 * point + axis]!;
      const low = boxes[6 * node + axis]!;
      const high = boxes[6 * node + 3 + axis]!;
      const gap = at < low ? low - at : at > high ? at - high : 0;
      sum += gap * gap;
    }
    return sum;
  }

  private measure(): void {
    const { boxes, leaves, order, points } = this;
    for (let node = 1; node < 2 * leaves; node++) {
      boxes.fill(Infinity, 6 * node, 6 * node + 3);
      boxes.fill(-Infinity, 6 * node + 3, 6 * node + 6);
    }
    for (let slot = 0; slot < order.length; slot++) {
      const node = 6 * (leaves + Math.floor(slot / LEAF));
      for (let axis = 0; axis < 3; axis++) {
        const at = points[3 * order[slot]! + axis]!;
        if (at < boxes[node + axis]!) boxes[node + axis] = at;
        if (at > boxes[node + 3 + axis]!) boxes[node + 3 + axis] = at;
      }
    }
    for (let node = leaves - 1; node > 0; node--) {
      for (let axis = 0; axis < 3; axis++) {
        boxes[6 * node + axis] = Math.min(boxes[12 * node + axis]!, boxes[12 * node + 6 + axis]!);
        boxes[6 * node + 3 + axis] = Math.max(boxes[12 * node + 3 + axis]!, boxes[12 * node + 9 + axis]!);
      }
    }
  }
}

/** Point indices along a Morton curve of 2^16 steps per axis through their bounding box; equal codes by index. */
function mortonOrder(points: Float64Array): Uint32Array {
  const count = points.length / 3;
  const codes = new Float64Array(count);
  for (let axis = 0; axis < 3; axis++) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = axis; i < points.length; i += 3) {
      if (points[i]! < low) low = points[i]!;
      if (points[i]! > high) high = points[i]!;
    }
    const scale = high > low ? 65535 / (high - low) : 0;
    for (let i = 0; i < count; i++) codes[i] = codes[i]! + spread16((points[3 * i + axis]! - low) * scale) * 2 ** axis;
  }
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  return order.sort((a, b) => codes[a]! - codes[b]! || a - b);
}

/** The 16 bits of `value` three places apart, as a whole number below 2^46. */
function spread16(value: number): number {
  return spread8(value & 0xff) + spread8((value >>> 8) & 0xff) * 2 ** 24;
}

function spread8(byte: number): number {
  let bits = byte;
  bits = (bits | (bits << 8)) & 0x00f00f;
  bits = (bits | (bits << 4)) & 0x0c30c3;
  bits = (bits | (bits << 2)) & 0x249249;
  return bits;
}
