import { countContactsOracle, countFaceContactsOracle } from "./oracle/contacts.ts";
import type { Size } from "./volume.ts";

/** Pairs that touch, each once, sorted by first and then second; `areas[i]` faces for `pairs[2i]`, `pairs[2i+1]`. */
export interface Contacts {
  readonly pairs: Uint32Array;
  readonly areas: Uint32Array;
}

/** Counts the voxel faces shared by different non-zero components inside a block; the smaller number comes first. */
export function countContacts(components: Uint32Array, size: Size): Contacts {
  return countContactsOracle(components, size);
}

/** Counts the faces between two planes that lie face to face; the first of a pair is from `lower`. */
export function countFaceContacts(lower: Uint32Array, upper: Uint32Array): Contacts {
  return countFaceContactsOracle(lower, upper);
}
