/**
 * Runs sliced work without holding up the thread: events get their turn, an abort is heeded, progress is shown.
 * @module
 */
import type { Slices } from "@pcg/kernels";
import type { SplitPhase, SplitProgress } from "./contract.ts";

/** Work that says between slices how far it is. */
export type Work<Result> = Generator<SplitProgress, Result, void>;

/** After this long without a pause, other events run. */
const TURN_MILLISECONDS = 12;

/** Runs `work` to its end; throws the signal's reason when aborted, at the next slice. */
export async function drive<Result>(
  work: Work<Result>,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((progress: SplitProgress) => void) | undefined },
): Promise<Result> {
  signal?.throwIfAborted();
  let turn = performance.now();
  let done = 0;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    done = Math.max(done, step.value.done);
    onProgress?.({ phase: step.value.phase, done });
    if (performance.now() - turn > TURN_MILLISECONDS) {
      await new Promise((resolve) => setTimeout(resolve));
      turn = performance.now();
    }
    signal?.throwIfAborted();
  }
}

/** A kernel's slices as the part of the work from share `from` to share `to`. */
export function* during<Result>(
  phase: SplitPhase,
  [from, to]: readonly [number, number],
  slices: Slices<Result>,
): Work<Result> {
  for (let step = slices.next(); ; step = slices.next()) {
    if (step.done) return step.value;
    yield { phase, done: from + (to - from) * step.value };
  }
}
