/**
 * Minimum cuts of voxel blocks.
 * @module
 */

import { KernelError } from "./error.ts";
import { rowStart, withRim } from "./rim.ts";
import { runSlices, type Slices } from "./slices.ts";
import { checkLength, type Size } from "./volume.ts";
import { wasm as gridCutWasm } from "./wasm/grid-cut.wasm.ts";
import { align, ownKernel } from "./workspace.ts";

/** What a voxel is to {@link gridCut}. */
export const OUTSIDE = 0;
export const FREE = 1;
export const SOURCE = 2;
export const SINK = 3;

/** The largest direction weight: flows are kept in 16 bits. */
export const MOST_WEIGHT = 32767;

/** A graph on a block: each voxel that is not outside is joined to its up to 26 neighbours. */
export interface GridGraph {
  /** Per voxel {@link OUTSIDE}, {@link FREE}, {@link SOURCE} or {@link SINK}. */
  readonly states: Uint8Array;
  readonly size: Size;
  /** Capacity between neighbours for each of `DIRECTIONS`, 0 (not joined) to {@link MOST_WEIGHT}. */
  readonly weights: Uint16Array;
  /**
   * Per voxel how much of the weight counts, of 255: a pair has weight·e/255, rounded, and at least 1, where e is fifteen parts
   * the lesser and one part the greater of both, so that a surface lies at the least voxels and, of equal ones, between them.
   * Without evidence all counts.
   */
  readonly evidence?: Uint8Array;
}

/** A minimum cut. */
export interface GridCut {
  /** Per voxel 1 on the source's side, 2 on the sink's, 0 outside. */
  readonly sides: Uint8Array;
  /** The capacity that is cut, direct arcs from source to sink included. */
  readonly flow: number;
}

interface GridCutKernel {
  start(places: number, evidence: number, offsets: number, weights: number, nodes: number): void;
  enter(states: number, voxel: number, n: number): void;
  close(voxel: number, n: number): void;
  join(from: number, to: number): void;
  relabelAll(): number;
  advance(budget: number): number;
  total(): number;
  sides(voxel: number, n: number, to: number): void;
  cutWeight(from: number, to: number): number;
}

const NODE_BYTES = 48;
const SLICE_NODES = 100_000;

/** Bytes of WebAssembly memory that {@link gridCut} takes. */
export function gridCutBytes(size: Size, freeVoxels: number, evidence: boolean): number {
  const { voxels, row } = withRim(size);
  return align(voxels * (evidence ? 5 : 4)) + 128 + align(row) + freeVoxels * NODE_BYTES + 64;
}

/**
 * The least capacity that separates all sources from all sinks. Of several minimum cuts it is the one nearest to the sinks:
 * the sink's side is the set of voxels that can still reach a sink, whatever the order of work, so that the result
 * does not depend on how the axes are named. Proven on each call: the capacity cut equals the flow. Peak memory beside
 * input and result: 4 bytes per voxel (5 with evidence), a rim of one voxel included, and 48 per free voxel.
 *
 * @example
 * const weights = Uint16Array.from(DIRECTIONS, ([x, y, z]) => (Math.abs(x) + Math.abs(y) + Math.abs(z) === 1 ? 1 : 0));
 * gridCut({ states: Uint8Array.of(2, 1, 1, 3), size: [4, 1, 1], weights }); // sides 1, 1, 1, 2; flow 1
 */
export function gridCut(graph: GridGraph): GridCut {
  return runSlices(gridCutSlices(graph));
}

/** {@link gridCut}, pausing after every 10^5 nodes pushed. How much is left is not known: it yields the time spent, not a share. */
export function* gridCutSlices({ states, size, weights, evidence }: GridGraph): Slices<GridCut> {
  checkLength("states", states.length, size);
  if (evidence !== undefined) checkLength("evidence", evidence.length, size);
  if (weights.length !== 13 || weights.some((weight) => weight > MOST_WEIGHT)) {
    throw new RangeError(`weights must be 13 numbers from 0 to ${MOST_WEIGHT}, got ${weights.join(", ")}`);
  }
  const sides = new Uint8Array(states.length);
  if (states.length === 0) return { sides, flow: 0 };
  let free = 0;
  for (let voxel = 0; voxel < states.length; voxel++) {
    const state = states[voxel]!;
    if (state === FREE) free++;
    else if (state > SINK) throw new RangeError(`states are 0 to ${SINK}, got ${state} at voxel ${voxel}`);
  }

  const rimmed = withRim(size);
  const { voxels, row } = rimmed;
  const evidenceAt = evidence === undefined ? 0 : voxels * 4;
  const tables = align(voxels * (evidence === undefined ? 4 : 5));
  const rowAt = tables + 128;
  const nodes = rowAt + align(row);
  const { wasm, heap, release } = ownKernel<GridCutKernel>(
    gridCutWasm,
    gridCutBytes(size, free, evidence !== undefined),
  );
  new Int32Array(heap.buffer, tables, 13).set(rimmed.offsets);
  new Int32Array(heap.buffer, tables + 64, 13).set(weights);
  wasm.start(0, evidenceAt, tables, tables + 64, nodes);

  const [sx, sy, sz] = size;
  wasm.close(0, voxels);
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const from = sx * (y + sy * z);
      const to = rowStart(rimmed, y, z);
      heap.set(states.subarray(from, from + sx), rowAt);
      wasm.enter(rowAt, to, sx);
      if (evidence !== undefined) heap.set(evidence.subarray(from, from + sx), evidenceAt + to);
    }
  }
  // Voxels of the rim are outside and have no arcs.
  const [first, last] = [rimmed.plane, rimmed.plane * (sz + 1)];
  wasm.join(first, last);

  // The distance to the end is unknown; the yields approach 1.
  for (let slices = 1; wasm.relabelAll(); ) {
    for (let state = wasm.advance(SLICE_NODES); ; state = wasm.advance(SLICE_NODES)) {
      yield 1 - 1 / ++slices;
      if (state !== 2) break;
    }
  }
  const flow = wasm.total();
  const weight = wasm.cutWeight(first, last);
  if (flow !== weight) {
    throw new KernelError("UNPROVEN", `a flow of ${flow} was found, but the cut weighs ${weight}`, { flow, weight });
  }
  for (let z = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      const to = sx * (y + sy * z);
      wasm.sides(rowStart(rimmed, y, z), sx, rowAt);
      sides.set(heap.subarray(rowAt, rowAt + sx), to);
    }
  }
  release();
  return { sides, flow };
}
