// Labels to dense numbers in first-seen order, in the hash table: key the label (0 is never entered), value its number, from 1.
import { ENTRY, entryOf, slotOf, start, table, tableEnd, used, VALUE } from "./hash-table";
import { ensure, fillOver, skipEqual } from "./lanes";

export { start };

/** The number of a non-zero label, entering it if new; 0 when memory ends. */
// @ts-ignore: decorator
@inline
function numberOf(label: u64): u32 {
  const at = entryOf(label);
  if (at == 0) return 0;
  let number = load<u32>(at, VALUE);
  if (number == 0) {
    number = used;
    store<u32>(at, number, VALUE);
  }
  return number;
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
  const labels = tableEnd();
  if (!ensure(<u64>labels + <u64>used * 12)) return 0;
  for (let at = table; at < labels; at += ENTRY) {
    const number = load<u32>(at, VALUE);
    if (number != 0) store<u64>(labels + (<usize>(number - 1) << 3), load<u64>(at));
  }
  return labels;
}

/** After the collected labels were sorted in place: behind them, by number, each label's rank (from 1). */
export function ranks(): usize {
  const labels = tableEnd();
  const out = labels + (<usize>used << 3);
  for (let rank: u32 = 0; rank < used; rank++) {
    const number = load<u32>(slotOf(load<u64>(labels + (<usize>rank << 3))), VALUE);
    store<u32>(out + (<usize>(number - 1) << 2), rank + 1);
  }
  return out;
}
