/**
 * The Neuroglancer precomputed volume format: info, chunk grid, chunks in every encoding, sharded or not.
 * @module
 */
export { type Box, ChunkGrid, type Xyz } from "./chunk-grid.ts";
export type { StorageUnit } from "./chunk-store.ts";
export type { ChunkPiece, FillPiece, TakePiece } from "./codecs/piece.ts";
export type { ChunkArray, DataType } from "./data-type.ts";
export { isPrecomputedError, PrecomputedError, type PrecomputedErrorCode } from "./errors.ts";
export {
  addScale,
  ENCODINGS,
  type Encoding,
  encodeInfo,
  type PrecomputedInfo,
  parseInfo,
  type ScaleInfo,
} from "./info.ts";
export { readInfo, type StoredInfo, writeInfo } from "./info-store.ts";
export { type OpenPrecomputedOptions, openPrecomputed, type PrecomputedVolume } from "./open.ts";
export { type CallOptions, type ChunkWrite, PrecomputedScale, type ScaleOptions } from "./scale.ts";
