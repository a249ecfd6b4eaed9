/** What went wrong, stable across versions:
 *
 * - `INVALID_KEY`, `KEY_TOO_LONG`, `VALUE_TOO_LARGE`, `INVALID_FAMILY`, `INVALID_TIMESTAMP`, `INVALID_ARGUMENT`: the call
 *   is at fault; nothing was read or written.
 * - `NOT_A_COUNTER`, `COUNTER_OVERFLOW`: `increment` met a cell that is no 64-bit integer, or would leave its range.
 * - `INVALID_URL`, `UNKNOWN_DRIVER`: the store's address.
 * - `NOT_A_ROW_STORE`, `VERSION_MISMATCH`, `CANNOT_OPEN`: the folder cannot be used as a row store by this software.
 * - `CORRUPT`: stored bytes are not what this software writes.
 * - `WRITE_FAILED`: the engine could not commit (full disk, for example); nothing of the transaction is in the store.
 * - `CLOSED`: the store was closed.
 */
export type RowStoreErrorCode =
  | "INVALID_KEY"
  | "KEY_TOO_LONG"
  | "VALUE_TOO_LARGE"
  | "INVALID_FAMILY"
  | "INVALID_TIMESTAMP"
  | "INVALID_ARGUMENT"
  | "NOT_A_COUNTER"
  | "COUNTER_OVERFLOW"
  | "INVALID_URL"
  | "UNKNOWN_DRIVER"
  | "NOT_A_ROW_STORE"
  | "VERSION_MISMATCH"
  | "CANNOT_OPEN"
  | "CORRUPT"
  | "WRITE_FAILED"
  | "CLOSED";

/** Every error a row store throws by itself; `details` holds the value met and the limit it broke. */
export class RowStoreError extends Error {
  override readonly name: string = "RowStoreError";
  readonly code: RowStoreErrorCode;
  readonly details: Readonly<Record<string, string | number | bigint>>;

  constructor(
    code: RowStoreErrorCode,
    message: string,
    details: Readonly<Record<string, string | number | bigint>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** Whether `error` is a `RowStoreError`, of one of `codes` if any are given; works across duplicate installs. */
export function isRowStoreError(error: unknown, ...codes: RowStoreErrorCode[]): error is RowStoreError {
  if (!(error instanceof Error) || error.name !== "RowStoreError") return false;
  return codes.length === 0 || codes.includes((error as RowStoreError).code);
}
