/**
 * Root lineage. A root that an edit made names its `former` roots and the `operation`; a root that an edit ended names
 * its `successors`, at the time of that edit. Roots that no edit touched have no lineage row.
 * @module
 */
import type { Bytes, Column } from "@pcg/rowstore";
import { column, idKey, idKeys, KIND } from "./keys.ts";

export const FORMER: Column = column("l", "f");
export const SUCCESSOR: Column = column("l", "s");
export const OPERATION: Column = column("l", "o");

export function lineageKey(root: bigint): Bytes {
  return idKey(KIND.lineage, root);
}

export function lineageKeys(roots: BigUint64Array): Bytes[] {
  return idKeys(KIND.lineage, roots);
}
