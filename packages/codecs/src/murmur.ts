/**
 * The hash of `uint64_sharded_v1`: the low 64 bits of MurmurHash3_x86_128 of an id's eight little-endian bytes, seed 0.
 * Eight bytes are all tail and no block, so the general hash shrinks to a few lines.
 * @module
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;

function finalMix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Hashes keys given as pairs of 32-bit lanes (low, high, low, high, …) into pairs of lanes of `out`, which may be `keys`
 * itself. No bigint is made, so it suits bulk work: tens of millions of keys a second.
 */
export function murmur3x86_128Low64Lanes(keys: Uint32Array, out: Uint32Array): void {
  if (keys.length % 2 !== 0 || out.length < keys.length) {
    throw new RangeError(
      `murmur: keys come as pairs of lanes with room for as many in out; got ${keys.length}, ${out.length}`,
    );
  }
  for (let i = 0; i < keys.length; i += 2) {
    const k1 = Math.imul(keys[i]!, C1);
    const k2 = Math.imul(keys[i + 1]!, C2);
    let h1 = Math.imul((k1 << 15) | (k1 >>> 17), C2) ^ 8;
    let h2 = Math.imul((k2 << 16) | (k2 >>> 16), C3) ^ 8;
    h1 = (h1 + h2 + 16) | 0;
    h2 = (h2 + h1) | 0;
    // The two upper lanes are equal for such short keys: both are the length plus h1.
    const upper = finalMix((h1 + 8) | 0);
    h1 = (finalMix(h1) + finalMix(h2) + 2 * upper) | 0;
    h2 = finalMix(h2) + h1;
    out[i] = h1;
    out[i + 1] = h2;
  }
}

const lanes = new Uint32Array(2);

/**
 * The hash of one id in [0, 2^64).
 *
 * @example murmur3x86_128Low64(42n) // 0xc20b94f95119f47an
 */
export function murmur3x86_128Low64(key: bigint): bigint {
  if (key < 0n || key >= 1n << 64n) throw new RangeError(`murmur: the key must be in [0, 2^64), got ${key}`);
  lanes[0] = Number(key & 0xffffffffn);
  lanes[1] = Number(key >> 32n);
  murmur3x86_128Low64Lanes(lanes, lanes);
  return (BigInt(lanes[1]!) << 32n) | BigInt(lanes[0]!);
}

/** The hashes of many ids. */
export function murmur3x86_128Low64Bulk(keys: BigUint64Array): BigUint64Array {
  const hashes = new BigUint64Array(keys.length);
  murmur3x86_128Low64Lanes(
    new Uint32Array(keys.buffer, keys.byteOffset, keys.length * 2),
    new Uint32Array(hashes.buffer),
  );
  return hashes;
}
