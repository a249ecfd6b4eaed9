import type { Key, KvStore } from "./contract.ts";

/** The optional methods of a store around `store`, whose keys `inner` gives: those that it has. */
export function passOptional(store: KvStore, inner: (key: Key) => Key = (key) => key): Pick<KvStore, "hold" | "stage"> {
  const { hold, stage } = store;
  return {
    ...(hold && { hold: async (key, options) => await hold.call(store, inner(key), options) }),
    ...(stage && { stage: async (key, value, options) => await stage.call(store, inner(key), value, options) }),
  };
}
