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
  decodeCompressedSegmentationSlabs,
  encodeCompressedSegmentation,
  encodeCompressedSegmentationIndexed,
  encodeCompressedSegmentationSlabs,
  type LabelSlab,
  remapCompressedSegmentation,
} from "./compressed-segmentation.ts";
export { type Contacts, countContacts, countFaceContacts } from "./contacts.ts";
export { isKernelError, KernelError, type KernelErrorCode } from "./error.ts";
export { applyTable, renumber } from "./renumber.ts";
export type { Connectivity, LabelArray, Size } from "./volume.ts";
