/**
 * Cuts of a supervoxel graph: exact, fast, explained. Typed arrays in, typed arrays out, no I/O.
 * @module
 */
export { type Contraction, contract } from "./contract.ts";
export { isMulticutError, MulticutError, type MulticutErrorCode } from "./errors.ts";
export type { Graph } from "./graph.ts";
export { verticesOf } from "./labels.ts";
export { type MaxFlow, type MinCut, maxFlow, minCut, type Vertices } from "./min-cut.ts";
export { multicut, multicutAsync } from "./multicut.ts";
export { logOdds, type Partition, type PartitionInput, partition } from "./partition/partition.ts";
export type {
  Alternative,
  CarriedFlow,
  Certificate,
  Cut,
  CutResult,
  Explanation,
  MulticutResult,
  PreviewResult,
  Problem,
  Rejected,
  RejectionCode,
  SharedRep,
  SvSplitRequired,
} from "./result.ts";
export type { SeedTree } from "./seed-tree.ts";
export { type SeedTrees, seedTrees } from "./seed-trees.ts";
export type { MulticutAsyncInput, MulticutInput } from "./settings.ts";
export {
  type ChangedChunk,
  type CutSurface,
  cutSurface,
  type EdgeTable,
  type Fragment,
  isVoxelSplitError,
  type Leftover,
  type Relabelling,
  type RelabelRequest,
  type RouteRequest,
  type Routing,
  relabelChunks,
  routeEdges,
  type SnappedSeed,
  type SplitObject,
  type SplitPhase,
  type SplitProgress,
  type SplitRequest,
  splitVoxels,
  type VoxelBox,
  type VoxelSplit,
  VoxelSplitError,
  type VoxelSplitErrorCode,
  type Xyz,
} from "./voxel/index.ts";
