/**
 * The `compressed_segmentation` encoding of Neuroglancer's precomputed format: per block of voxels a table of its labels and
 * bit-packed indices into it.
 * @module
 */
export {
  decodeCompressedSegmentation,
  decodeCompressedSegmentationIndexed,
  type IndexedLabels,
} from "./compressed-segmentation-decode.ts";
export {
  encodeCompressedSegmentation,
  encodeCompressedSegmentationIndexed,
  encodeCompressedSegmentationSlabs,
} from "./compressed-segmentation-encode.ts";
export { remapCompressedSegmentation } from "./compressed-segmentation-remap.ts";
export { decodeCompressedSegmentationRow, type EncodedChunk } from "./compressed-segmentation-row.ts";
export type { LabelSlab } from "./compressed-segmentation-slab.ts";
