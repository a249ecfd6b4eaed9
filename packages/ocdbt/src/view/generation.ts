/**
 * Generations of keys. They are nowhere stored but follow from what is: of a value in a data file, the place, which is never
 * used twice; of a value inside a leaf, its bytes, so that a value that was changed and changed back has its old generation.
 * Neighbours, compaction of nodes, restores and forks do not change them.
 * @module
 */

import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Generation } from "@pcg/kvstore";
import type { BtreeLeaf, IndirectReference } from "../format/types.ts";
import { locationName } from "../io/node-reader.ts";

export function generationOfBytes(value: Uint8Array): Generation {
  return `=${bytesToHex(blake3(value, { dkLen: 20 }))}`;
}

export function generationOf(value: Uint8Array | IndirectReference): Generation {
  return value instanceof Uint8Array ? generationOfBytes(value) : locationName(value);
}

/** Entry `index` of a leaf: the bytes, sharing memory with the leaf, or where they are. */
export function valueAt(leaf: BtreeLeaf, index: number): Uint8Array | IndirectReference {
  const file = leaf.valueFiles[index]!;
  const offset = leaf.valueOffsets[index]!;
  const length = leaf.valueLengths[index]!;
  if (file < 0) return leaf.inline.subarray(offset, offset + length);
  return { file: leaf.files[file]!, offset, length };
}
