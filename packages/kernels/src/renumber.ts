/**
 * Labels to dense indices and back.
 * @module
 */
import type { LabelArray } from "./volume.ts";
import { wasm as renumberWasm } from "./wasm/renumber.wasm.ts";
import { align, bytesOf, heap, kernel, outOfMemory, SLAB_BYTES } from "./workspace.ts";

/** Labels as indices into a table. */
export interface Renumbered<L extends LabelArray> {
  /** Per element its label's place in `labels`; 0 for label 0. */
  readonly indices: Uint32Array;
  /** `labels[0]` is 0, whether or not it occurs; then every other label that occurs, ascending. */
  readonly labels: L;
}

type Assign = (labels: number, n: number, out: number) => number;

interface RenumberKernel {
  start(table: number): number;
  assignU8: Assign;
  assignU16: Assign;
  assignU32: Assign;
  assignU64: Assign;
  distinct(): number;
  collect(): number;
  ranks(): number;
}

/**
 * Replaces labels by indices into the ascending table of those that occur. The result depends on the set of labels, not on
 * their order. Peak memory beside input and result: 64 bytes per distinct label (twice that while the table grows) and
 * two slabs of 256 KiB.
 *
 * @example
 * const { indices, labels } = renumber(BigUint64Array.of(7n, 0n, 5n, 7n)); // 2, 0, 1, 2 and 0n, 5n, 7n
 */
export function renumber(labels: Uint8Array): Renumbered<Uint8Array>;
export function renumber(labels: Uint16Array): Renumbered<Uint16Array>;
export function renumber(labels: Uint32Array): Renumbered<Uint32Array>;
export function renumber(labels: BigUint64Array): Renumbered<BigUint64Array>;
export function renumber<L extends LabelArray>(labels: L): Renumbered<L>;
export function renumber<L extends LabelArray>(labels: L): Renumbered<L> {
  const slab = SLAB_BYTES / 8;
  const out = slab * labels.BYTES_PER_ELEMENT;
  const table = align(out + slab * 4 + 16);
  const wasm = kernel<RenumberKernel>(renumberWasm, table);
  const assign = assignOf(wasm, labels);
  if (!wasm.start(table)) throw outOfMemory(table);

  const indices = new Uint32Array(labels.length);
  const from = bytesOf(labels);
  const to = bytesOf(indices);
  const width = labels.BYTES_PER_ELEMENT;
  for (let i = 0; i < labels.length; i += slab) {
    const n = Math.min(slab, labels.length - i);
    heap().set(from.subarray(i * width, (i + n) * width));
    if (!assign(0, n, out)) throw outOfMemory(table + 64 * labels.length);
    to.set(heap().subarray(out, out + n * 4), i * 4);
  }

  const count = wasm.distinct();
  const at = wasm.collect() >>> 0;
  if (at === 0) throw outOfMemory(table + 64 * count);
  const found = new BigUint64Array(heap().buffer, at, count).sort();
  const ranked = new (labels.constructor as new (length: number) => L)(count + 1);
  if (ranked instanceof BigUint64Array) ranked.set(found, 1);
  else for (let i = 0; i < count; i++) ranked[i + 1] = Number(found[i]!);
  const ranks = new Uint32Array(heap().buffer, wasm.ranks() >>> 0, count);
  if (ranks.some((rank, i) => rank !== i + 1)) {
    const table = new Uint32Array(count + 1);
    table.set(ranks, 1);
    for (let i = 0; i < indices.length; i++) indices[i] = table[indices[i]!]!;
  }
  return { indices, labels: ranked };
}

/** Element i is `table[indices[i]]`: the inverse of {@link renumber}, or a relabelling when the table was changed. */
export function applyTable(indices: Uint32Array, table: Uint8Array): Uint8Array;
export function applyTable(indices: Uint32Array, table: Uint16Array): Uint16Array;
export function applyTable(indices: Uint32Array, table: Uint32Array): Uint32Array;
export function applyTable(indices: Uint32Array, table: BigUint64Array): BigUint64Array;
export function applyTable<L extends LabelArray>(indices: Uint32Array, table: L): L;
export function applyTable(indices: Uint32Array, table: LabelArray): LabelArray {
  if (table instanceof BigUint64Array) return applyU64(indices, table);
  if (table instanceof Uint32Array) return applyU32(indices, table);
  if (table instanceof Uint16Array) return applyU16(indices, table);
  if (table instanceof Uint8Array) return applyU8(indices, table);
  throw new TypeError("table must be a Uint8Array, Uint16Array, Uint32Array or BigUint64Array");
}

// One loop per type: a loop that has seen several element types runs many times slower in all of them.

function applyU64(indices: Uint32Array, table: BigUint64Array): BigUint64Array {
  const out = new BigUint64Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= table.length) throw beyondTable(i, index, table.length);
    out[i] = table[index]!;
  }
  return out;
}

function applyU32(indices: Uint32Array, table: Uint32Array): Uint32Array {
  const out = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= table.length) throw beyondTable(i, index, table.length);
    out[i] = table[index]!;
  }
  return out;
}

function applyU16(indices: Uint32Array, table: Uint16Array): Uint16Array {
  const out = new Uint16Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= table.length) throw beyondTable(i, index, table.length);
    out[i] = table[index]!;
  }
  return out;
}

function applyU8(indices: Uint32Array, table: Uint8Array): Uint8Array {
  const out = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= table.length) throw beyondTable(i, index, table.length);
    out[i] = table[index]!;
  }
  return out;
}

function beyondTable(i: number, index: number, length: number): RangeError {
  return new RangeError(`indices[${i}] is ${index}, beyond the table's ${length} labels`);
}

function assignOf(wasm: RenumberKernel, labels: LabelArray): Assign {
  if (labels instanceof BigUint64Array) return wasm.assignU64;
  if (labels instanceof Uint32Array) return wasm.assignU32;
  if (labels instanceof Uint16Array) return wasm.assignU16;
  if (labels instanceof Uint8Array) return wasm.assignU8;
  throw new TypeError("labels must be a Uint8Array, Uint16Array, Uint32Array or BigUint64Array");
}
