/**
 * Results whose buffers move instead of being copied.
 * @module
 */

/** Registered, so that every copy of this package and the worker entry agree on it. */
const mark: unique symbol = Symbol.for("@pcg/tasks transfer") as never;

interface Transfer {
  readonly [mark]: readonly ArrayBuffer[];
  readonly value: unknown;
}

/**
 * Returned by a handler instead of `value`: the caller gets `value`, and the buffers are moved to it. They must belong to the
 * handler alone, since they are detached.
 *
 * @example return withTransfer(labels, [labels.buffer]);
 */
export function withTransfer<Value>(value: Value, buffers: readonly ArrayBuffer[]): Value {
  const transfer: Transfer = { [mark]: buffers, value };
  return transfer as unknown as Value;
}

/** What a handler returned, taken apart. */
export function takeTransfer(result: unknown): { value: unknown; buffers: readonly ArrayBuffer[] } {
  if (typeof result === "object" && result !== null && mark in result) {
    const transfer = result as Transfer;
    return { value: transfer.value, buffers: transfer[mark] };
  }
  return { value: result, buffers: [] };
}
