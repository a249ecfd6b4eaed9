/** A request that cannot be meant like this; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}

/** The answer is "no" or "there is none": exit code 1 after one line on stderr. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}
