/** What went wrong, for callers that act on it. */
export type VolumeErrorCode =
  /** The URL names no volume format we know. */
  | "UNKNOWN_FORMAT"
  /** There is no volume (or array, or scale) at the address. */
  | "NOT_FOUND"
  /** Metadata is not what its format prescribes. */
  | "BAD_METADATA"
  /** Valid, but beyond what this package reads or writes. */
  | "UNSUPPORTED"
  /** A stored chunk or shard is truncated, corrupt or fails its checksum. */
  | "BAD_CHUNK"
  /** More bytes than the stated limit. */
  | "TOO_LARGE"
  /** The data type does not fit the operation. */
  | "WRONG_DATA_TYPE"
  /** A label below zero was found where labels are read as unsigned. */
  | "NEGATIVE_LABEL"
  /** The volume was opened for reading only. */
  | "READ_ONLY"
  /** Another volume is already there. */
  | "ALREADY_EXISTS"
  /** Another writer kept changing the same stored object. */
  | "CONFLICT";

/** Any failure of a volume that is not a bad argument (`RangeError`, `TypeError`) nor an error of the store below. */
export class VolumeError extends Error {
  readonly code: VolumeErrorCode;
  /** Address of the store or volume, where known. */
  readonly url: string | undefined;
  /** Key of the stored object inside it, where one is to blame. */
  readonly key: string | undefined;

  constructor(
    code: VolumeErrorCode,
    message: string,
    details: { readonly url?: string | undefined; readonly key?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "VolumeError";
    this.code = code;
    this.url = details.url;
    this.key = details.key;
  }
}

/** Whether `error` is a `VolumeError` (of one of `codes`), also one of another installed copy of this package. */
export function isVolumeError(error: unknown, ...codes: VolumeErrorCode[]): error is VolumeError {
  if (!(error instanceof Error) || error.name !== "VolumeError") return false;
  return codes.length === 0 || codes.includes((error as VolumeError).code);
}
