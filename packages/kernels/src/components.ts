/**
 * Connected components of equal label in a block, and what one asks of them next.
 * @module
 */
import { type Connectivity, checkLength, type LabelArray, type Size } from "./volume.ts";
import { wasm as statsWasm } from "./wasm/component-stats.wasm.ts";
import { wasm as componentsWasm } from "./wasm/components.wasm.ts";
import { align, bytesOf, heap, kernel, outOfMemory, SLAB_BYTES } from "./workspace.ts";

/** Components of a block. */
export interface Components {
  /** Per voxel its component: 0 where the label is 0, else 1 to `count`, in order of each component's first voxel. */
  readonly components: Uint32Array;
  readonly count: number;
}

/** What {@link componentStats} finds; element c−1 (or six of them) belongs to component c. */
export interface ComponentStats {
  /** Voxels of each component. */
  readonly voxels: Uint32Array;
  /** Six per component: x, y, z of the lowest corner, then one past the highest. */
  readonly boxes: Uint32Array;
  /** Index of the component's voxel nearest to its centre of mass (the first of equals), hence always inside it. */
  readonly representatives: Uint32Array;
}

type Scan = (labels: number, firstRow: number, rows: number) => number;

interface ComponentsKernel {
  start(rowStarts: number, runs: number, sx: number, sy: number, connectivity: number): void;
  scanU8: Scan;
  scanU16: Scan;
  scanU32: Scan;
  scanU64: Scan;
  number(): number;
  write(out: number, firstRow: number, rows: number): void;
}

interface StatsKernel {
  clear(stats: number, count: number): void;
  gather(at: number, stats: number, count: number, firstRow: number, rows: number, sx: number, sy: number): number;
  nearest(at: number, stats: number, firstRow: number, rows: number, sx: number, sy: number): void;
}

/**
 * Connected components of equal non-zero label. Peak memory beside input and result: 16 bytes per run of equal labels along
 * x, 4 per row, and two slabs of 256 KiB. With `out`, components go there and no result is allocated, which is faster for
 * many blocks in a row.
 *
 * @example
 * const { components, count } = connectedComponents(labels, [64, 64, 64], 6);
 */
export function connectedComponents(
  labels: LabelArray,
  size: Size,
  connectivity: Connectivity,
  out?: Uint32Array,
): Components {
  checkLength("labels", labels.length, size);
  if (connectivity !== 6 && connectivity !== 26) {
    throw new RangeError(`connectivity must be 6 or 26, got ${connectivity}`);
  }
  const components = out ?? new Uint32Array(labels.length);
  checkLength("out", components.length, size);
  if (labels.length === 0) return { components, count: 0 };

  const [sx, sy, sz] = size;
  const rows = sy * sz;
  const slab = rowsPerSlab(sx, Math.max(4, labels.BYTES_PER_ELEMENT), rows);
  const rowStarts = align(slab * sx * Math.max(4, labels.BYTES_PER_ELEMENT) + 16);
  const runs = align(rowStarts + 4 * (rows + 1));
  const wasm = kernel<ComponentsKernel>(componentsWasm, runs);
  const scan = scanOf(wasm, labels);
  wasm.start(rowStarts, runs, sx, sy, connectivity);

  const from = bytesOf(labels);
  const labelRow = sx * labels.BYTES_PER_ELEMENT;
  for (let row = 0; row < rows; row += slab) {
    const n = Math.min(slab, rows - row);
    heap().set(from.subarray(row * labelRow, (row + n) * labelRow));
    if (!scan(0, row, n)) throw outOfMemory(runs + 16 * labels.length);
  }
  const count = wasm.number();
  const to = bytesOf(components);
  const memory = heap();
  for (let row = 0; row < rows; row += slab) {
    const n = Math.min(slab, rows - row);
    wasm.write(0, row, n);
    to.set(memory.subarray(0, n * sx * 4), row * sx * 4);
  }
  return { components, count };
}

/**
 * The label of each component: element c−1 is that of component c, in the type of `labels`. Takes what
 * {@link connectedComponents} gave for the same labels.
 */
export function componentLabels<L extends LabelArray>(labels: L, components: Uint32Array, count: number): L {
  if (labels.length !== components.length) {
    throw new RangeError(`labels has ${labels.length} elements, components ${components.length}; they must agree`);
  }
  const table = new (labels.constructor as new (length: number) => L)(count);
  let known = 0;
  for (let i = 0; i < components.length; i++) {
    const component = components[i]!;
    // Components are numbered by first voxel: a larger number than all before is a new one.
    if (component <= known) continue;
    if (component > count) throw beyondCount(component, count);
    known = component;
    table[component - 1] = labels[i]!;
  }
  if (known < count) throw new RangeError(`components has ${known} components, count says ${count}`);
  return table;
}

/**
 * Voxel count, bounding box and a central inner voxel of every component. Components may come in any order; one that does
 * not occur has no voxels, and its box and representative mean nothing. Peak memory beside the result: 64 bytes per
 * component and one slab of 256 KiB.
 */
export function componentStats(components: Uint32Array, size: Size, count: number): ComponentStats {
  checkLength("components", components.length, size);
  const result = {
    voxels: new Uint32Array(count),
    boxes: new Uint32Array(count * 6),
    representatives: new Uint32Array(count),
  };
  if (components.length === 0) return result;
  const [sx, sy, sz] = size;
  const rows = sy * sz;
  const slab = rowsPerSlab(sx, 4, rows);
  const stats = align(slab * sx * 4);
  const wasm = kernel<StatsKernel>(statsWasm, stats + (count + 1) * 64);
  wasm.clear(stats, count);
  const from = bytesOf(components);
  const memory = heap();
  for (const pass of [0, 1]) {
    for (let row = 0; row < rows; row += slab) {
      const n = Math.min(slab, rows - row);
      memory.set(from.subarray(row * sx * 4, (row + n) * sx * 4));
      if (pass === 1) {
        wasm.nearest(0, stats, row, n, sx, sy);
        continue;
      }
      const beyond = wasm.gather(0, stats, count, row, n, sx, sy) >>> 0;
      if (beyond !== 0) throw beyondCount(beyond, count);
    }
  }
  const view = new DataView(memory.buffer);
  for (let c = 0; c < count; c++) {
    const stat = stats + (c + 1) * 64;
    for (let k = 0; k < 6; k++) result.boxes[c * 6 + k] = view.getUint32(stat + 24 + 4 * k, true);
    result.voxels[c] = view.getUint32(stat + 48, true);
    result.representatives[c] = view.getUint32(stat + 52, true);
  }
  return result;
}

function rowsPerSlab(sx: number, bytesPerVoxel: number, rows: number): number {
  return Math.min(rows, Math.max(1, Math.floor(SLAB_BYTES / (sx * bytesPerVoxel))));
}

function scanOf(wasm: ComponentsKernel, labels: LabelArray): Scan {
  if (labels instanceof BigUint64Array) return wasm.scanU64;
  if (labels instanceof Uint32Array) return wasm.scanU32;
  if (labels instanceof Uint16Array) return wasm.scanU16;
  if (labels instanceof Uint8Array) return wasm.scanU8;
  throw new TypeError("labels must be a Uint8Array, Uint16Array, Uint32Array or BigUint64Array");
}

function beyondCount(component: number, count: number): RangeError {
  return new RangeError(`component ${component} is beyond the ${count} components announced`);
}
