// Labels to dense numbers in first-seen order, by an open-addressing table at the end of memory.
//
// Entries, 16 bytes: label u64, number u32 (0 = empty, as numbers start at 1 and label 0 is never entered), padding.
import { ensure, fillOver, skipEqual } from "./lanes";

const ENTRY: usize = 16;
const FIRST_CAPACITY: u32 = 1024;

let table: usize = 0;
let capacity: u32 = 0;
let used: u32 = 0;

/** Begins with an empty table at `tableAt`. */
export function start(tableAt: usize): bool {
  table = tableAt;
  capacity = FIRST_CAPACITY;
  used = 0;
  if (!ensure(<u64>table + <u64>capacity * ENTRY)) return false;
  memory.fill(table, 0, <usize>capacity * ENTRY);
  return true;
}

// @ts-ignore: decorator
@inline
function slotOf(label: u64): usize {
  const mask = capacity - 1;
  let slot = <u32>((label * 0x9e3779b97f4a7c15) >> 32) & mask;
  while (true) {
    const at = table + <usize>slot * ENTRY;
    if (load<u32>(at, 8) == 0 || load<u64>(at) == label) return at;
    slot = (slot + 1) & mask;
  }
}

function grow(): bool {
  const bytes = <usize>capacity * ENTRY;
  if (!ensure(<u64>table + 3 * <u64>bytes)) return false;
  const old = table + 2 * bytes;
  memory.copy(old, table, bytes);
  memory.fill(table, 0, 2 * bytes);
  capacity <<= 1;
  for (let at = old; at < old + bytes; at += ENTRY) {
    if (load<u32>(at, 8) != 0) v128.store(slotOf(load<u64>(at)), v128.load(at));
  }
  return true;
}

/** The number of a non-zero label, entering it if new; 0 when memory ends. */
function numberOf(label: u64): u32 {
  let at = slotOf(label);
  if (load<u32>(at, 8) != 0) return load<u32>(at, 8);
  if (used + 1 > capacity >> 1) {
    if (!grow()) return 0;
    at = slotOf(label);
  }
  store<u64>(at, label);
  store<u32>(at, ++used, 8);
  return used;
}

// @ts-ignore: decorator
@inline
function assign<T>(labels: usize, n: u32, out: usize): bool {
  const end = labels + <usize>n * sizeof<T>();
  while (labels < end) {
    const label = load<T>(labels);
    const next = skipEqual<T>(labels + sizeof<T>(), end, label);
    let number: u32 = 0;
    if (label != 0) {
      number = numberOf(<u64>label);
      if (number == 0) return false;
    }
    const outNext = out + ((next - labels) / sizeof<T>()) * 4;
    fillOver<u32>(out, outNext, number);
    out = outNext;
    labels = next;
  }
  return true;
}

/** Writes the numbers of `n` labels, up to 15 bytes over; false when memory ends. */
export function assignU8(labels: usize, n: u32, out: usize): bool {
  return assign<u8>(labels, n, out);
}
export function assignU16(labels: usize, n: u32, out: usize): bool {
  return assign<u16>(labels, n, out);
}
export function assignU32(labels: usize, n: u32, out: usize): bool {
  return assign<u32>(labels, n, out);
}
export function assignU64(labels: usize, n: u32, out: usize): bool {
  return assign<u64>(labels, n, out);
}

/** How many different non-zero labels there are. */
export function distinct(): u32 {
  return used;
}

/** Puts the labels, by number, behind the table and returns where they lie; 0 when memory ends. */
export function collect(): usize {
  const labels = table + <usize>capacity * ENTRY;
  if (!ensure(<u64>labels + <u64>used * 12)) return 0;
  for (let at = table; at < labels; at += ENTRY) {
    const number = load<u32>(at, 8);
    if (number != 0) store<u64>(labels + (<usize>(number - 1) << 3), load<u64>(at));
  }
  return labels;
}

/** After the collected labels were sorted in place: behind them, by number, each label's rank (from 1). */
export function ranks(): usize {
  const labels = table + <usize>capacity * ENTRY;
  const out = labels + (<usize>used << 3);
  for (let rank: u32 = 0; rank < used; rank++) {
    const number = load<u32>(slotOf(load<u64>(labels + (<usize>rank << 3))), 8);
    store<u32>(out + (<usize>(number - 1) << 2), rank + 1);
  }
  return out;
}
