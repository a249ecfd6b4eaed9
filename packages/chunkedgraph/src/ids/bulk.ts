/** The two 32-bit halves of each id: element 2i is the low half of id i, 2i + 1 the high half. Shares the memory. */
export function halves(ids: BigUint64Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
}

/** The ids in ascending order, each once; the input stays as it is. */
export function sortedDistinct(ids: BigUint64Array): BigUint64Array {
  const sorted = ids.slice().sort();
  const half = halves(sorted);
  let length = 0;
  for (let i = 0; i < half.length; i += 2) {
    const low = half[i]!;
    const high = half[i + 1]!;
    if (length > 0 && half[length - 2] === low && half[length - 1] === high) continue;
    half[length++] = low;
    half[length++] = high;
  }
  return length === half.length ? sorted : sorted.slice(0, length / 2);
}
