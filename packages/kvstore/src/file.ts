/**
 * A store in a folder of the file system (Node): one file per key.
 * @module
 */
export { type FileDriverOptions, fileDriver, fileKvStore } from "./file/store.ts";
