/**
 * Runs sliced work without holding up the thread: events get their turn, an abort is heeded, progress is shown.
 * @module
 */
import type { Slices } from "@pcg/kernels";
import { runInTurns, type Steps } from "../steps.ts";
import type { SplitPhase, SplitProgress } from "./contract.ts";

/** Work that says between slices how far it is. */
export type Work<Result> = Steps<Result, SplitProgress>;

/** Runs `work` to its end; throws the signal's reason when aborted, at the next slice. */
export async function drive<Result>(
  work: Work<Result>,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((progress: SplitProgress) => void) | undefined },
): Promise<Result> {
  let done = 0;
  return await runInTurns(work, signal, (step) => {
    done = Math.max(done, step.done);
    onProgress?.({ phase: step.phase, done });
  });
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
