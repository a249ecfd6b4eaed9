/**
 * Work in steps: a generator that yields where it may pause, which is between solves. The same work so serves a call that
 * answers at once and one that lets other events run.
 * @module
 */

export type Steps<Result, Step = undefined> = Generator<Step, Result, void>;

/** How long other events may wait while steps are short, in ms. */
const TURN = 12;

/** Does all the work now. */
export function run<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work while other events get their turn; throws the signal's reason at the next step after an abort. */
export async function runInTurns<Result, Step>(
  steps: Steps<Result, Step>,
  signal: AbortSignal | undefined,
  onStep?: (step: Step) => void,
): Promise<Result> {
  signal?.throwIfAborted();
  let turn = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onStep?.(step.value);
    if (performance.now() - turn > TURN) {
      await new Promise((resolve) => setTimeout(resolve));
      turn = performance.now();
    }
    signal?.throwIfAborted();
  }
}
