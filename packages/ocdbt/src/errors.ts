/**
 * The one error class of this package. The `code` is stable; messages are for people and may change. Wrong argument types
 * and ranges stay `TypeError` and `RangeError`, failures of the base store stay `KvStoreError`, and an aborted call rejects
 * with its signal's reason.
 * @module
 */

/** What went wrong, as a caller can act on it. */
export type OcdbtErrorCode =
  /** Stored bytes break the format, or contradict each other. Fields: `file`, `offset` where known. */
  | "corrupt"
  /** There is no database here, and it was not asked to make one; or a file that a version needs is gone. */
  | "not-found"
  /** There is a database already, or a fork or tag of that name. */
  | "already-exists"
  /** No such generation, time before the first version, unknown tag. */
  | "version-not-found"
  /** A configuration that was asked for is not the stored one, or the stored one changed under an open handle. */
  | "config-mismatch"
  /** Something that was read, or compared with, has changed since; nothing was written. */
  | "conflict"
  /** A write through a pinned version, or to a store that only reads. */
  | "read-only"
  /** A key, path, value, node or structure over the format's limit or the caller's. Nothing was written. */
  | "too-large"
  /** Sound as far as we can tell, but nothing this package reads or writes, or that this store or database cannot do. */
  | "unsupported"
  /** A specification, version or option that has no meaning. */
  | "bad-spec"
  /** Doing it could lose data that somebody may still need; the message says what would have to be settled first. */
  | "unsafe"
  /** The committer of this database cannot be reached, or gave up its lease. */
  | "unavailable"
  /** The outcome of a commit is not known: it may or may not be in the database. */
  | "ambiguous"
  /** The database, transaction or coordinator was closed. */
  | "closed";

export interface OcdbtErrorDetails {
  /** The numbers and names of the message. `file` is a printable key of the base store. */
  readonly fields?: Readonly<Record<string, string | number | bigint>>;
  readonly cause?: unknown;
}

/** A failure of a database. `fields` holds the values of the message; `cause` the error underneath, if any. */
export class OcdbtError extends Error {
  override readonly name = "OcdbtError";
  readonly code: OcdbtErrorCode;
  readonly fields: Readonly<Record<string, string | number | bigint>>;

  constructor(code: OcdbtErrorCode, message: string, details: OcdbtErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.fields = details.fields ?? {};
  }
}

/**
 * Whether `error` is an {@link OcdbtError}, of one of `codes` if any are given. Goes by name and code, so that it also
 * holds across two installed copies of this package.
 */
export function isOcdbtError(error: unknown, ...codes: readonly OcdbtErrorCode[]): error is OcdbtError {
  if (!(error instanceof Error) || error.name !== "OcdbtError") return false;
  return codes.length === 0 || codes.includes((error as OcdbtError).code);
}
