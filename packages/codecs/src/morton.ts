/**
 * Compressed Morton codes, the chunk ids of sharded precomputed volumes: the bits of x, y and z interleaved, lowest first,
 * leaving out each dimension's bits that its grid does not need.
 * @module
 */

/** Bits each dimension of a grid of cells needs: the smallest b with 2^b ≥ cells. */
export function mortonBits(grid: readonly [number, number, number]): [number, number, number] {
  const bits = grid.map((cells, axis) => {
    if (!Number.isSafeInteger(cells) || cells < 1) {
      throw new RangeError(`grid must have at least one cell per axis, got ${cells} along axis ${axis}`);
    }
    let b = 0;
    while (2 ** b < cells) b++;
    return b;
  }) as [number, number, number];
  const total = bits[0] + bits[1] + bits[2];
  if (total > 64) throw new RangeError(`grid ${grid.join("×")} needs ${total} bits of Morton code, the limit is 64`);
  return bits;
}

/**
 * The compressed Morton code of cell `position` in a grid of `grid` cells (x, y, z). RangeError when the cell lies outside
 * or the grid needs more than 64 bits.
 *
 * @example compressedMorton([10, 4, 2], [9, 2, 1]) // 85n
 */
export function compressedMorton(
  grid: readonly [number, number, number],
  position: readonly [number, number, number],
): bigint {
  const bits = mortonBits(grid);
  for (let axis = 0; axis < 3; axis++) {
    const at = position[axis]!;
    if (!Number.isSafeInteger(at) || at < 0 || at >= grid[axis]!) {
      throw new RangeError(`cell (${position.join(", ")}) lies outside the grid of ${grid.join("×")} cells`);
    }
  }
  const rest: [number, number, number] = [position[0], position[1], position[2]];
  // Two 32-bit halves: a bigint is made only once, at the end.
  let low = 0;
  let high = 0;
  let out = 0;
  const most = Math.max(bits[0], bits[1], bits[2]);
  for (let i = 0; i < most; i++) {
    for (let axis = 0; axis < 3; axis++) {
      if (i >= bits[axis]!) continue;
      const bit = rest[axis]! % 2;
      rest[axis] = Math.floor(rest[axis]! / 2);
      if (out < 32) low |= bit << out;
      else high |= bit << (out - 32);
      out++;
    }
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** The cell whose {@link compressedMorton} is `code`. RangeError when the grid has no such cell. */
export function mortonPosition(grid: readonly [number, number, number], code: bigint): [number, number, number] {
  const bits = mortonBits(grid);
  if (code < 0n || code >> BigInt(bits[0] + bits[1] + bits[2]) !== 0n) {
    throw new RangeError(`Morton code ${code} lies outside the grid of ${grid.join("×")} cells`);
  }
  const low = Number(code & 0xffffffffn);
  const high = Number(code >> 32n);
  const position: [number, number, number] = [0, 0, 0];
  let at = 0;
  const most = Math.max(bits[0], bits[1], bits[2]);
  for (let i = 0; i < most; i++) {
    for (let axis = 0; axis < 3; axis++) {
      if (i >= bits[axis]!) continue;
      const bit = at < 32 ? (low >>> at) & 1 : (high >>> (at - 32)) & 1;
      position[axis] = position[axis]! + bit * 2 ** i;
      at++;
    }
  }
  if (position.some((cell, axis) => cell >= grid[axis]!)) {
    throw new RangeError(`Morton code ${code} is cell (${position.join(", ")}), outside the grid of ${grid.join("×")}`);
  }
  return position;
}
