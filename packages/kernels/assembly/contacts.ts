// Counts pairs of numbers that face each other, in an open-addressing table at the end of memory.
//
// Entries, 16 bytes: key u64 (first << 32 | second; 0 = empty, as no number of a pair is 0), count u32, padding.
import { ensure } from "./lanes";

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
function slotOf(key: u64): usize {
  const mask = capacity - 1;
  let slot = <u32>((key * 0x9e3779b97f4a7c15) >> 32) & mask;
  while (true) {
    const at = table + <usize>slot * ENTRY;
    const there = load<u64>(at);
    if (there == key || there == 0) return at;
    slot = (slot + 1) & mask;
  }
}

/** Doubles the table: moves the old entries behind the new table's room, then in. */
function grow(): bool {
  const bytes = <usize>capacity * ENTRY;
  if (!ensure(<u64>table + 3 * <u64>bytes)) return false;
  const old = table + 2 * bytes;
  memory.copy(old, table, bytes);
  memory.fill(table, 0, 2 * bytes);
  capacity <<= 1;
  for (let at = old; at < old + bytes; at += ENTRY) {
    const key = load<u64>(at);
    if (key != 0) v128.store(slotOf(key), v128.load(at));
  }
  return true;
}

function add(key: u64, count: u32): bool {
  let at = slotOf(key);
  if (load<u64>(at) == 0) {
    if (++used > capacity >> 1) {
      if (!grow()) return false;
      at = slotOf(key);
    }
    store<u64>(at, key);
  }
  store<u32>(at, load<u32>(at, 8) + count, 8);
  return true;
}

/** Counts unordered pairs of different non-zero numbers among a[i], b[i]; false when memory ends. */
export function countUnordered(a: usize, b: usize, n: u32): bool {
  const end = a + (<usize>n << 2);
  let last: u64 = 0;
  let count: u32 = 0;
  while (a < end) {
    if (a + 16 <= end) {
      const differ = ~i8x16.bitmask(i32x4.eq(v128.load(a), v128.load(b))) & 0xffff;
      if (differ == 0) {
        a += 16;
        b += 16;
        continue;
      }
      const skip = ctz(differ);
      a += skip;
      b += skip;
    }
    const first = load<u32>(a);
    const second = load<u32>(b);
    a += 4;
    b += 4;
    if (first == second || first == 0 || second == 0) continue;
    const key = first < second ? (<u64>first << 32) | second : (<u64>second << 32) | first;
    if (key == last) {
      count++;
      continue;
    }
    if (count > 0 && !add(last, count)) return false;
    last = key;
    count = 1;
  }
  return count == 0 || add(last, count);
}

/** Counts ordered pairs of non-zero numbers a[i], b[i]; false when memory ends. */
export function countOrdered(a: usize, b: usize, n: u32): bool {
  const end = a + (<usize>n << 2);
  let last: u64 = 0;
  let count: u32 = 0;
  for (; a < end; a += 4, b += 4) {
    const first = load<u32>(a);
    const second = load<u32>(b);
    if (first == 0 || second == 0) continue;
    const key = (<u64>first << 32) | second;
    if (key == last) {
      count++;
      continue;
    }
    if (count > 0 && !add(last, count)) return false;
    last = key;
    count = 1;
  }
  return count == 0 || add(last, count);
}

/** Number of distinct pairs. */
export function distinct(): u32 {
  return used;
}

/**
 * Sorts the entries by key and returns where they lie, 16 bytes each, or 0 when memory ends. Radix sort, leaving out the
 * bytes that are zero in all keys. Ends the table.
 */
export function sorted(): usize {
  // Pack the entries to the front: the write position never passes the read position.
  let to = table;
  let bits: u64 = 0;
  for (let at = table; at < table + <usize>capacity * ENTRY; at += ENTRY) {
    const key = load<u64>(at);
    if (key == 0) continue;
    bits |= key;
    v128.store(to, v128.load(at));
    to += ENTRY;
  }
  const bytes = <usize>used * ENTRY;
  if (!ensure(<u64>table + 2 * <u64>bytes + 1024)) return 0;
  const histogram = table + 2 * bytes;
  let from = table;
  let other = table + bytes;
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    if (((bits >> shift) & 0xff) == 0) continue;
    memory.fill(histogram, 0, 1024);
    for (let at = from; at < from + bytes; at += ENTRY) {
      const digit = histogram + (<usize>((load<u64>(at) >> shift) & 0xff) << 2);
      store<u32>(digit, load<u32>(digit) + 1);
    }
    let sum: u32 = 0;
    for (let digit = histogram; digit < histogram + 1024; digit += 4) {
      const n = load<u32>(digit);
      store<u32>(digit, sum);
      sum += n;
    }
    for (let at = from; at < from + bytes; at += ENTRY) {
      const digit = histogram + (<usize>((load<u64>(at) >> shift) & 0xff) << 2);
      const place = load<u32>(digit);
      store<u32>(digit, place + 1);
      v128.store(other + <usize>place * ENTRY, v128.load(at));
    }
    const swap = from;
    from = other;
    other = swap;
  }
  return from;
}
