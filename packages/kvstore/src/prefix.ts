/**
 * A store that shows only the keys under a prefix of another.
 * @module
 */
import type { AnyReadOptions, Key, KeyRange, KvStore, ListEntry, ListOptions, WriteOptions } from "./contract.ts";
import {
  intersectRanges,
  isEmptyRange,
  joinKeys,
  keyBytes,
  keyText,
  listRange,
  prefixRange,
  printKey,
} from "./keys.ts";
import { passOptional } from "./pass-optional.ts";
import type { KvStoreSpecObject } from "./spec.ts";

/**
 * The keys of `store` that begin with `prefix`, without it. Same capabilities; closing it closes `store`.
 *
 * The prefix is joined as it is: write `"scale0/"` for a folder.
 */
export function withPrefix(store: KvStore, prefix: Key): KvStore {
  const start = keyBytes(prefix);
  const whole = prefixRange(start);
  const inner = (range: KeyRange): KeyRange => {
    const shifted = { start: joinKeys(start, range.start) };
    return intersectRanges(whole, range.end === undefined ? shifted : { ...shifted, end: joinKeys(start, range.end) });
  };
  return {
    capabilities: store.capabilities,
    url: store.url + (typeof prefix === "string" ? prefix : printKey(prefix)),
    spec: specBelow(store.spec, start),
    read: ((key: Key, options?: AnyReadOptions) =>
      store.read(joinKeys(start, keyBytes(key)), options as AnyReadOptions)) as KvStore["read"],
    write: (key: Key, value: Uint8Array | null, options?: WriteOptions) =>
      store.write(joinKeys(start, keyBytes(key)), value, options),
    async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
      const { prefix: _prefix, ...rest } = options;
      const range = listRange(options);
      if (isEmptyRange(range)) return;
      for await (const entry of store.list({ ...rest, range: inner(range) })) {
        yield { ...entry, key: entry.key.subarray(start.length) };
      }
    },
    async deleteRange(range, options) {
      if (isEmptyRange(range)) return;
      await store.deleteRange(inner(range), options);
    },
    ...passOptional(store, (key) => joinKeys(start, keyBytes(key))),
    close: () => store.close(),
  };
}

/** JSON has no form for a prefix that is not UTF-8. */
function specBelow(spec: KvStoreSpecObject | undefined, prefix: Uint8Array): KvStoreSpecObject | undefined {
  const text = keyText(prefix);
  return spec === undefined || text === undefined ? undefined : { ...spec, path: (spec.path ?? "") + text };
}
