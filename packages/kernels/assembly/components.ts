// Connected components of equal label by runs: a row is cut into runs along x, runs of neighbouring rows that touch and
// carry the same label are united, and at the end each run becomes its component's number. The work is per run, not per
// voxel, and nothing but the runs outlives a slab.
//
// Row starts: u32 per row, the index of its first run, and one after the last row.
// Runs, 16 bytes each, at `runs`, the last thing in memory: label u64, end x u32, parent u32.
import { ensure, fillOver, skipEqual } from "./lanes";

const RUN: usize = 16;
const LABEL: usize = 0;
const END: usize = 8;
const PARENT: usize = 12;

let rowStarts: usize = 0;
let runs: usize = 0;
let count: u32 = 0;
let sx: u32 = 0;
let sy: u32 = 0;
let all26: bool = false;

/** Begins a block. */
export function start(rowStartsAt: usize, runsAt: usize, sizeX: u32, sizeY: u32, connectivity: u32): void {
  rowStarts = rowStartsAt;
  runs = runsAt;
  count = 0;
  sx = sizeX;
  sy = sizeY;
  all26 = connectivity == 26;
}

// @ts-ignore: decorator
@inline
function find(run: u32): u32 {
  let at = runs + <usize>run * RUN;
  let parent = load<u32>(at, PARENT);
  while (parent != run) {
    // Path halving: point to the grandparent and go there.
    const up = load<u32>(runs + <usize>parent * RUN, PARENT);
    store<u32>(at, up, PARENT);
    run = up;
    at = runs + <usize>run * RUN;
    parent = load<u32>(at, PARENT);
  }
  return run;
}

// @ts-ignore: decorator
@inline
function unite(a: u32, b: u32): void {
  const pa = runs + <usize>a * RUN;
  const pb = runs + <usize>b * RUN;
  if (load<u64>(pa, LABEL) != load<u64>(pb, LABEL) || load<u64>(pa, LABEL) == 0) return;
  if (load<u32>(pa, PARENT) == load<u32>(pb, PARENT)) return;
  const ra = find(a);
  const rb = find(b);
  // The smaller index becomes the root, so that a root is its component's first run.
  if (ra < rb) store<u32>(runs + <usize>rb * RUN, ra, PARENT);
  else if (rb < ra) store<u32>(runs + <usize>ra * RUN, rb, PARENT);
}

/** Unites the runs [a, aEnd) of one row with [b, bEnd) of another. Both rows are covered by their runs without gaps. */
function uniteRows(a: u32, aEnd: u32, b: u32, bEnd: u32): void {
  while (true) {
    unite(a, b);
    const endA = load<u32>(runs + <usize>a * RUN, END);
    const endB = load<u32>(runs + <usize>b * RUN, END);
    if (endA < endB) {
      a++;
    } else if (endB < endA) {
      b++;
    } else {
      // Both end here: across the common end they meet at edges or corners only.
      if (++a == aEnd) return;
      if (++b == bEnd) return;
      if (all26) {
        unite(a - 1, b);
        unite(a, b - 1);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function uniteWithRow(first: u32, end: u32, row: u32): void {
  const at = rowStarts + (<usize>row << 2);
  uniteRows(load<u32>(at), load<u32>(at, 4), first, end);
}

// @ts-ignore: decorator
@inline
function scan<T>(labels: usize, firstRow: u32, rows: u32): bool {
  const width = <usize>sx * sizeof<T>();
  for (let row = firstRow; row < firstRow + rows; row++, labels += width) {
    if (!ensure(<u64>runs + (<u64>count + sx) * RUN)) return false;
    const first = count;
    store<u32>(rowStarts + (<usize>row << 2), first);
    let run = runs + <usize>first * RUN;
    const end = labels + width;
    for (let p = labels; p < end; run += RUN) {
      const label = load<T>(p);
      p = skipEqual<T>(p + sizeof<T>(), end, label);
      store<u64>(run, <u64>label, LABEL);
      store<u32>(run, <u32>((p - labels) / sizeof<T>()), END);
      store<u32>(run, count++, PARENT);
    }
    store<u32>(rowStarts + (<usize>row << 2), count, 4);

    const y = row % sy;
    if (y > 0) uniteWithRow(first, count, row - 1);
    if (row >= sy) {
      const below = row - sy;
      uniteWithRow(first, count, below);
      if (all26) {
        if (y > 0) uniteWithRow(first, count, below - 1);
        if (y + 1 < sy) uniteWithRow(first, count, below + 1);
      }
    }
  }
  return true;
}

/** Takes in `rows` further rows; false when memory ends. */
export function scanU8(labels: usize, firstRow: u32, rows: u32): bool {
  return scan<u8>(labels, firstRow, rows);
}
export function scanU16(labels: usize, firstRow: u32, rows: u32): bool {
  return scan<u16>(labels, firstRow, rows);
}
export function scanU32(labels: usize, firstRow: u32, rows: u32): bool {
  return scan<u32>(labels, firstRow, rows);
}
export function scanU64(labels: usize, firstRow: u32, rows: u32): bool {
  return scan<u64>(labels, firstRow, rows);
}

/** Turns every run's parent into its component's number and returns the number of components. */
export function number(): u32 {
  let components: u32 = 0;
  for (let run: u32 = 0; run < count; run++) {
    const at = runs + <usize>run * RUN;
    const parent = load<u32>(at, PARENT);
    if (load<u64>(at, LABEL) == 0) store<u32>(at, 0, PARENT);
    else if (parent == run) store<u32>(at, ++components, PARENT);
    // A parent comes before its run, so it is numbered already.
    else store<u32>(at, load<u32>(runs + <usize>parent * RUN, PARENT), PARENT);
  }
  return components;
}

/** Writes the component of each voxel of some rows; the last row may be written up to 15 bytes over. */
export function write(out: usize, firstRow: u32, rows: u32): void {
  const width = <usize>sx << 2;
  for (let row = firstRow; row < firstRow + rows; row++, out += width) {
    const at = rowStarts + (<usize>row << 2);
    const end = runs + <usize>load<u32>(at, 4) * RUN;
    let p = out;
    for (let run = runs + <usize>load<u32>(at) * RUN; run < end; run += RUN) {
      const next = out + (<usize>load<u32>(run, END) << 2);
      fillOver<u32>(p, next, load<u32>(run, PARENT));
      p = next;
    }
  }
}
