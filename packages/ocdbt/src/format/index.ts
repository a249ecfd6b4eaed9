/**
 * The OCDBT format: bytes to values and back, nothing else. Loads in browsers.
 * @module
 */
export {
  type DecodeNodeOptions,
  decodeBtreeNode,
  type EncodeNodeOptions,
  encodeBtreeNode,
  MAX_INLINE_VALUE_BYTES,
  MAX_NODE_ENTRIES,
} from "./btree-node.ts";
export { bytesToPath, MAX_KEY_BYTES, pathToBytes, printablePath } from "./byte-path.ts";
export { ChildColumn, ChildColumnBuilder, type ChildColumns, type U64Column } from "./child-column.ts";
export {
  DEFAULT_MAX_BYTES as MAX_NODE_BYTES,
  type DecodeOptions,
  type EnvelopeKind,
  envelopeKind,
  envelopeLength,
} from "./envelope.ts";
export { compareBytes, compareKeyAt, keyAt, lastAtMost, lowerBound } from "./key-column.ts";
export {
  checkConfig,
  type DecodeManifestOptions,
  decodeManifest,
  encodeManifest,
  MANIFEST_KEY,
  numberedManifestKey,
  parseNumberedManifestKey,
} from "./manifest.ts";
export { InteriorBuilder, LeafBuilder } from "./node-builder.ts";
export { type EncodedNode, encodeNodes, excludedPrefix, splitNode } from "./split.ts";
export { addStatistics, NO_STATISTICS, nodeStatistics, sameStatistics } from "./statistics.ts";
export type * from "./types.ts";
export { type GenerationRange, manifestReferenceRanges } from "./version-entries.ts";
export { decodeVersionNode, encodeVersionNode } from "./version-node.ts";
