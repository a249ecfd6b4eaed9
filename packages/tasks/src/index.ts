/**
 * Running work: the contract of task runners, a runner on the calling thread, and the tools of bounded concurrency. The runner
 * on worker threads is the subpath `/pool` (Node).
 * @module
 */
export { ByteBudget, type Release } from "./byte-budget.ts";
export type * from "./contract.ts";
export { isTaskError, TaskError, type TaskErrorCode } from "./errors.ts";
export { type InlineRunnerOptions, inlineRunner } from "./inline.ts";
export { type MapOptions, mapConcurrent } from "./map-concurrent.ts";
export { throttleProgress } from "./progress.ts";
export { withTransfer } from "./transfer.ts";
