/**
 * A store that counts.
 * @module
 */
import type { AnyReadOptions, Key, KvStore, ListEntry, ListOptions } from "./contract.ts";
import { passOptional } from "./pass-optional.ts";

/** Calls and bytes since the store was wrapped; a call counts when it is made, bytes when they have passed. */
export interface StoreCounts {
  reads: number;
  /** Bytes of values read, ranges as such. */
  bytesRead: number;
  writes: number;
  /** Bytes of values that were written; failed conditions and failures add none. */
  bytesWritten: number;
  /** Writes and deletions whose condition failed. */
  conflicts: number;
  deletes: number;
  lists: number;
  keysListed: number;
  deleteRanges: number;
}

/**
 * `store`, and how it is used: `counts` is brought up to date as calls are made, and may be set back by its holder.
 *
 * @example
 * const { store, counts } = withCounters(memoryKvStore());
 * await store.read("key");
 * counts.reads; // 1
 */
export function withCounters(store: KvStore): { readonly store: KvStore; readonly counts: StoreCounts } {
  const counts: StoreCounts = {
    reads: 0,
    bytesRead: 0,
    writes: 0,
    bytesWritten: 0,
    conflicts: 0,
    deletes: 0,
    lists: 0,
    keysListed: 0,
    deleteRanges: 0,
  };
  const counting: KvStore = {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: (async (key: Key, options?: AnyReadOptions) => {
      counts.reads++;
      const found = await store.read(key, options as AnyReadOptions);
      if (typeof found === "object") counts.bytesRead += found.value.length;
      return found;
    }) as KvStore["read"],
    async write(key, value, options) {
      if (value === null) counts.deletes++;
      else counts.writes++;
      const length = value?.length ?? 0;
      const result = await store.write(key, value, options);
      if (result.written) counts.bytesWritten += length;
      else counts.conflicts++;
      return result;
    },
    async *list(options?: ListOptions): AsyncGenerator<ListEntry> {
      counts.lists++;
      for await (const entry of store.list(options)) {
        counts.keysListed++;
        yield entry;
      }
    },
    async deleteRange(range, options) {
      counts.deleteRanges++;
      await store.deleteRange(range, options);
    },
    ...passOptional(store),
    close: () => store.close(),
  };
  return { store: counting, counts };
}
