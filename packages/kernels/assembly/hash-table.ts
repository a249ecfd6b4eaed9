// The one open-addressing table of a kernel, at the end of memory. Shared by contacts and renumber.
//
// Entries, 16 bytes: key u64 (0 = empty, so 0 is never entered), value u32, padding.
import { ensure } from "./lanes";

export const ENTRY: usize = 16;
/** Where an entry's value lies. */
export const VALUE: usize = 8;
const FIRST_CAPACITY: u32 = 1024;

export let table: usize = 0;
export let used: u32 = 0;
let capacity: u32 = 0;

/** Begins with an empty table at `tableAt`; false when memory ends. */
export function start(tableAt: usize): bool {
  table = tableAt;
  capacity = FIRST_CAPACITY;
  used = 0;
  if (!ensure(<u64>table + <u64>capacity * ENTRY)) return false;
  memory.fill(table, 0, <usize>capacity * ENTRY);
  return true;
}

/** One after the last entry. */
// @ts-ignore: decorator
@inline
export function tableEnd(): usize {
  return table + <usize>capacity * ENTRY;
}

/** The entry of a key, or the empty one where it would go. */
// @ts-ignore: decorator
@inline
export function slotOf(key: u64): usize {
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

/** The entry of a key, entered with value 0 if new; 0 when memory ends. */
// @ts-ignore: decorator
@inline
export function entryOf(key: u64): usize {
  const at = slotOf(key);
  return load<u64>(at) == key ? at : enter(key, at);
}

function enter(key: u64, slot: usize): usize {
  let at = slot;
  if (++used > capacity >> 1) {
    if (!grow()) return 0;
    at = slotOf(key);
  }
  store<u64>(at, key);
  return at;
}
