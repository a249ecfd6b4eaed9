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

/** Unites the components of the runs at `pa` and `pb` if their labels are equal. Runs of label 0 are united like others. */
// @ts-ignore: decorator
@inline
function unite(pa: usize, pb: usize): void {
  if (load<u64>(pa, LABEL) != load<u64>(pb, LABEL)) return;
  const a = load<u32>(pa, PARENT);
  const b = load<u32>(pb, PARENT);
  if (a == b) return;
  // The smaller index becomes the root, so that a root is its component's first run.
  const ra = find(a);
  const rb = find(b);
  const root = min(ra, rb);
  store<u32>(runs + <usize>max(ra, rb) * RUN, root, PARENT);
  store<u32>(pa, root, PARENT);
  store<u32>(pb, root, PARENT);
}

/**
 * Unites the runs [a, aEnd) of one row with those of another from `b` on. Both rows are covered by their runs without gaps,
 * so that the two runs looked at always overlap and both lists end together. Steps without branching on which run ends
 * first, as nothing could predict it.
 */
// @ts-ignore: decorator
@inline
function uniteRows(a: u32, aEnd: u32, b: u32, corners: bool): void {
  let pa = runs + <usize>a * RUN;
  let pb = runs + <usize>b * RUN;
  const end = runs + <usize>aEnd * RUN;
  while (true) {
    unite(pa, pb);
    const endA = load<u32>(pa, END);
    const endB = load<u32>(pb, END);
    pa += RUN * <usize>(endA <= endB);
    pb += RUN * <usize>(endB <= endA);
    if (pa == end) return;
    // Across a common end runs meet at edges or corners only.
    if (corners && endA == endB) {
      unite(pa - RUN, pb);
      unite(pa, pb - RUN);
    }
  }
}

function uniteWithRow(first: u32, row: u32): void {
  const at = rowStarts + (<usize>row << 2);
  if (all26) uniteRows(load<u32>(at), load<u32>(at, 4), first, true);
  else uniteRows(load<u32>(at), load<u32>(at, 4), first, false);
}

/** Unites the runs of a row, from `first` on, with those of the rows before it that it touches. */
function uniteWithRowsBefore(first: u32, row: u32): void {
  const y = row % sy;
  if (y > 0) uniteWithRow(first, row - 1);
  if (row < sy) return;
  const below = row - sy;
  uniteWithRow(first, below);
  if (!all26) return;
  if (y > 0) uniteWithRow(first, below - 1);
  if (y + 1 < sy) uniteWithRow(first, below + 1);
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
    uniteWithRowsBefore(first, row);
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
