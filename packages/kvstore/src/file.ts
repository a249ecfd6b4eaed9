/**
 * A store in a folder of the file system (Node): one file per key.
 * @module
 */
export { fileDriver } from "./file/driver.ts";
export { type FileDriverOptions, fileKvStore } from "./file/store.ts";
export { type SweepOptions, sweepLocks } from "./file/sweep.ts";
