/**
 * Renumbering by a sorted set. For tests.
 * @module
 */
import type { LabelArray } from "../volume.ts";

/** See `renumber` of `@pcg/kernels/renumber`. */
export function renumberOracle<L extends LabelArray>(labels: L): { indices: Uint32Array; labels: L } {
  const values = [...new Set<bigint | number>(labels)].filter((label) => BigInt(label) !== 0n);
  values.sort((a, b) => (a < b ? -1 : 1));
  const zero = labels instanceof BigUint64Array ? 0n : 0;
  const table = (labels.constructor as unknown as { from(values: unknown[]): L }).from([zero, ...values]);
  const index = new Map<bigint | number, number>();
  table.forEach((label: bigint | number, i: number) => void index.set(label, i));
  return { indices: Uint32Array.from(labels as Iterable<never>, (label) => index.get(label)!), labels: table };
}
