/** What went wrong, stable across releases: callers switch on it, never on the message. */
export type KernelErrorCode =
  /** Encoded bytes contradict their format. */
  | "CORRUPT"
  /** The input passes a limit of the format. Fields: what was wanted and the `limit`. */
  | "TOO_LARGE"
  /** The engine gave no memory. Fields: `bytes`. */
  | "OUT_OF_MEMORY"
  /** A function given by the caller broke its promise. */
  | "BAD_CALLBACK"
  /** A result failed its own proof: a defect of this package. Fields: the numbers that should agree. */
  | "UNPROVEN";

/** A kernel could not finish. Wrong arguments (lengths, sizes) are RangeError and TypeError instead. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: KernelErrorCode;
  /** The numbers of the message. */
  readonly fields: Readonly<Record<string, number>>;

  constructor(
    code: KernelErrorCode,
    message: string,
    fields: Readonly<Record<string, number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Whether `error` is a {@link KernelError}, with one of `codes` if any are given. Goes by name and code, so that it also
 * holds across two installed copies of this package.
 */
export function isKernelError(error: unknown, ...codes: KernelErrorCode[]): error is KernelError {
  if (!(error instanceof Error) || error.name !== "KernelError") return false;
  return codes.length === 0 || codes.includes((error as KernelError).code);
}
