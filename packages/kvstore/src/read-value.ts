import type { Key, KvStore, ReadOptions } from "./contract.ts";

/** The bytes of a value (or of the part asked for), or `undefined` when the key is absent. */
export async function readValue(store: KvStore, key: Key, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
  return (await store.read(key, options))?.value;
}
