/** A request that cannot be meant like this; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}
