/**
 * A versioned proofreading graph of supervoxels over any row store.
 * @module
 */
export type * from "./contract.ts";
export { GraphError, type GraphErrorFields, isGraphError } from "./errors.ts";
export { decodeSettings, encodeSettings, SETTINGS_VERSION } from "./settings.ts";
