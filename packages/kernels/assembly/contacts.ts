// Counts pairs of numbers that face each other, in the hash table: key first << 32 | second (no number of a pair is 0), value
// the count.
import { ENTRY, entryOf, start, table, tableEnd, used, VALUE } from "./hash-table";
import { ensure } from "./lanes";

export { start };

function add(key: u64, count: u32): bool {
  const at = entryOf(key);
  if (at == 0) return false;
  store<u32>(at, load<u32>(at, VALUE) + count, VALUE);
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
  const end = tableEnd();
  for (let at = table; at < end; at += ENTRY) {
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
