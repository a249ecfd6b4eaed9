/** What is wrong with a call, stable across releases: callers switch on it, never on the message.
 *
 * - `INVALID_INPUT`: the call's argument is no object that holds the others by name, or is no graph or contraction of this
 *   package.
 * - `INVALID_EDGES`, `INVALID_AFFINITIES`, `INVALID_GROUPS`, `INVALID_PAIRS`, `INVALID_OPTION`: the argument of that kind
 *   (also one that the call does not know, in `fields.option`); nothing was computed.
 * - `TOO_LARGE`: the input passes what the 32-bit indices inside can number.
 * - `INTERNAL`: a computed cut failed its own verification. Never the caller's fault: please report it with the input.
 */
export type MulticutErrorCode =
  | "INVALID_INPUT"
  | "INVALID_EDGES"
  | "INVALID_AFFINITIES"
  | "INVALID_GROUPS"
  | "INVALID_PAIRS"
  | "INVALID_OPTION"
  | "TOO_LARGE"
  | "INTERNAL";

/** A call that cannot be answered. What a proofreader can mend (other points, a split supervoxel) is a result instead. */
export class MulticutError extends Error {
  override readonly name = "MulticutError";
  readonly code: MulticutErrorCode;
  /** The values of the message: what was met, and the limit. */
  readonly fields: Readonly<Record<string, string | number | bigint>>;

  constructor(
    code: MulticutErrorCode,
    message: string,
    fields: Readonly<Record<string, string | number | bigint>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Whether `error` is a {@link MulticutError}, with one of `codes` if any are given. Goes by name and code, so that it also
 * holds across two installed copies of this package.
 */
export function isMulticutError(error: unknown, ...codes: MulticutErrorCode[]): error is MulticutError {
  if (!(error instanceof Error) || error.name !== "MulticutError") return false;
  return codes.length === 0 || codes.includes((error as MulticutError).code);
}
