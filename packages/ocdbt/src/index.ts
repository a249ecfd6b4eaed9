/**
 * Versioned B+tree databases on any key-value store, byte-compatible with TensorStore's OCDBT. Loads in browsers.
 * @module
 */
export {
  type ConfigRequest,
  configFromJson,
  DEFAULT_CONFIG,
} from "./config-json.ts";
export type * from "./contract.ts";
export { isOcdbtError, OcdbtError, type OcdbtErrorCode, type OcdbtErrorDetails } from "./errors.ts";
export type {
  BtreeNodeReference,
  Compression,
  Config,
  DataFileId,
  IndirectReference,
  Manifest,
  ManifestKind,
  NodeStatistics,
  VersionEntry,
  VersionNodeReference,
} from "./format/types.ts";
export type { DataKind, DataPrefixes } from "./io/data-file-writer.ts";
export { type OpenOptions, type OpenUrlOptions, openOcdbt } from "./open.ts";
export type * from "./parts.ts";
export { formatCommitTime, parseCommitTime, parseVersionText, printVersion } from "./view/version-spec.ts";
