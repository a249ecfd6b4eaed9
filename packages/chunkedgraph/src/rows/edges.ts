/**
 * Supervoxel edges. An edge is kept once, smaller id first, in the row of the layer-1 chunk of its smaller id: what the
 * ingest found as one block per part, what edits changed as one cell per edge and edit.
 *
 * A block is `version, edge count, group count`, then one group per partner chunk in ascending order: `chunk (8 bytes),
 * count` and its edges ordered by (smaller, larger) id. Segments are differences where the ids repeat, numbers are
 * varints, and affinities that follow from the rest (+inf, equal to the area, the tiny value of user-type edges) take
 * no space.
 * @module
 */
import type { Bytes, Column, KeyRange } from "@pcg/rowstore";
import type { SupervoxelEdges } from "../contract.ts";
import { halves, type IdLayout } from "../ids.ts";
import { column, idKey, idKeys, KIND, kindRange } from "./keys.ts";
import { corrupt } from "./values.ts";
import { ByteReader, ByteWriter } from "./varint.ts";

/** Which step of the ingest wrote a block: inside the chunk, over its upper faces, or joining pieces of a label. */
export type EdgePart = "chunk" | "faces" | "joined";

export const BLOCK_FAMILY = "b";
export const EDIT_FAMILY = "a";

/** The affinity of an edge that only a person or a label vouches for: the smallest normal float. */
export const USER_AFFINITY: number = 2 ** -126;

export function blockColumn(part: EdgePart): Column {
  return column(BLOCK_FAMILY, part);
}

export function edgesKey(chunk: bigint): Bytes {
  return idKey(KIND.edges, chunk);
}

export function edgesKeys(chunks: BigUint64Array): Bytes[] {
  return idKeys(KIND.edges, chunks);
}

export function allEdges(): KeyRange {
  return kindRange(KIND.edges);
}

const VERSION = 1;
const ACTIVE = 1;
/** Where the affinity of an edge comes from: bits 1 and 2 of its flags. */
const STORED = 0;
const INFINITE = 2;
const EQUALS_AREA = 4;
const TINY = 6;
/** Bytes of the shortest edge: smaller id, larger id, flags, area. */
const LEAST_EDGE_BYTES = 4;

/**
 * The bytes of a block. Edges may come in any order and orientation; equal sets give equal bytes. Throws RangeError for
 * an edge whose smaller id is not in `chunk`, an edge given twice, or an affinity that is not a number.
 */
export function encodeEdges(layout: IdLayout, chunk: bigint, edges: SupervoxelEdges): Uint8Array {
  const count = edges.affinities.length;
  const pairs = oriented(layout, chunk, edges);
  const segmentBits = layout.segmentBits(1);
  const order = blockOrder(pairs, segmentBits);
  const half = halves(pairs);
  const areas = halves(edges.areas);
  const groups = groupStarts(half, order, segmentBits);
  const out = new ByteWriter();
  out.uint8(VERSION);
  out.varint(count, 0);
  out.varint(groups.length, 0);
  for (let g = 0; g < groups.length; g++) {
    const begin = groups[g]!;
    const end = groups[g + 1] ?? count;
    const first = order[begin]! * 4;
    out.uint64(chunkLow(half[first + 2]!, segmentBits), chunkHigh(half[first + 3]!, segmentBits));
    out.varint(end - begin, 0);
    let s = 0;
    let t = 0;
    for (let k = begin; k < end; k++) {
      const e = order[k]!;
      const nextS = segment(half[4 * e]!, half[4 * e + 1]!, segmentBits);
      const nextT = segment(half[4 * e + 2]!, half[4 * e + 3]!, segmentBits);
      if (nextS === s && nextT === t) throw new RangeError(`edge ${pairs[2 * e]}–${pairs[2 * e + 1]} is given twice`);
      writeNumber(out, nextS - s);
      writeNumber(out, nextS === s ? nextT - t : nextT);
      s = nextS;
      t = nextT;
      writeWeights(out, edges, areas, e);
    }
  }
  return out.finish();
}

/** The edges of a block, smaller ids first, in the block's order. */
export function decodeEdges(layout: IdLayout, chunk: bigint, value: Uint8Array): SupervoxelEdges {
  const input = new ByteReader(value);
  const version = input.uint8();
  if (version !== VERSION) throw corrupt(`an edge block has version ${version}, not ${VERSION}`);
  const count = input.number(Math.floor(input.remaining / LEAST_EDGE_BYTES), "the edge count of a block");
  const groups = input.number(count, "the group count of a block");
  const pairs = new BigUint64Array(2 * count);
  const affinities = new Float32Array(count);
  const areas = new BigUint64Array(count);
  const active = new Uint8Array(count);
  const half = halves(pairs);
  const areaHalf = halves(areas);
  const own = halves(BigUint64Array.of(chunk));
  const limit = Number(layout.segmentLimit(1));
  let e = 0;
  for (let g = 0; g < groups; g++) {
    input.uint64();
    const partnerLow = input.low;
    const partnerHigh = input.high;
    const end = e + input.number(count - e, "the edge count of a group");
    let s = 0;
    let t = 0;
    for (; e < end; e++) {
      const step = input.number(limit - s, "a segment step");
      s += step;
      t = step === 0 ? t + input.number(limit - t, "a segment step") : input.number(limit, "a segment");
      half[4 * e] = (own[0]! | low(s)) >>> 0;
      half[4 * e + 1] = (own[1]! | high(s)) >>> 0;
      half[4 * e + 2] = (partnerLow | low(t)) >>> 0;
      half[4 * e + 3] = (partnerHigh | high(t)) >>> 0;
      const flags = input.uint8();
      input.varint();
      areaHalf[2 * e] = input.low;
      areaHalf[2 * e + 1] = input.high;
      active[e] = flags & ACTIVE;
      affinities[e] = readAffinity(input, flags);
    }
  }
  if (e !== count || input.remaining > 0)
    throw corrupt(`an edge block announces ${count} edges, holds ${e} and ${input.remaining} bytes more`);
  return { pairs, affinities, areas, active };
}

/** What an edit did to an edge. */
export type EdgeEditKind = "activate" | "add";

export interface EdgeEdit {
  readonly kind: EdgeEditKind;
  readonly affinity: number;
  readonly area: bigint;
}

const EDIT_KINDS: readonly EdgeEditKind[] = ["activate", "add"];

/** Column of an edited edge, smaller id first. */
export function editColumn(smaller: bigint, larger: bigint): Column {
  const qualifier = new Uint8Array(16);
  const view = new DataView(qualifier.buffer);
  view.setBigUint64(0, smaller);
  view.setBigUint64(8, larger);
  return { family: EDIT_FAMILY, qualifier };
}

export function readEditColumn(qualifier: Uint8Array): readonly [smaller: bigint, larger: bigint] {
  if (qualifier.length !== 16) throw corrupt(`an edited edge is named by ${qualifier.length} bytes, not 16`);
  const view = new DataView(qualifier.buffer, qualifier.byteOffset, 16);
  return [view.getBigUint64(0), view.getBigUint64(8)];
}

export function encodeEdgeEdit(edit: EdgeEdit): Uint8Array {
  const value = new Uint8Array(13);
  const view = new DataView(value.buffer);
  view.setUint8(0, EDIT_KINDS.indexOf(edit.kind) + 1);
  view.setFloat32(1, edit.affinity, true);
  view.setBigUint64(5, edit.area, true);
  return value;
}

export function decodeEdgeEdit(value: Uint8Array): EdgeEdit {
  const kind = EDIT_KINDS[value[0]! - 1];
  if (value.length !== 13 || kind === undefined)
    throw corrupt(`an edge edit has ${value.length} bytes (not 13) or the unknown kind ${value[0]}`);
  const view = new DataView(value.buffer, value.byteOffset, 13);
  return { kind, affinity: view.getFloat32(1, true), area: view.getBigUint64(5, true) };
}

/** The pairs with the smaller id first; checks what a block demands of its edges. */
function oriented(layout: IdLayout, chunk: bigint, edges: SupervoxelEdges): BigUint64Array {
  const { affinities, areas, active } = edges;
  const count = affinities.length;
  if (edges.pairs.length !== 2 * count || areas.length !== count || active.length !== count)
    throw new RangeError(
      `${count} affinities go with ${2 * count} ids, ${count} areas and flags; got ${edges.pairs.length}, ${areas.length}, ${active.length}`,
    );
  const pairs = edges.pairs.slice();
  const half = halves(pairs);
  const bits = layout.segmentBits(1);
  const own = halves(BigUint64Array.of(chunk));
  for (let e = 0, i = 0; e < count; e++, i += 4) {
    const [aLow, aHigh, bLow, bHigh] = [half[i]!, half[i + 1]!, half[i + 2]!, half[i + 3]!];
    if (aHigh > bHigh || (aHigh === bHigh && aLow > bLow)) {
      half[i] = bLow;
      half[i + 1] = bHigh;
      half[i + 2] = aLow;
      half[i + 3] = aHigh;
    }
    if (chunkLow(half[i]!, bits) !== own[0] || chunkHigh(half[i + 1]!, bits) !== own[1])
      throw new RangeError(`edge ${pairs[2 * e]}–${pairs[2 * e + 1]} does not belong to chunk ${chunk}`);
    if (Number.isNaN(affinities[e])) throw new RangeError(`edge ${pairs[2 * e]}–${pairs[2 * e + 1]} has affinity NaN`);
  }
  return pairs;
}

/** Edge numbers ordered by partner chunk, smaller id, larger id. */
function blockOrder(pairs: BigUint64Array, segmentBits: number): Uint32Array {
  const half = halves(pairs);
  const order = Uint32Array.from({ length: pairs.length >>> 1 }, (_, e) => e);
  const compare = (a: number, b: number): number => {
    const i = 4 * a;
    const j = 4 * b;
    return (
      chunkHigh(half[i + 3]!, segmentBits) - chunkHigh(half[j + 3]!, segmentBits) ||
      chunkLow(half[i + 2]!, segmentBits) - chunkLow(half[j + 2]!, segmentBits) ||
      half[i + 1]! - half[j + 1]! ||
      half[i]! - half[j]! ||
      half[i + 3]! - half[j + 3]! ||
      half[i + 2]! - half[j + 2]!
    );
  };
  for (let e = 1; e < order.length; e++) if (compare(e - 1, e) > 0) return order.sort(compare);
  return order;
}

/** Positions in `order` where another partner chunk begins. */
function groupStarts(half: Uint32Array, order: Uint32Array, segmentBits: number): number[] {
  const starts: number[] = [];
  let previousLow = -1;
  let previousHigh = -1;
  for (let k = 0; k < order.length; k++) {
    const i = 4 * order[k]!;
    const partnerLow = chunkLow(half[i + 2]!, segmentBits);
    const partnerHigh = chunkHigh(half[i + 3]!, segmentBits);
    if (partnerLow !== previousLow || partnerHigh !== previousHigh) starts.push(k);
    previousLow = partnerLow;
    previousHigh = partnerHigh;
  }
  return starts;
}

function writeWeights(out: ByteWriter, edges: SupervoxelEdges, areas: Uint32Array, e: number): void {
  const affinity = edges.affinities[e]!;
  const area = areas[2 * e + 1]! * 2 ** 32 + areas[2 * e]!;
  const source =
    affinity === Number.POSITIVE_INFINITY
      ? INFINITE
      : affinity === Math.fround(area) && !Object.is(affinity, -0)
        ? EQUALS_AREA
        : affinity === USER_AFFINITY
          ? TINY
          : STORED;
  out.uint8((edges.active[e] ? ACTIVE : 0) | source);
  out.varint(areas[2 * e]!, areas[2 * e + 1]!);
  if (source === STORED) out.float32(affinity);
}

/** Affinity of an edge whose area was read last. */
function readAffinity(input: ByteReader, flags: number): number {
  if (flags > (ACTIVE | TINY)) throw corrupt(`an edge has the unknown flags ${flags}`);
  const area = input.high * 2 ** 32 + input.low;
  const source = flags & TINY;
  return source === INFINITE
    ? Number.POSITIVE_INFINITY
    : source === EQUALS_AREA
      ? area
      : source === TINY
        ? USER_AFFINITY
        : input.float32();
}

function writeNumber(out: ByteWriter, value: number): void {
  out.varint(low(value), high(value));
}

function low(value: number): number {
  return value % 2 ** 32;
}

function high(value: number): number {
  return Math.floor(value / 2 ** 32);
}

/** The halves of an id's chunk, and its segment number (at most 2^53 − 1, so exact). */
function chunkLow(idLow: number, segmentBits: number): number {
  return segmentBits >= 32 ? 0 : (idLow & ~((1 << segmentBits) - 1)) >>> 0;
}

function chunkHigh(idHigh: number, segmentBits: number): number {
  return segmentBits >= 32 ? (idHigh & ~(2 ** (segmentBits - 32) - 1)) >>> 0 : idHigh;
}

function segment(idLow: number, idHigh: number, segmentBits: number): number {
  if (segmentBits < 32) return (idLow & ((1 << segmentBits) - 1)) >>> 0;
  return (idHigh & (2 ** (segmentBits - 32) - 1)) * 2 ** 32 + idLow;
}
