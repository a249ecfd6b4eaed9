import type { AnyReadOptions, Key, KvStore, ReadResult } from "@pcg/kvstore";

/** A store that does as `store` does, except for what is given. */
export function wrapStore(
  store: KvStore,
  own: {
    readonly read?: (key: string, options: AnyReadOptions | undefined) => Promise<ReadResult | undefined>;
    readonly write?: KvStore["write"];
  },
): KvStore {
  const read = own.read;
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: (read === undefined
      ? store.read.bind(store)
      : (key: Key, options?: AnyReadOptions) => read(key as string, options)) as KvStore["read"],
    write: own.write ?? store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: store.close.bind(store),
  };
}
