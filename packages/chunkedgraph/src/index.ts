/**
 * A versioned proofreading graph of supervoxels over any row store.
 * @module
 */

export { type CheckOptions, type CheckReport, checkGraph } from "./check/check-graph.ts";
export type { Rule, Violation } from "./check/report.ts";
export type * from "./contract.ts";
export { GraphError, type GraphErrorFields, isGraphError } from "./errors.ts";
export { type OpenGraphOptions, openGraph } from "./graph.ts";
export type { Logger } from "./history/feed.ts";
export { lineageUntil } from "./history/lineage.ts";
export { type RootMapping, rootMapping } from "./history/root-mapping.ts";
export { decodeSettings } from "./settings.ts";
export type { Clock } from "./time.ts";
export { level2Path } from "./view/level2-path.ts";
export { minimalCover } from "./view/minimal-cover.ts";
export { validBetween } from "./view/valid-between.ts";
export type { VoxelSource } from "./voxels.ts";
