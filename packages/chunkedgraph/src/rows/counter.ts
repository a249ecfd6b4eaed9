/**
 * Counters: the last segment number given out in a chunk. A counter is only ever changed in a transaction guarded by
 * the value it had, so a number is given out once.
 * @module
 */
import type { Bytes, Column, Guard, RowMutation } from "@pcg/rowstore";
import { column, idKey, KIND, PRESENT } from "./keys.ts";
import { packId } from "./values.ts";

export const COUNTER: Column = column("c");

export function counterKey(chunk: bigint): Bytes {
  return idKey(KIND.counter, chunk);
}

/** Holds while the counter still has the value that was read (0: there is none yet). */
export function counterGuard(chunk: bigint, value: bigint): Guard {
  const key = counterKey(chunk);
  return value === 0n
    ? { key, when: { kind: "absent", column: COUNTER } }
    : { key, when: { kind: "cell", column: COUNTER, valueEq: packId(value) } };
}

export function counterMutation(chunk: bigint, value: bigint): RowMutation {
  return { key: counterKey(chunk), ops: [{ op: "set", column: COUNTER, value: packId(value), timestamp: PRESENT }] };
}
