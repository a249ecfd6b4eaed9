/**
 * The one error class of stores and their URLs.
 *
 * The `code` is stable; messages are for people and may change. Wrong argument types and malformed byte ranges stay
 * `TypeError` and `RangeError`, an aborted call rejects with its signal's reason.
 * @module
 */

/** What went wrong, as a caller can act on it. */
export type KvStoreErrorCode =
  /** The URL cannot be read as a pipeline. */
  | "bad-url"
  /** A JSON spec cannot be read: not of its form, unknown members, values out of bounds. */
  | "bad-spec"
  /** No driver was given for a scheme of the URL, or the driver of a spec. */
  | "unknown-driver"
  /** This store cannot hold such a key. */
  | "bad-key"
  /** The store has no such operation. */
  | "unsupported"
  /** A write to a store that only reads. */
  | "read-only"
  /** The other side refused the credentials, or their absence. */
  | "permission"
  /** Worth trying again: time-outs, broken connections, overloaded servers. */
  | "transient"
  /** What came back contradicts itself. */
  | "corrupt"
  /** More bytes than the limit allows. */
  | "too-large"
  /** The outcome of a write is not known: it may or may not have happened, or may not be durable. */
  | "ambiguous"
  /** The store was closed. */
  | "closed"
  /** Anything else the system below reported (disk full, I/O error, unexpected HTTP status); see `cause`. */
  | "failed";

export interface KvStoreErrorDetails {
  /** Address of the store. */
  readonly url?: string;
  /** The key, printable. */
  readonly key?: string;
  /** HTTP status, when there was one. */
  readonly status?: number;
  /** Smallest time to wait before trying again, when the other side named one. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A failure of a store or its URL. */
export class KvStoreError extends Error {
  override readonly name = "KvStoreError";
  readonly code: KvStoreErrorCode;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: KvStoreErrorCode, message: string, details: KvStoreErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.url = details.url;
    this.key = details.key;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/**
 * Whether `error` is a {@link KvStoreError}, of one of `codes` when any are given. Decided by name and code, so that it
 * also holds across duplicate installs and structured clones.
 */
export function isKvStoreError(error: unknown, ...codes: readonly KvStoreErrorCode[]): error is KvStoreError {
  if (!(error instanceof Error) || error.name !== "KvStoreError") return false;
  const { code } = error as KvStoreError;
  return typeof code === "string" && (codes.length === 0 || codes.includes(code));
}
