/**
 * Work in slices: a generator that yields between them. Whoever drives it decides what happens there (let events run, look at
 * an abort signal, show progress); this module only runs it to the end.
 * @module
 */

/** Yields how much of the work is done, from 0 to 1 as well as is known, and returns the result. */
export type Slices<Result> = Generator<number, Result, void>;

/** Runs all slices at once. */
export function runSlices<Result>(slices: Slices<Result>): Result {
  for (let step = slices.next(); ; step = slices.next()) if (step.done) return step.value;
}
