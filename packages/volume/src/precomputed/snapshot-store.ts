import type { AnyReadOptions, Generation, KvStore, ReadResult } from "@pcg/kvstore";

/** The store changed under a snapshot; the caller starts again with a new one. */
export class ChangedError extends Error {}

/**
 * A view of a store for one read-modify-write: every key keeps the generation it was first read at. A later read that
 * finds another, or a write over another, throws ChangedError and leaves the store as it is. Keys must be read before they
 * are written, or the write is unconditional like any other.
 */
export function snapshotStore(store: KvStore): KvStore {
  const seen = new Map<string, Generation | null>();
  const name = (key: Uint8Array | string): string => (typeof key === "string" ? key : new TextDecoder().decode(key));
  return {
    ...bound(store),
    read: (async (key: Uint8Array | string, options?: AnyReadOptions) => {
      const result: ReadResult | undefined = await store.read(key, options);
      const generation = result?.generation ?? null;
      const first = seen.get(name(key));
      if (first !== undefined && first !== generation) throw new ChangedError(name(key));
      seen.set(name(key), generation);
      return result;
    }) as KvStore["read"],
    async write(key, value, options) {
      const first = seen.get(name(key));
      if (first === undefined) return store.write(key, value, options);
      const result = await store.write(key, value, { ...options, ifGeneration: first });
      if (!result.written) throw new ChangedError(name(key));
      seen.set(name(key), result.generation);
      return result;
    },
  };
}

/** The store's other members, safe to call on the view. */
function bound(store: KvStore): KvStore {
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: store.read.bind(store),
    write: store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: store.close.bind(store),
  };
}
