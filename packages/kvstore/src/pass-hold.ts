import type { Key, KvStore } from "./contract.ts";

/** The method `hold` of a store around `store`, whose keys `inner` gives; none if that has none. */
export function passHold(store: KvStore, inner: (key: Key) => Key = (key) => key): Pick<KvStore, "hold"> {
  return store.hold === undefined ? {} : { hold: (key, options) => store.hold!(inner(key), options) };
}
