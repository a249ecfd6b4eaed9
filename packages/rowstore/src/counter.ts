import type { Bytes } from "./contract.ts";
import { RowStoreError } from "./errors.ts";
import { showBytes } from "./limits.ts";

/** A counter's value: 64 bits, signed, big-endian. */
export function encodeCounter(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}

/** @throws RowStoreError `NOT_A_COUNTER` unless there are exactly 8 bytes. */
export function decodeCounter(value: Bytes): bigint {
  if (value.length !== 8) {
    throw new RowStoreError(
      "NOT_A_COUNTER",
      `the newest cell holds ${value.length} bytes (${showBytes(value)}) and a counter has 8; increment another column`,
      { bytes: value.length, limit: 8 },
    );
  }
  return new DataView(value.buffer, value.byteOffset, 8).getBigInt64(0);
}

/** @throws RowStoreError `COUNTER_OVERFLOW` when the sum does not fit 64 signed bits. */
export function addToCounter(current: bigint, by: bigint): bigint {
  const sum = current + by;
  if (sum !== BigInt.asIntN(64, sum)) {
    throw new RowStoreError(
      "COUNTER_OVERFLOW",
      `adding ${by} to the counter's ${current} leaves the 64-bit signed range; the counter was not changed`,
      { current, by },
    );
  }
  return sum;
}
