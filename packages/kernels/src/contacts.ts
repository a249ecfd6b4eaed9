/**
 * Contact areas: how many voxel faces two components share.
 * @module
 */
import { checkLength, type Size } from "./volume.ts";
import { wasm as contactsWasm } from "./wasm/contacts.wasm.ts";
import { align, bytesOf, heap, kernel, outOfMemory, SLAB_BYTES } from "./workspace.ts";

/** Touching pairs, each once, sorted by the first and then the second number; 0 is never part of one. */
export interface Contacts {
  /** Two numbers per pair. */
  readonly pairs: Uint32Array;
  /** Voxel faces that the pair shares. */
  readonly areas: Uint32Array;
}

interface ContactsKernel {
  start(table: number): number;
  countUnordered(a: number, b: number, n: number): number;
  countOrdered(a: number, b: number, n: number): number;
  distinct(): number;
  sorted(): number;
}

/**
 * Counts the voxel faces between different non-zero components inside a block; the smaller number of a pair comes first.
 * Voxels touch by faces only. Peak memory beside input and result: 32 to 64 bytes per pair (half as much again while the
 * table grows), and two planes or 256 KiB, whichever is more.
 *
 * @example
 * countContacts(Uint32Array.of(1, 2, 2, 1), [2, 2, 1]); // pairs 1, 2; areas 4
 */
export function countContacts(components: Uint32Array, size: Size): Contacts {
  checkLength("components", components.length, size);
  if (components.length === 0) return { pairs: new Uint32Array(0), areas: new Uint32Array(0) };
  const [sx, sy, sz] = size;
  const plane = sx * sy;
  // A slab is whole planes, and one plane of the next so that the faces between them count too.
  const depth = Math.min(sz, Math.max(1, Math.floor(SLAB_BYTES / (plane * 4))));
  const table = align((depth + 1) * plane * 4);
  const wasm = kernel<ContactsKernel>(contactsWasm, table);
  if (!wasm.start(table)) throw outOfMemory(table);
  const from = bytesOf(components);
  for (let z = 0; z < sz; z += depth) {
    const planes = Math.min(depth, sz - z);
    const loaded = Math.min(depth + 1, sz - z);
    heap().set(from.subarray(z * plane * 4, (z + loaded) * plane * 4));
    let fits = 1;
    for (let row = 0; row < planes * sy; row++) fits &= wasm.countUnordered(row * sx * 4, row * sx * 4 + 4, sx - 1);
    for (let k = 0; k < planes; k++) {
      fits &= wasm.countUnordered(k * plane * 4, (k * plane + sx) * 4, plane - sx);
    }
    fits &= wasm.countUnordered(0, plane * 4, (loaded - 1) * plane);
    if (!fits) throw outOfMemory(table + 96 * wasm.distinct());
  }
  return result(wasm, table);
}

/**
 * Counts the faces between two planes of voxels that lie face to face: `lower[i]` touches `upper[i]`. The first number of a
 * pair is from `lower`, the second from `upper`; the two number different things, so equal numbers form a pair as well.
 */
export function countFaceContacts(lower: Uint32Array, upper: Uint32Array): Contacts {
  if (lower.length !== upper.length) {
    throw new RangeError(`planes that face each other have as many voxels; got ${lower.length} and ${upper.length}`);
  }
  if (lower.length === 0) return { pairs: new Uint32Array(0), areas: new Uint32Array(0) };
  const slab = Math.min(lower.length, SLAB_BYTES / 4);
  const table = align(slab * 8);
  const wasm = kernel<ContactsKernel>(contactsWasm, table);
  if (!wasm.start(table)) throw outOfMemory(table);
  const a = bytesOf(lower);
  const b = bytesOf(upper);
  for (let i = 0; i < lower.length; i += slab) {
    const n = Math.min(slab, lower.length - i);
    const memory = heap();
    memory.set(a.subarray(i * 4, (i + n) * 4));
    memory.set(b.subarray(i * 4, (i + n) * 4), slab * 4);
    if (!wasm.countOrdered(0, slab * 4, n)) throw outOfMemory(table + 96 * wasm.distinct());
  }
  return result(wasm, table);
}

function result(wasm: ContactsKernel, table: number): Contacts {
  const count = wasm.distinct();
  const at = wasm.sorted() >>> 0;
  if (at === 0) throw outOfMemory(table + 32 * count);
  // Entries of four words: second, first, area, unused.
  const entries = new Uint32Array(heap().buffer, at, count * 4);
  const pairs = new Uint32Array(count * 2);
  const areas = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    pairs[2 * i] = entries[4 * i + 1]!;
    pairs[2 * i + 1] = entries[4 * i]!;
    areas[i] = entries[4 * i + 2]!;
  }
  return { pairs, areas };
}
