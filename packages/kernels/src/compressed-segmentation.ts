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
} from "./compressed-segmentation-encode.ts";
export { remapCompressedSegmentation } from "./compressed-segmentation-remap.ts";
