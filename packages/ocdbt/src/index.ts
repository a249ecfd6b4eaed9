/**
 * Versioned B+tree databases on any key-value store, byte-compatible with TensorStore's OCDBT. Loads in browsers.
 * @module
 */

export { EMPTY_TREE } from "./commit/tree-writer.ts";
export {
  type ConfigRequest,
  configFromJson,
  DEFAULT_CONFIG,
} from "./config-json.ts";
export type * from "./contract.ts";
export { type CoordinatedOptions, coordinatedCommitter } from "./coordinator/coordinated-committer.ts";
export { Coordinator, type CoordinatorOptions } from "./coordinator/coordinator.ts";
export type { LeaseRecord } from "./coordinator/lease.ts";
export type { RequestId } from "./coordinator/request-id.ts";
export { type Answerer, type Port, portTransport, servePort, type Transport } from "./coordinator/transport.ts";
export { type OcdbtDriverOptions, ocdbtDriver } from "./driver.ts";
export { type DumpJson, dump, formatReference, parseReference } from "./dump.ts";
export { isOcdbtError, OcdbtError, type OcdbtErrorCode, type OcdbtErrorDetails } from "./errors.ts";
export { type ForkOptions, fork } from "./fork/create.ts";
export { dropFork } from "./fork/drop.ts";
export { type MergeOptions, type MergeResult, merge, updateFork } from "./fork/merge.ts";
export {
  type MergeUnregisteredOptions,
  mergeUnregistered,
  type UnregisteredMerge,
} from "./fork/merge-unregistered.ts";
export {
  type FindFork,
  type ListedFork,
  listForks,
  type OpenFolder,
  type OpenForkOptions,
  openFork,
  publishedSpec,
} from "./fork/open.ts";
export type { Agreement, ForkLocation, ForkRegistration, VersionIdentity } from "./fork/registry.ts";
export { pinnedGenerations } from "./fork/roots.ts";
export type { MergeConflict } from "./fork/three-way.ts";
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
export type { CommittedTree } from "./history/commit-tree.ts";
export {
  type Change,
  type DatabaseVersion,
  type DiffOptions,
  diff,
  diffBetween,
  diffTrees,
  valueBytes,
} from "./history/diff.ts";
export { type KeyChange, keyHistory } from "./history/key-history.ts";
export { type LogEntry, log } from "./history/log.ts";
export type { CommitMessage } from "./history/messages.ts";
export { type RestoreOptions, type RestoreSelection, restore, restoreKeys } from "./history/restore.ts";
export { createTag, deleteTag, type ListedTag, listTags, readTag, type Tag, type TagOptions } from "./history/tags.ts";
export type { StoredValue, Tree } from "./history/tree-cursor.ts";
export { type VersionRange, versions } from "./history/versions.ts";
export type { DataKind, DataPrefixes } from "./io/data-file-writer.ts";
export { openOcdbt } from "./open.ts";
export type { OpenOptions, OpenUrlOptions } from "./open-options.ts";
export type * from "./parts.ts";
export { type OcdbtSpec, parseOcdbtSpec } from "./spec.ts";
export * from "./upkeep/index.ts";
export {
  formatCommitTime,
  parseCommitTime,
  parseStagePath,
  parseVersionJson,
  parseVersionText,
  printVersion,
} from "./view/version-spec.ts";
