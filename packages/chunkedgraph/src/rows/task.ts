/**
 * Rows of ingest tasks: the ids a task claimed, so that running it again gives the same ids, and whether it is done.
 * @module
 */
import type { Bytes, Column, KeyRange } from "@pcg/rowstore";
import { column, KIND } from "./keys.ts";
import { corrupt, packIds, unpackIds } from "./values.ts";

/** Segment numbers first … first + count − 1 of a chunk belong to the task. */
export interface Claim {
  readonly chunk: bigint;
  readonly first: bigint;
  readonly count: bigint;
}

/** Family of the claim columns; the qualifier is the chunk (8 bytes, big-endian), as a task may claim in several. */
export const CLAIM_FAMILY = "k";
/** Present once everything the task writes is durable; the value is the task's result as the task defines it. */
export const DONE: Column = column("d");

/** Task names order as their text does: `l2/…`, `l3/…`. */
export function taskKey(name: string): Bytes {
  const text = new TextEncoder().encode(name);
  const key = new Uint8Array(1 + text.length);
  key[0] = KIND.task;
  key.set(text, 1);
  return key;
}

/** Tasks whose names begin with `prefix`. */
export function taskRange(prefix: string): KeyRange {
  const start = taskKey(prefix);
  const end = start.slice();
  end[end.length - 1] = end[end.length - 1]! + 1;
  return { start, end };
}

export function claimColumn(chunk: bigint): Column {
  const qualifier = new Uint8Array(8);
  new DataView(qualifier.buffer).setBigUint64(0, chunk);
  return { family: CLAIM_FAMILY, qualifier };
}

export function encodeClaim(claim: Claim): Uint8Array {
  return packIds(BigUint64Array.of(claim.chunk, claim.first, claim.count));
}

export function decodeClaim(value: Uint8Array): Claim {
  if (value.length !== 24) throw corrupt(`a claim has ${value.length} bytes, not 24`);
  const [chunk, first, count] = unpackIds(value) as unknown as [bigint, bigint, bigint];
  return { chunk, first, count };
}
