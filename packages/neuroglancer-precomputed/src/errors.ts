/**
 * What can go wrong with a stored volume. Bad arguments (a position outside the grid, an array of the wrong length) are
 * plain `RangeError`s and `TypeError`s; errors of the store pass through unchanged.
 * @module
 */

/** What went wrong, stable across releases: callers switch on it, never on the message. */
export type PrecomputedErrorCode =
  /** There is no `info`. Field: `url`. */
  | "NOT_FOUND"
  /** The info breaks the format. Fields: `path` (such as `scales[0].chunk_sizes`), `value`. */
  | "INVALID_INFO"
  /** A chunk, shard or index is not what the info says. Field: `key` of the stored object, where known. */
  | "CORRUPT"
  /** Sound as far as we can tell, but nothing this package reads or writes. */
  | "UNSUPPORTED"
  /** Somebody else changed the object meanwhile; ours was not written. Field: `key`. */
  | "CONFLICT";

/** A stored volume cannot be read or written. `fields` holds the values of the message; `cause` the error underneath. */
export class PrecomputedError extends Error {
  override readonly name = "PrecomputedError";
  readonly code: PrecomputedErrorCode;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: PrecomputedErrorCode,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Whether `error` is a {@link PrecomputedError}, with one of `codes` if any are given. Goes by name and code, so that it
 * also holds across two installed copies of this package.
 */
export function isPrecomputedError(error: unknown, ...codes: PrecomputedErrorCode[]): error is PrecomputedError {
  if (!(error instanceof Error) || error.name !== "PrecomputedError") return false;
  return codes.length === 0 || codes.includes((error as PrecomputedError).code);
}

/** The error of stored bytes that cannot be what they should be. */
export function corrupt(
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): PrecomputedError {
  return new PrecomputedError("CORRUPT", message, fields, cause === undefined ? undefined : { cause });
}

/** `error` with the stored object it came from; everything but our own CORRUPT passes unchanged. */
export function namingKey(error: unknown, key: string): unknown {
  if (!isPrecomputedError(error, "CORRUPT") || error.fields.key !== undefined) return error;
  return corrupt(`${key}: ${error.message}`, { ...error.fields, key }, error.cause);
}
