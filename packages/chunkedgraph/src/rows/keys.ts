import type { Bytes, Column, KeyRange } from "@pcg/rowstore";
import { halves } from "../ids.ts";

/** The first byte of a key: what kind of row it is. */
export const KIND = {
  counter: 0x63,
  edges: 0x65,
  head: 0x68,
  ingest: 0x69,
  task: 0x6b,
  node: 0x6e,
  operation: 0x6f,
  lineage: 0x72,
  settings: 0x73,
  timeline: 0x74,
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

/** The cell time of values that have no history: there is one such cell per column, replaced in place. */
export const PRESENT = 0n;

/** The key of a row that exists once per graph. */
export function singletonKey(kind: Kind): Bytes {
  return Uint8Array.of(kind);
}

/** Kind and a 64-bit number, which sorts as numbers do. */
export function idKey(kind: Kind, id: bigint): Bytes {
  const key = new Uint8Array(9);
  key[0] = kind;
  new DataView(key.buffer).setBigUint64(1, id);
  return key;
}

/** {@link idKey} of each id; the keys share one buffer. */
export function idKeys(kind: Kind, ids: BigUint64Array): Bytes[] {
  const half = halves(ids);
  const buffer = new ArrayBuffer(9 * ids.length);
  const view = new DataView(buffer);
  const keys = new Array<Bytes>(ids.length);
  for (let i = 0, at = 0; i < ids.length; i++, at += 9) {
    view.setUint8(at, kind);
    view.setUint32(at + 1, half[2 * i + 1]!);
    view.setUint32(at + 5, half[2 * i]!);
    keys[i] = new Uint8Array(buffer, at, 9);
  }
  return keys;
}

/** The id in a key made by {@link idKey}. */
export function idOfKey(key: Bytes): bigint {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(1);
}

/** Rows of a kind with first ≤ id ≤ last. */
export function idRange(kind: Kind, first: bigint, last: bigint): KeyRange {
  const start = idKey(kind, first);
  return { start, end: last === 0xffff_ffff_ffff_ffffn ? Uint8Array.of(kind + 1) : idKey(kind, last + 1n) };
}

/** All rows of a kind. */
export function kindRange(kind: Kind): KeyRange {
  return { start: Uint8Array.of(kind), end: Uint8Array.of(kind + 1) };
}

const ascii = new TextEncoder();

export function column(family: string, qualifier: string | Uint8Array = ""): Column {
  return { family, qualifier: typeof qualifier === "string" ? ascii.encode(qualifier) : qualifier };
}
