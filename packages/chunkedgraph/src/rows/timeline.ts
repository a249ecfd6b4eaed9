/**
 * The timeline: one row per operation, ordered by time and then number. It finds the operations of a time window, and
 * tells other processes what an edit made, so that they can renew what they remember: the outbox of the edits.
 * @module
 */
import type { Bytes, Column, KeyRange } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { column, KIND } from "./keys.ts";
import { corrupt, packIds, unpackIds } from "./values.ts";

/** Ids of all nodes the operation made, none for a refusal. */
export const MADE: Column = column("t");

export function timelineKey(time: Time, operation: bigint): Bytes {
  const key = new Uint8Array(17);
  const view = new DataView(key.buffer);
  key[0] = KIND.timeline;
  view.setBigUint64(1, time);
  view.setBigUint64(9, operation);
  return key;
}

export function readTimelineKey(key: Bytes): { readonly time: Time; readonly operation: bigint } {
  if (key.length !== 17) throw corrupt(`a key of the timeline has ${key.length} bytes, not 17`);
  const view = new DataView(key.buffer, key.byteOffset, 17);
  return { time: view.getBigUint64(1), operation: view.getBigUint64(9) };
}

/** Operations with from ≤ time < before. */
export function timelineRange(from: Time, before: Time): KeyRange {
  return { start: timelineKey(from, 0n), end: timelineKey(before, 0n) };
}

export const encodeMade: (ids: BigUint64Array) => Uint8Array = packIds;
export const decodeMade: (value: Uint8Array) => BigUint64Array = unpackIds;
