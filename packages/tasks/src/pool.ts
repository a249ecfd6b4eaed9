/**
 * Running tasks on worker threads (Node).
 * @module
 */
export { type PoolRunnerOptions, poolRunner } from "./pool/runner.ts";
