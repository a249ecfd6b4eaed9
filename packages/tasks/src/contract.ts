/**
 * The contract between packages that have work to do and whoever decides where it runs.
 * @module
 */

export interface RunOptions {
  /** Peak memory the task needs; it waits until that much of the runner's budget is free. */
  readonly bytes?: number;
  readonly signal?: AbortSignal;
  /** Buffers of the payload that may be moved instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Runs named tasks. Payloads and results are plain data (structured clone); handlers live with the runner. */
export interface TaskRunner {
  /** How many tasks can make progress at once. */
  readonly parallelism: number;
  run<Result>(name: string, payload: unknown, options?: RunOptions): Promise<Result>;
  close(): Promise<void>;
}

/** A handler of one kind of task. */
export type TaskHandler = (payload: never, context: { readonly signal: AbortSignal }) => unknown;

/** Handlers by name; a pool's worker module exports one as `handlers`. */
export type TaskHandlers = Readonly<Record<string, TaskHandler>>;

/** Something a person can watch: `done` of `total` units of a named step. */
export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly message?: string;
}

export type OnProgress = (progress: Progress) => void;
