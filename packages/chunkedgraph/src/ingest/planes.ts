/**
 * The six outer planes of a chunk, which its neighbours are compared with.
 * @module
 */
import { CodecError } from "@pcg/codecs";
import type { Xyz } from "@pcg/volume";

/** The voxels of a block at one position of an axis; the faster remaining axis stays the faster one. */
export function slicePlane(block: Uint32Array, size: Xyz, axis: number, position: number): Uint32Array {
  const [sx, sy, sz] = size;
  if (axis === 2) return block.slice(sx * sy * position, sx * sy * (position + 1));
  if (axis === 1) {
    const plane = new Uint32Array(sx * sz);
    for (let z = 0; z < sz; z++) {
      const row = sx * (position + sy * z);
      plane.set(block.subarray(row, row + sx), sx * z);
    }
    return plane;
  }
  const plane = new Uint32Array(sy * sz);
  for (let i = 0, at = position; i < plane.length; i++, at += sx) plane[i] = block[at]!;
  return plane;
}

/** A plane as [length, value, length, value, …] of its runs. */
export function encodeRuns(plane: Uint32Array): Uint32Array {
  let runs = 0;
  for (let i = 0; i < plane.length; i++) if (i === 0 || plane[i] !== plane[i - 1]) runs++;
  const encoded = new Uint32Array(2 * runs);
  let at = -2;
  for (let i = 0; i < plane.length; i++) {
    if (i === 0 || plane[i] !== plane[i - 1]) {
      at += 2;
      encoded[at + 1] = plane[i]!;
    }
    encoded[at] = encoded[at]! + 1;
  }
  return encoded;
}

/** The plane of `length` voxels that {@link encodeRuns} was given. */
export function decodeRuns(encoded: Uint32Array, length: number, what: string): Uint32Array {
  let total = 0;
  for (let i = 0; i < encoded.length; i += 2) total += encoded[i]!;
  if (total !== length || encoded.length % 2 !== 0) {
    throw new CodecError("CORRUPT", `${what}: a plane of ${length} voxels has runs for ${total}`, { total, length });
  }
  const plane = new Uint32Array(length);
  for (let i = 0, at = 0; i < encoded.length; i += 2) {
    const end = at + encoded[i]!;
    plane.fill(encoded[i + 1]!, at, end);
    at = end;
  }
  return plane;
}
