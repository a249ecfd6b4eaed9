/**
 * Our side of the kvstore interop tests: reads one JSON command per line, answers one JSON line each. Keys and values are hex.
 *
 *   {"op":"spec","spec":…}                              the JSON we publish for the store that a spec opens
 *   {"op":"read","spec":…,"key":hex}                    hex, null when absent
 *   {"op":"write","spec":…,"key":hex,"value":hex|null}  writes or deletes
 *   {"op":"list","spec":…,"start":hex,"end":hex|null}   keys in the order listed
 *   {"op":"deleteRange","spec":…,"start":hex,"end":hex|null}
 *   {"op":"sweep","folder":…,"locking":…}               how many leftovers of killed writers were removed
 */
import { fileDriver, sweepLocks } from "../../packages/kvstore/dist/file.js";
import { httpDriver } from "../../packages/kvstore/dist/http.js";
import { kvStackDriver, memoryDriver, openKvStoreSpec, storeSpec } from "../../packages/kvstore/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

const drivers = { ...fileDriver(), ...httpDriver(), ...memoryDriver(), ...kvStackDriver() };
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (value) => Buffer.from(value).toString("hex");
const keyRange = ({ start, end }) => ({ start: bytes(start), ...(end === null ? {} : { end: bytes(end) }) });

const operations = {
  spec: ({ spec }) => using(spec, storeSpec),
  read: ({ spec, key }) =>
    using(spec, async (store) => {
      const found = await store.read(bytes(key));
      return found === undefined ? null : hex(found.value);
    }),
  write: ({ spec, key, value }) =>
    using(spec, (store) => store.write(bytes(key), value === null ? null : bytes(value))),
  list: ({ spec, ...range }) =>
    using(spec, async (store) => {
      const keys = [];
      for await (const { key } of store.list({ range: keyRange(range) })) keys.push(hex(key));
      return keys;
    }),
  deleteRange: ({ spec, ...range }) => using(spec, (store) => store.deleteRange(keyRange(range))),
  sweep: ({ folder, locking }) => sweepLocks(folder, { locking, minAgeMs: 0 }),
};

async function using(spec, use) {
  const store = await openKvStoreSpec(spec, drivers);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

await answerLines(operations);
