// Size, box and nearest voxel to the centre of mass of every component, in two passes over its runs.
//
// Stats, 64 bytes per component (component c at c·64, so that 0 is the background's unused entry):
// sum x, y, z u64 | box low x, y, z u32 | box high u32 | voxels u32 | nearest voxel u32 | its squared distance f64
import { skipEqual } from "./lanes";

const STAT: usize = 64;
const SUM: usize = 0;
const LOW: usize = 24;
const HIGH: usize = 36;
const VOXELS: usize = 48;
const NEAREST: usize = 52;
const DISTANCE: usize = 56;

export function clear(stats: usize, count: u32): void {
  memory.fill(stats, 0, (<usize>count + 1) * STAT);
  for (let c: u32 = 1; c <= count; c++) {
    const stat = stats + <usize>c * STAT;
    for (let axis: usize = 0; axis < 12; axis += 4) store<u32>(stat + axis, u32.MAX_VALUE, LOW);
    store<f64>(stat, Infinity, DISTANCE);
  }
}

/** First pass over some rows; returns the first component above `count`, or 0 when there is none. */
export function gather(components: usize, stats: usize, count: u32, firstRow: u32, rows: u32, sx: u32, sy: u32): u32 {
  for (let row = firstRow; row < firstRow + rows; row++) {
    const y = row % sy;
    const z = row / sy;
    const end = components + (<usize>sx << 2);
    for (let p = components; p < end; ) {
      const component = load<u32>(p);
      const from = <u32>((p - components) >> 2);
      p = skipEqual<u32>(p + 4, end, component);
      if (component == 0) continue;
      if (component > count) return component;
      const to = <u32>((p - components) >> 2);
      const length: u64 = to - from;
      const stat = stats + <usize>component * STAT;
      // from + … + to − 1: the product is even, as its factors differ in parity.
      store<u64>(stat, load<u64>(stat, SUM) + ((<u64>from + <u64>to - 1) * length) / 2, SUM);
      store<u64>(stat, load<u64>(stat, SUM + 8) + y * length, SUM + 8);
      store<u64>(stat, load<u64>(stat, SUM + 16) + z * length, SUM + 16);
      store<u32>(stat, min(load<u32>(stat, LOW), from), LOW);
      store<u32>(stat, min(load<u32>(stat, LOW + 4), y), LOW + 4);
      store<u32>(stat, min(load<u32>(stat, LOW + 8), z), LOW + 8);
      store<u32>(stat, max(load<u32>(stat, HIGH), to), HIGH);
      store<u32>(stat, max(load<u32>(stat, HIGH + 4), y + 1), HIGH + 4);
      store<u32>(stat, max(load<u32>(stat, HIGH + 8), z + 1), HIGH + 8);
      store<u32>(stat, load<u32>(stat, VOXELS) + <u32>length, VOXELS);
    }
    components = end;
  }
  return 0;
}

/** Second pass over some rows: the voxel nearest to the centre of mass, the first of equals. */
export function nearest(components: usize, stats: usize, firstRow: u32, rows: u32, sx: u32, sy: u32): void {
  for (let row = firstRow; row < firstRow + rows; row++) {
    const y = <f64>(row % sy);
    const z = <f64>(row / sy);
    const end = components + (<usize>sx << 2);
    for (let p = components; p < end; ) {
      const component = load<u32>(p);
      const from = <u32>((p - components) >> 2);
      p = skipEqual<u32>(p + 4, end, component);
      if (component == 0) continue;
      const to = <u32>((p - components) >> 2);
      const stat = stats + <usize>component * STAT;
      const voxels = <f64>load<u32>(stat, VOXELS);
      const cx = <f64>load<u64>(stat, SUM) / voxels;
      const dy = y - <f64>load<u64>(stat, SUM + 8) / voxels;
      const dz = z - <f64>load<u64>(stat, SUM + 16) / voxels;
      const yz = dy * dy + dz * dz;
      if (yz >= load<f64>(stat, DISTANCE)) continue;
      // The best voxel of a run is next to the centre, on either side.
      const middle = <u32>cx;
      for (let x = max(from, min(middle, to - 1)); x < to && x <= max(middle + 1, from); x++) {
        const dx = <f64>x - cx;
        const distance = yz + dx * dx;
        if (distance >= load<f64>(stat, DISTANCE)) continue;
        store<f64>(stat, distance, DISTANCE);
        store<u32>(stat, row * sx + x, NEAREST);
      }
    }
    components = end;
  }
}
