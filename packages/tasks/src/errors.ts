/**
 * The error of tasks that did not end by themselves.
 * @module
 */

/** What became of the task. */
export type TaskErrorCode =
  /** The runner has no handler of that name. */
  | "unknown-task"
  /** It says it needs more memory than the whole budget. */
  | "too-large"
  /** Its thread ran out of memory. */
  | "oom"
  /** Its thread ended without an answer: `process.exit`, an uncaught error elsewhere in the thread. */
  | "crashed"
  /** Its payload or result cannot be sent between threads, or the module of handlers cannot be loaded. */
  | "failed"
  /** The runner was closed before it ended. */
  | "closed";

/** A task that could not be run or whose runner failed under it. Errors thrown by handlers are not wrapped in this. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly code: TaskErrorCode;
  /** Name of the task. */
  readonly task: string;

  constructor(code: TaskErrorCode, task: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.task = task;
  }
}

/** Whether `error` is a {@link TaskError}, of one of `codes` when any are given; decided by name and code. */
export function isTaskError(error: unknown, ...codes: readonly TaskErrorCode[]): error is TaskError {
  if (!(error instanceof Error) || error.name !== "TaskError") return false;
  const { code } = error as TaskError;
  return typeof code === "string" && (codes.length === 0 || codes.includes(code));
}
