/**
 * Splits supervoxels: voxels between groups of seeds, then ids chunk by chunk, then edges. Pure: typed arrays in, typed arrays
 * out. Axis order is x, y, z and blocks are dense with x fastest.
 * @module
 */
export type {
  Leftover,
  SnappedSeed,
  SplitObject,
  SplitPhase,
  SplitProgress,
  SplitRequest,
  VoxelSplit,
  Xyz,
} from "./contract.ts";
export { isVoxelSplitError, VoxelSplitError, type VoxelSplitErrorCode } from "./error.ts";
export type { VoxelBox } from "./point-set.ts";
export {
  type ChangedChunk,
  type Fragment,
  type Relabelling,
  type RelabelRequest,
  relabelChunks,
} from "./relabel-chunks.ts";
export { type EdgeTable, type RouteRequest, type Routing, routeEdges } from "./route-edges.ts";
export { splitVoxels } from "./split-voxels.ts";
export { type CutSurface, cutSurface } from "./surface.ts";
