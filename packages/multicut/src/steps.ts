/**
 * Work in steps: a generator that yields where it may pause, which is between solves. The same work so serves a call that
 * answers at once and one that lets other events run.
 * @module
 */

export type Steps<Result> = Generator<undefined, Result, void>;

/** How long other events may wait while steps are short, in ms. */
const TURN = 12;

/** Does all the work now. */
export function run<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work while other events get their turn; throws the signal's reason at the next pause after an abort. */
export async function runInTurns<Result>(steps: Steps<Result>, signal: AbortSignal | undefined): Promise<Result> {
  signal?.throwIfAborted();
  let turn = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - turn < TURN) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    turn = performance.now();
  }
}
