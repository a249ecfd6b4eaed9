/**
 * A small key-value contract with conditional writes and byte ranges, helpers, wrappers and the memory store. Drivers that
 * do I/O are subpaths: `/file` (Node), `/http` (anywhere with `fetch`).
 * @module
 */
export { checkByteRange, resolveByteRange } from "./byte-range.ts";
export { type CacheOptions, withCache } from "./cache.ts";
export { type CoalesceOptions, withCoalescedReads } from "./coalesce/coalesce.ts";
export type * from "./contract.ts";
export { type StoreCounts, withCounters } from "./counters.ts";
export { isKvStoreError, KvStoreError, type KvStoreErrorCode, type KvStoreErrorDetails } from "./errors.ts";
export { type Fault, type FaultOperation, type FaultSchedule, faultAt, withFaults } from "./faults.ts";
export {
  compareKeys,
  hasPrefix,
  inRange,
  intersectRanges,
  isEmptyRange,
  joinKeys,
  keyBytes,
  keyText,
  listRange,
  prefixRange,
  prefixSuccessor,
  printKey,
} from "./keys.ts";
export { memoryKvStore } from "./memory.ts";
export { memoryDriver } from "./memory-driver.ts";
export {
  type KvDriver,
  type KvDrivers,
  type OpenOptions,
  type OpenSpec,
  openKvStore,
  openKvStoreSpec,
} from "./open.ts";
export { overlay } from "./overlay/overlay.ts";
export { withPrefix } from "./prefix.ts";
export { readValue } from "./read-value.ts";
export { type RetryOptions, type RetryRecord, withRetry } from "./retry.ts";
export { badSpec, checkSpecMembers, type KvStoreSpec, type KvStoreSpecObject, storeSpec } from "./spec.ts";
export { kvStackDriver } from "./stack/driver.ts";
export { kvStack } from "./stack/kv-stack.ts";
export type { LayerSelector, StackLayer } from "./stack/layer.ts";
export { formatUrl, type ParsedUrl, parseUrl, type UrlBase, type UrlStage } from "./url.ts";
