/** One abort signal for work on a whole database: as many requests as it makes, none is a listener of its own. */
import { getEventListeners } from "node:events";
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compact, diff, expire, fork, fsck, type OcdbtDatabase, openOcdbt, rebuild, sweep } from "../src/index.ts";

const warnings: Error[] = [];
const note = (warning: Error): void => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", note);
});
afterEach(() => void process.off("warning", note));

/** A tree of hundreds of small nodes, in a store whose every read takes a turn of the event loop. */
async function wide(): Promise<{ readonly store: KvStore; readonly signal: AbortSignal }> {
  const memory = memoryKvStore();
  const config = { maxInlineValueBytes: 8, maxDecodedNodeBytes: 1500, versionTreeArityLog2: 1 };
  const db = await openOcdbt(memory, { config });
  const value = new TextEncoder().encode("a value");
  await db.apply(Array.from({ length: 6000 }, (_, i) => ({ op: "put", key: `key${i}`, value })));
  for (let i = 0; i < 40; i++) await db.write(`key${i * 50}`, new TextEncoder().encode("another"));
  const later = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  const store: KvStore = {
    ...memory,
    capabilities: memory.capabilities,
    url: memory.url,
    read: (async (key, options) => {
      await later();
      return await memory.read(key, options);
    }) as KvStore["read"],
    write: memory.write.bind(memory),
    list: memory.list.bind(memory),
    deleteRange: memory.deleteRange.bind(memory),
    close: async () => {},
  };
  return { store, signal: new AbortController().signal };
}

const drain = async (items: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of items);
};

test.each<[string, (db: OcdbtDatabase, store: KvStore, signal: AbortSignal) => Promise<unknown>]>([
  ["list", (db, _, signal) => drain(db.list({ signal }))],
  ["listLevel", (db, _, signal) => drain(db.listLevel("", { signal }))],
  [
    "reads at a time",
    (db, _, signal) => Promise.all(Array.from({ length: 200 }, (_, i) => db.read(`key${i * 9}`, { signal }))),
  ],
  [
    "many conditions in a commit",
    (db, _, signal) =>
      db.apply(
        Array.from({ length: 100 }, (_, i) => ({ op: "delete", key: `key${i * 19}`, ifGeneration: "?" })),
        { signal },
      ),
  ],
  [
    "writes at a time",
    (db, _, signal) =>
      Promise.all(Array.from({ length: 100 }, (_, i) => db.write(`key${i * 19}`, new Uint8Array(1), { signal }))),
  ],
  [
    "transactions at a time",
    (db, _, signal) => Promise.all(Array.from({ length: 20 }, async () => (await db.transaction({ signal })).abort())),
  ],
  ["diff", (db, _, signal) => drain(diff(db, { generation: 1n }, { ancestor: 0 }, { signal }))],
  ["fsck", (_, store, signal) => fsck(store, { signal, deep: true })],
  [
    "fork and fsck",
    async (db, store, signal) => {
      await fork(db, "f", { signal });
      await fsck(store, { signal });
    },
  ],
  [
    "expire and sweep",
    async (db, _, signal) => {
      await expire(db, { keepLast: 3 }, { signal });
      await sweep(db, { signal });
    },
  ],
  ["compact", (db, _, signal) => compact(db, { signal })],
  ["rebuild", (db, _, signal) => rebuild(db, { signal })],
])("%s with a signal warns of no leak, and leaves no listener per request", async (_, work) => {
  const { store, signal } = await wide();
  const db = await openOcdbt(store, { cacheBytes: 0 });
  await work(db, store, signal);
  // Warnings come a tick later.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings.map(({ message }) => message)).toEqual([]);
  expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(4);
});

test("an abort ends reads and lists that share its signal at once", async () => {
  const { store } = await wide();
  const db = await openOcdbt(store, { cacheBytes: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = Array.from({ length: 40 }, (_, i) => db.read(`key${i}`, { signal }));
  const listed = Array.from({ length: 3 }, () => drain(db.list({ signal })));
  const settled = Promise.allSettled([...asked, ...listed]);
  const reason = new Error("enough");
  controller.abort(reason);
  for (const end of await settled) expect(end).toEqual({ status: "rejected", reason });
  expect(warnings).toEqual([]);
});
