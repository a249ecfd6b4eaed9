import { type ByteRange, joinKeys, type Key, type KvStore, keyBytes, type ReadOptions } from "@pcg/kvstore";
import type { ZarrReadable } from "../contract.ts";

/** Reads `store` as zarrita does: keys with or without a leading slash, in the folder `prefix`. */
export function zarrReadable(store: Pick<KvStore, "read">, prefix: Key = ""): ZarrReadable {
  const read = async (key: string, options: ReadOptions): Promise<Uint8Array | undefined> =>
    (await store.read(zarrKey(key, prefix), options))?.value;
  return {
    get: (key, options = {}) => read(key, options),
    getRange: (key, range: ByteRange, options = {}) => read(key, { ...options, range }),
  };
}

const SLASH = 0x2f;

/** `prefix` is a folder, with or without the slash at its end; the root if it is empty. */
export function zarrKey(key: string, prefix: Key): Uint8Array {
  const bytes = keyBytes(prefix);
  const folder = bytes.length === 0 || bytes.at(-1) === SLASH ? bytes : joinKeys(bytes, keyBytes("/"));
  return joinKeys(folder, keyBytes(key.startsWith("/") ? key.slice(1) : key));
}
