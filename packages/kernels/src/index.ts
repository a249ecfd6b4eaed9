/**
 * Fast kernels on label arrays: typed arrays in, typed arrays out, x fastest.
 * @module
 */
export {
  type ComponentStats,
  type Components,
  componentLabels,
  componentStats,
  connectedComponents,
} from "./components.ts";
export {
  decodeCompressedSegmentation,
  decodeCompressedSegmentationIndexed,
  decodeCompressedSegmentationRow,
  type EncodedChunk,
  encodeCompressedSegmentation,
  encodeCompressedSegmentationIndexed,
  encodeCompressedSegmentationSlabs,
  type LabelSlab,
  remapCompressedSegmentation,
} from "./compressed-segmentation.ts";
export { type Contacts, countContacts, countFaceContacts } from "./contacts.ts";
export { distanceTransform, distanceTransformSlices } from "./distance-transform.ts";
export { isKernelError, KernelError, type KernelErrorCode } from "./error.ts";
export {
  type GeodesicOptions,
  GrowingDistances,
  geodesicBytes,
  geodesicDistances,
  geodesicDistancesSlices,
  tracePath,
} from "./geodesic.ts";
export {
  FREE,
  type GridCut,
  type GridGraph,
  gridCut,
  gridCutBytes,
  gridCutSlices,
  MOST_WEIGHT,
  OUTSIDE,
  SINK,
  SOURCE,
} from "./grid-cut.ts";
export { applyTable, renumber } from "./renumber.ts";
export { DIRECTIONS, type VoxelSize } from "./rim.ts";
export { runSlices, type Slices } from "./slices.ts";
export type { Connectivity, LabelArray, Size } from "./volume.ts";
