/**
 * Rows of ingest tasks: which are done, so that an ingest can go on where it stopped.
 * @module
 */
import type { Bytes, Column, KeyRange } from "@pcg/rowstore";
import { column, KIND } from "./keys.ts";

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
