// Minimum cut of a masked block whose voxels are joined to their 26 neighbours: push-relabel (Goldberg and Tarjan 1988),
// first in first out, heights from a breadth-first search that is repeated (global relabelling), first phase only.
//
// The block has a rim of one voxel. `places` says per voxel: −1 outside, −2 source, −3 sink, else the number of its node. Arcs
// are implicit: the pair in forward direction k of a node has capacity weight[k]·e/255, at least 1, the same both ways, and one
// signed flow kept at the node that comes first (e: fifteen parts of the lesser evidence and one of the greater). Source and
// sink voxels are no nodes: what leaves a source is excess from the start, what enters a sink is one number per node.
//
// Node, 48 bytes: voxel i32, excess i32, room to the sink i32, height i32, next in queue i32, 13 flows i16, 2 unused.

const NODE: usize = 48;
const EXCESS: usize = 4;
const ROOM: usize = 8;
const HEIGHT: usize = 12;
const NEXT: usize = 16;
const FLOWS: usize = 20;
const FAR: i32 = i32.MAX_VALUE;
const NONE: i32 = -1;
const UNQUEUED: i32 = -2;
const SOURCE: i32 = -2;
const SINK: i32 = -3;

let places: usize = 0;
let evidence: usize = 0;
let offsets: usize = 0;
let weights: usize = 0;
let nodes: usize = 0;
let count: i32 = 0;
let head: i32 = NONE;
let tail: i32 = NONE;
let relabelled: u64 = 0;
let flow: f64 = 0;

/** Sets where things lie; `offsetsAt` and `weightsAt` hold 13 i32 each, `evidenceAt` a byte per voxel, or is 0. */
export function start(placesAt: usize, evidenceAt: usize, offsetsAt: usize, weightsAt: usize, nodesAt: usize): void {
  places = placesAt;
  evidence = evidenceAt;
  offsets = offsetsAt;
  weights = weightsAt;
  nodes = nodesAt;
  count = 0;
  head = NONE;
  tail = NONE;
  relabelled = 0;
  flow = 0;
}

/** Places of `n` voxels from their states: 0 outside, 1 free, 2 source, 3 sink. Free voxels become nodes, in order. */
export function enter(states: usize, voxel: u32, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const state = load<u8>(states + i);
    let place = state == 0 ? NONE : -<i32>state;
    if (state == 1) {
      place = count++;
      const node = nodeAt(place);
      memory.fill(node, 0, NODE);
      store<i32>(node, voxel + i);
    }
    store<i32>(places + ((<usize>voxel + i) << 2), place);
  }
}

/** `n` voxels that lie outside. */
export function close(voxel: u32, n: u32): void {
  memory.fill(places + (<usize>voxel << 2), 0xff, <usize>n << 2);
}

// @ts-ignore: decorator
@inline
function nodeAt(place: i32): usize {
  return nodes + <usize>place * NODE;
}

// @ts-ignore: decorator
@inline
function placeOf(voxel: i32): i32 {
  return load<i32>(places + (<usize>voxel << 2));
}

// @ts-ignore: decorator
@inline
function capacity<Weighed>(a: i32, b: i32, k: usize): i32 {
  const weight = load<i32>(weights + (k << 2));
  if (weight == 0) return 0;
  if (!isBoolean<Weighed>()) return weight;
  const one = <i32>load<u8>(evidence + <usize>a);
  const two = <i32>load<u8>(evidence + <usize>b);
  // Division by 255 · 16, rounding to nearest.
  return max(1, (weight * (one + two + 14 * min(one, two)) + 2040) / 4080);
}

/** The arcs between voxels and terminals, for voxels in [from, to); source to sink counts at once. */
// @ts-ignore: decorator
@inline
function terminals<Weighed>(from: i32, to: i32): void {
  for (let voxel = from; voxel < to; voxel++) {
    const place = placeOf(voxel);
    if (place == NONE) continue;
    for (let k: usize = 0; k < 13; k++) {
      const other = voxel + load<i32>(offsets + (k << 2));
      const there = placeOf(other);
      if (there == NONE || (place >= 0 && there >= 0) || place == there) continue;
      const room = capacity<Weighed>(voxel, other, k);
      if (place < 0 && there < 0) {
        flow += <f64>room;
        continue;
      }
      const node = nodeAt(max(place, there));
      const field = min(place, there) == SOURCE ? EXCESS : ROOM;
      store<i32>(node + field, load<i32>(node + field) + room);
    }
  }
}

export function join(from: i32, to: i32): void {
  if (evidence == 0) terminals<u8>(from, to);
  else terminals<bool>(from, to);
}

// @ts-ignore: decorator
@inline
function append(place: i32, node: usize): void {
  if (load<i32>(node, NEXT) != UNQUEUED) return;
  store<i32>(node, NONE, NEXT);
  if (tail == NONE) head = place;
  else store<i32>(nodeAt(tail), place, NEXT);
  tail = place;
}

// @ts-ignore: decorator
@inline
function take(): usize {
  const node = nodeAt(head);
  head = load<i32>(node, NEXT);
  if (head == NONE) tail = NONE;
  store<i32>(node, UNQUEUED, NEXT);
  return node;
}

/** Exact heights: arcs to the sink; nodes that cannot reach it get FAR. Leaves the active nodes queued; whether any is. */
// @ts-ignore: decorator
@inline
function search<Weighed>(): bool {
  head = NONE;
  tail = NONE;
  relabelled = 0;
  const end = nodeAt(count);
  for (let node = nodes, place = 0; node < end; node += NODE, place++) {
    store<i32>(node, FAR, HEIGHT);
    store<i32>(node, UNQUEUED, NEXT);
    if (load<i32>(node, ROOM) > 0) {
      store<i32>(node, 1, HEIGHT);
      append(place, node);
    }
  }
  while (head != NONE) {
    const node = take();
    const voxel = load<i32>(node);
    const height = load<i32>(node, HEIGHT) + 1;
    for (let k: usize = 0; k < 13; k++) {
      const offset = load<i32>(offsets + (k << 2));
      const ahead = placeOf(voxel + offset);
      if (ahead >= 0) {
        const other = nodeAt(ahead);
        // From ahead to here: against the arc's direction.
        if (load<i32>(other, HEIGHT) == FAR) {
          const room = capacity<Weighed>(voxel, voxel + offset, k) + <i32>load<i16>(node + (k << 1), FLOWS);
          if (room > 0) {
            store<i32>(other, height, HEIGHT);
            append(ahead, other);
          }
        }
      }
      const behind = placeOf(voxel - offset);
      if (behind >= 0) {
        const other = nodeAt(behind);
        if (load<i32>(other, HEIGHT) == FAR) {
          const room = capacity<Weighed>(voxel - offset, voxel, k) - <i32>load<i16>(other + (k << 1), FLOWS);
          if (room > 0) {
            store<i32>(other, height, HEIGHT);
            append(behind, other);
          }
        }
      }
    }
  }
  for (let node = nodes, place = 0; node < end; node += NODE, place++) {
    if (load<i32>(node, EXCESS) > 0 && load<i32>(node, HEIGHT) != FAR) append(place, node);
  }
  return head != NONE;
}

/** Searches heights anew; whether any excess can still reach the sink. */
export function relabelAll(): bool {
  return evidence == 0 ? search<u8>() : search<bool>();
}

/** Pushes what a node has; relabels it when some stays. Whether it ended with excess. */
// @ts-ignore: decorator
@inline
function discharge<Weighed>(node: usize): bool {
  const voxel = load<i32>(node);
  const height = load<i32>(node, HEIGHT);
  let excess = load<i32>(node, EXCESS);
  let lowest: i32 = FAR - 1;
  const room = load<i32>(node, ROOM);
  if (room > 0) {
    // Nothing is nearer to the sink than an arc into it, so height is 1 here.
    const pushed = min(excess, room);
    flow += <f64>pushed;
    store<i32>(node, room - pushed, ROOM);
    excess -= pushed;
    if (room > pushed) lowest = 0;
  }
  for (let k: usize = 0; k < 13 && excess > 0; k++) {
    const offset = load<i32>(offsets + (k << 2));
    const ahead = placeOf(voxel + offset);
    if (ahead >= 0) {
      const other = nodeAt(ahead);
      const there = load<i32>(other, HEIGHT);
      if (there < lowest) {
        const sent = <i32>load<i16>(node + (k << 1), FLOWS);
        const left = capacity<Weighed>(voxel, voxel + offset, k) - sent;
        if (left > 0) {
          if (there < height) {
            const pushed = min(excess, left);
            store<i16>(node + (k << 1), <i16>(sent + pushed), FLOWS);
            store<i32>(other, load<i32>(other, EXCESS) + pushed, EXCESS);
            append(ahead, other);
            excess -= pushed;
            if (left > pushed) lowest = there;
          } else lowest = there;
        }
      }
    }
    if (excess == 0) break;
    const behind = placeOf(voxel - offset);
    if (behind >= 0) {
      const other = nodeAt(behind);
      const there = load<i32>(other, HEIGHT);
      if (there < lowest) {
        const came = <i32>load<i16>(other + (k << 1), FLOWS);
        const left = capacity<Weighed>(voxel - offset, voxel, k) + came;
        if (left > 0) {
          if (there < height) {
            const pushed = min(excess, left);
            store<i16>(other + (k << 1), <i16>(came - pushed), FLOWS);
            store<i32>(other, load<i32>(other, EXCESS) + pushed, EXCESS);
            append(behind, other);
            excess -= pushed;
            if (left > pushed) lowest = there;
          } else lowest = there;
        }
      }
    }
  }
  store<i32>(node, excess, EXCESS);
  if (excess == 0) return false;
  relabelled++;
  // Heights of nodes that reach the sink stay below the node count.
  store<i32>(node, lowest + 1 > count ? FAR : lowest + 1, HEIGHT);
  return true;
}

// @ts-ignore: decorator
@inline
function run<Weighed>(budget: u32): i32 {
  // Heights age as flow moves; searching after a quarter as many relabellings as nodes was fastest on bands and solid blocks.
  const limit = max<u64>(64, <u64>count >> 2);
  while (head != NONE) {
    if (relabelled > limit) return 1;
    if (budget-- == 0) return 2;
    const place = head;
    const node = take();
    if (load<i32>(node, HEIGHT) == FAR) continue;
    if (discharge<Weighed>(node) && load<i32>(node, HEIGHT) != FAR) append(place, node);
  }
  return 0;
}

/** Discharges up to `budget` nodes: 0 when none is left, 1 when heights should be searched anew, 2 when the budget ended. */
export function advance(budget: u32): i32 {
  return evidence == 0 ? run<u8>(budget) : run<bool>(budget);
}

/** The flow into the sink so far. */
export function total(): f64 {
  return flow;
}

// @ts-ignore: decorator
@inline
function sideOf(place: i32): u8 {
  if (place == NONE) return 0;
  if (place < 0) return place == SOURCE ? 1 : 2;
  return load<i32>(nodeAt(place), HEIGHT) == FAR ? 1 : 2;
}

/** After a search found no active node: the sides of `n` voxels, 0 outside, 1 source, 2 those that reach the sink. */
export function sides(voxel: u32, n: u32, to: usize): void {
  for (let i: u32 = 0; i < n; i++) store<u8>(to + i, sideOf(placeOf(<i32>(voxel + i))));
}

// @ts-ignore: decorator
@inline
function weigh<Weighed>(from: i32, to: i32): f64 {
  let sum: f64 = 0;
  for (let voxel = from; voxel < to; voxel++) {
    const side = sideOf(placeOf(voxel));
    if (side == 0) continue;
    for (let k: usize = 0; k < 13; k++) {
      const other = voxel + load<i32>(offsets + (k << 2));
      if (side + sideOf(placeOf(other)) == 3 && placeOf(other) != NONE) sum += <f64>capacity<Weighed>(voxel, other, k);
    }
  }
  return sum;
}

/** The capacity between the two sides over the pairs that begin at voxels in [from, to): the sum must equal the flow. */
export function cutWeight(from: i32, to: i32): f64 {
  return evidence == 0 ? weigh<u8>(from, to) : weigh<bool>(from, to);
}
