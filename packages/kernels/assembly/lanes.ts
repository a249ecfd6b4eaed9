// Runs of equal values, sixteen bytes at a time. Shared by all kernels.

/** First position at or after `p` whose value differs from `value`, or `end`. */
// @ts-ignore: decorator
@inline
export function skipEqual<T>(p: usize, end: usize, value: T): usize {
  // Most runs in busy regions are shorter than a vector.
  if (p >= end || load<T>(p) != value) return p;
  const all = v128.splat<T>(value);
  while (p + 32 <= end) {
    const low = v128.eq<T>(v128.load(p), all);
    const high = v128.eq<T>(v128.load(p, 16), all);
    if (i8x16.all_true(v128.and(low, high))) {
      p += 32;
      continue;
    }
    const differ = ~(i8x16.bitmask(low) | (i8x16.bitmask(high) << 16));
    return p + ctz(differ);
  }
  while (p + 16 <= end) {
    const differ = ~i8x16.bitmask(v128.eq<T>(v128.load(p), all)) & 0xffff;
    if (differ != 0) return p + ctz(differ);
    p += 16;
  }
  while (p < end && load<T>(p) == value) p += sizeof<T>();
  return p;
}

/** Fills [p, end) with `value`; may write up to 15 bytes past `end`. */
// @ts-ignore: decorator
@inline
export function fillOver<T>(p: usize, end: usize, value: T): void {
  const all = v128.splat<T>(value);
  for (; p < end; p += 16) v128.store(p, all);
}

/** Makes addresses below `end` usable, growing by at least a quarter; false when the engine gives no more. */
export function ensure(end: u64): bool {
  if (end > 0xffff_0000) return false;
  const have: i32 = memory.size();
  const need: i32 = <i32>((end + 0xffff) >> 16);
  if (need <= have) return true;
  const step = max(need - have, have >> 2);
  return memory.grow(step) >= 0 || memory.grow(need - have) >= 0;
}
