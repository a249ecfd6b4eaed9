/** What went wrong, stable across releases: callers switch on it, never on the message. */
export type CodecErrorCode =
  /** The input ends before the value or stream does. Fields: `offset`, `wanted`, `available`. */
  | "TRUNCATED"
  /** The input contradicts its format or its checksum. */
  | "CORRUPT"
  /** The output would exceed the caller's limit. Fields: `maxBytes`, and `wanted` where it is known. */
  | "TOO_LARGE";

/** Bytes could not be decoded. `fields` holds the numbers of the message; `cause` the error underneath, if any. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code: CodecErrorCode;
  readonly fields: Readonly<Record<string, number | bigint | string>>;

  constructor(
    code: CodecErrorCode,
    message: string,
    fields: Readonly<Record<string, number | bigint | string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Whether `error` is a {@link CodecError}, with one of `codes` if any are given. Goes by name and code, so that it also
 * holds across two installed copies of this package.
 */
export function isCodecError(error: unknown, ...codes: CodecErrorCode[]): error is CodecError {
  if (!(error instanceof Error) || error.name !== "CodecError") return false;
  return codes.length === 0 || codes.includes((error as CodecError).code);
}

/** Throws unless `maxBytes` is a usable limit; shared by the decompressors. */
export function checkMaxBytes(maxBytes: number): void {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new RangeError(`maxBytes must be a whole number of bytes ≥ 0, got ${maxBytes}`);
  }
}

/** The error of an output that passes its limit. */
export function tooLarge(what: string, maxBytes: number, wanted?: number | bigint): CodecError {
  const size = wanted === undefined ? `more than ${maxBytes}` : `${wanted}`;
  return new CodecError(
    "TOO_LARGE",
    `${what} decompresses to ${size} bytes, over the limit of ${maxBytes}; raise maxBytes if the source is trusted`,
    wanted === undefined ? { maxBytes } : { maxBytes, wanted },
  );
}
