// Shortest paths from seeds through a masked block, 26 neighbours, by a circular queue of buckets.
//
// The block has a rim of one voxel all around, so that neighbours need no bounds. Per voxel: f32 distance (negative outside
// of the mask, hence never improved), i32 next and previous in its bucket's list, and f32 cost if there are costs. A bucket
// spans `width`; voxels whose distance falls while they are queued move, and one that falls after it was taken is queued
// again, so distances are exact whatever the width. As float addition is monotone, they also do not depend on the order in
// which voxels of a bucket are taken.

const NONE: i32 = -1;
const UNQUEUED: i32 = -2;

let distances: usize = 0;
let nexts: usize = 0;
let previous: usize = 0;
let costs: usize = 0;
let offsets: usize = 0;
let lengths: usize = 0;
let heads: usize = 0;
let buckets: u32 = 0;
let perWidth: f64 = 0;
let bucket: u64 = 0;
let queued: u32 = 0;

/**
 * Sets where things lie. `offsetsAt`: 26 i32 voxel offsets, `lengthsAt`: 26 f32 step lengths, `headsAt`: `bucketCount` (a power
 * of two) i32. `costsAt` is 0 without costs. All voxels become unqueued; distances are the caller's to fill.
 */
export function start(
  distancesAt: usize,
  nextsAt: usize,
  previousAt: usize,
  costsAt: usize,
  offsetsAt: usize,
  lengthsAt: usize,
  headsAt: usize,
  bucketCount: u32,
  width: f64,
  voxels: u32,
): void {
  distances = distancesAt;
  nexts = nextsAt;
  previous = previousAt;
  costs = costsAt;
  offsets = offsetsAt;
  lengths = lengthsAt;
  heads = headsAt;
  buckets = bucketCount;
  perWidth = 1 / width;
  bucket = 0;
  queued = 0;
  memory.fill(heads, 0xff, <usize>bucketCount << 2);
  const all = i32x4.splat(UNQUEUED);
  const end = nexts + (<usize>voxels << 2);
  let at = nexts;
  for (; at + 16 <= end; at += 16) v128.store(at, all);
  for (; at < end; at += 4) store<i32>(at, UNQUEUED);
}

/** Distances of `n` voxels from mask bytes: Infinity inside, −1 outside. */
export function open(mask: usize, voxel: u32, n: u32): void {
  const to = distances + (<usize>voxel << 2);
  for (let i: u32 = 0; i < n; i++) store<f32>(to + (<usize>i << 2), load<u8>(mask + i) == 0 ? -1 : Infinity);
}

/** All `n` voxels from `voxel` on lie outside. */
export function close(voxel: u32, n: u32): void {
  const to = distances + (<usize>voxel << 2);
  for (let i: u32 = 0; i < n; i++) store<f32>(to + (<usize>i << 2), -1);
}

/** Starts at a voxel of the mask; false for one outside. */
export function seed(voxel: u32): bool {
  const at = distances + (<usize>voxel << 2);
  if (load<f32>(at) < 0) return false;
  if (load<f32>(at) > 0) reach(voxel, 0);
  return true;
}

/** Begins again at distance 0, once nothing is queued: distances stay, and new seeds make them smaller. */
export function restart(): void {
  bucket = 0;
}

// @ts-ignore: decorator
@inline
function headOf(distance: f32): usize {
  return heads + (<usize>(<u32>(<u64>(<f64>distance * perWidth)) & (buckets - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function unlink(voxel: u32, head: usize): void {
  const next = load<i32>(nexts + (<usize>voxel << 2));
  const before = load<i32>(previous + (<usize>voxel << 2));
  if (before == NONE) store<i32>(head, next);
  else store<i32>(nexts + (<usize>before << 2), next);
  if (next != NONE) store<i32>(previous + (<usize>next << 2), before);
}

/** Gives a voxel a smaller distance and its place in the queue. */
// @ts-ignore: decorator
@inline
function reach(voxel: u32, distance: f32): void {
  const at = distances + (<usize>voxel << 2);
  const head = headOf(distance);
  if (load<i32>(nexts + (<usize>voxel << 2)) != UNQUEUED) {
    const old = headOf(load<f32>(at));
    store<f32>(at, distance);
    if (old == head) return;
    unlink(voxel, old);
  } else {
    store<f32>(at, distance);
    queued++;
  }
  const first = load<i32>(head);
  store<i32>(nexts + (<usize>voxel << 2), first);
  store<i32>(previous + (<usize>voxel << 2), NONE);
  if (first != NONE) store<i32>(previous + (<usize>first << 2), voxel);
  store<i32>(head, voxel);
}

// @ts-ignore: decorator
@inline
function run<Costs>(budget: u32): bool {
  while (queued > 0) {
    const head = heads + (<usize>(<u32>bucket & (buckets - 1)) << 2);
    const taken = load<i32>(head);
    if (taken == NONE) {
      bucket++;
      continue;
    }
    if (budget-- == 0) return true;
    const voxel = <u32>taken;
    unlink(voxel, head);
    store<i32>(nexts + (<usize>voxel << 2), UNQUEUED);
    queued--;
    const distance = load<f32>(distances + (<usize>voxel << 2));
    const half: f32 = isBoolean<Costs>() ? load<f32>(costs + (<usize>voxel << 2)) * 0.5 : 0;
    for (let k: usize = 0; k < 104; k += 4) {
      const other = <u32>(taken + load<i32>(offsets + k));
      const there = load<f32>(distances + (<usize>other << 2));
      let step = load<f32>(lengths + k);
      // Outside is negative; no distance below the present one improves either.
      if (there <= distance + (isBoolean<Costs>() ? 0 : step)) continue;
      if (isBoolean<Costs>()) step *= half + load<f32>(costs + (<usize>other << 2)) * 0.5;
      const through = distance + step;
      if (through < there) reach(other, through);
    }
  }
  return false;
}

/** Takes up to `budget` voxels from the queue; whether there is more to do. */
export function advance(budget: u32): bool {
  return costs == 0 ? run<u8>(budget) : run<bool>(budget);
}

/** No distance below this can still change. */
export function settled(): f64 {
  return queued == 0 ? Infinity : <f64>bucket / perWidth;
}
