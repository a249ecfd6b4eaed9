export type { Clock } from "./clock.ts";
export type * from "./contract.ts";
export { decodeCounter, encodeCounter } from "./counter.ts";
export { isRowStoreError, RowStoreError, type RowStoreErrorCode } from "./errors.ts";
export { prefixRange } from "./key-range.ts";
export { type MemoryRowStoreOptions, memoryRowStore } from "./memory.ts";
export { openRowStore, type RowStoreDriver } from "./open.ts";
export { readRow, readRows } from "./read-rows.ts";
