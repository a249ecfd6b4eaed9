import { renumberOracle } from "./oracle/renumber.ts";
import type { LabelArray } from "./volume.ts";

/** Replaces labels by indices into the ascending table of those that occur; table[0] is always 0. */
export function renumber<L extends LabelArray>(labels: L): { indices: Uint32Array; labels: L } {
  return renumberOracle(labels);
}

/** Element i is table[indices[i]]; the inverse of {@link renumber}. */
export function applyTable<L extends LabelArray>(indices: Uint32Array, table: L): L {
  const out = new (table.constructor as new (length: number) => L)(indices.length);
  for (let i = 0; i < indices.length; i++) out[i] = table[indices[i]!]!;
  return out;
}
