/**
 * The head: the time of the last commit and the last operation number. Every commit replaces it under a guard on the
 * value it read, so commits of all processes form one line with increasing times.
 * @module
 */
import type { Bytes, Column, Guard, RowMutation } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { column, KIND, PRESENT, singletonKey } from "./keys.ts";
import { corrupt, packIds, unpackIds } from "./values.ts";

export interface Head {
  readonly lastTime: Time;
  readonly lastOperation: bigint;
}

export const HEAD: Column = column("h");

export function headKey(): Bytes {
  return singletonKey(KIND.head);
}

export function encodeHead(head: Head): Uint8Array {
  return packIds(BigUint64Array.of(head.lastTime, head.lastOperation));
}

export function decodeHead(value: Uint8Array): Head {
  if (value.length !== 16) throw corrupt(`the head has ${value.length} bytes, not 16`);
  const [lastTime, lastOperation] = unpackIds(value) as unknown as [bigint, bigint];
  return { lastTime, lastOperation };
}

/** Holds while the head still is what was read (`undefined`: no commit yet). */
export function headGuard(head: Head | undefined): Guard {
  return head === undefined
    ? { key: headKey(), when: { kind: "absent", column: HEAD } }
    : { key: headKey(), when: { kind: "cell", column: HEAD, valueEq: encodeHead(head) } };
}

export function headMutation(head: Head): RowMutation {
  return { key: headKey(), ops: [{ op: "set", column: HEAD, value: encodeHead(head), timestamp: PRESENT }] };
}
