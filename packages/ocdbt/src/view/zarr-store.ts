import { type ByteRange, joinKeys, type Key, type KvStore, keyBytes, type ReadOptions } from "@pcg/kvstore";
import type { ZarrReadable } from "../contract.ts";

/** Reads `store` as zarrita does: keys with or without a leading slash, below `prefix`. */
export function zarrReadable(store: Pick<KvStore, "read">, prefix: Key = ""): ZarrReadable {
  const read = async (key: string, options: ReadOptions): Promise<Uint8Array | undefined> =>
    (await store.read(zarrKey(key, prefix), options))?.value;
  return {
    get: (key, options = {}) => read(key, options),
    getRange: (key, range: ByteRange, options = {}) => read(key, { ...options, range }),
  };
}

export function zarrKey(key: string, prefix: Key): Uint8Array {
  return joinKeys(keyBytes(prefix), keyBytes(key.startsWith("/") ? key.slice(1) : key));
}
