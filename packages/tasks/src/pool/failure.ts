/**
 * What the death of a thread, or of a message to it, means for its task.
 * @module
 */
import { TaskError } from "../errors.ts";

/** Carries what a handler threw past {@link threadFailure}, which leaves it as it is. */
export class HandlerError {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** The error to reject with when piscina rejected, or when the handler threw. */
export function threadFailure(task: string, error: unknown): unknown {
  if (error instanceof HandlerError) return error.error;
  if (error instanceof TaskError) return error;
  if (!(error instanceof Error))
    return new TaskError("crashed", task, `task "${task}": its thread ended`, { cause: error });
  const { code } = error as { code?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") {
    const remedy = "run fewer at once, or raise heapMiB";
    return new TaskError("oom", task, `task "${task}": its thread ran out of memory; ${remedy}`, { cause: error });
  }
  // By name from a payload, by code from a result, whose failure ends the thread.
  if (error.name === "DataCloneError" || code === "DataCloneError") {
    const what = "its payload or result is not plain data";
    return new TaskError("failed", task, `task "${task}": ${what}: ${error.message}`, { cause: error });
  }
  return new TaskError("crashed", task, `task "${task}": its thread ended: ${error.message}`, { cause: error });
}
