/**
 * How long files that nothing refers to yet are left alone, so that a commit can write its files first and its manifest last.
 *
 * A sweep removes a file only when an earlier sweep has recorded it as unneeded, `MIN_GRACE_MS` before or more. A commit refers to
 * files that it wrote, or has found unrecorded and there, at most `MAX_AGE_MS` before it replaces the manifest, so that no sweep can
 * have removed them by then, whichever clocks the two go by: neither is set while the other runs by more than what is between.
 * @module
 */

/** The shortest grace of a sweep, ms, other than 0, which needs the database to itself. */
export const MIN_GRACE_MS: number = 15 * 60_000;

/** Older files, ms, are looked at once more, and written anew when a sweep has seen them. Leaves ten minutes for what cannot be timed. */
export const MAX_AGE_MS: number = 5 * 60_000;
