import { type KvStore, keyText, memoryKvStore } from "@pcg/kvstore";
import { afterEach, expect, test, vi } from "vitest";
import { fsck, openOcdbt, sweep } from "../../src/index.ts";
import { orphans } from "../support/files.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Calls `between` before the next replacement of the manifest. */
function beforeReplacing(store: KvStore, between: () => Promise<void>): KvStore {
  let isDue = true;
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: store.read.bind(store) as KvStore["read"],
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: async () => {},
    async write(key, value, options) {
      const name = typeof key === "string" ? key : keyText(key);
      if (name === "manifest.ocdbt" && isDue) {
        isDue = false;
        await between();
      }
      return await store.write(key, value, options);
    },
  };
}

test.each([1, 60, 899, 900, 3600])(
  "a commit that loses a race and stands still for %d s refers to nothing that sweeps removed meanwhile",
  async (seconds) => {
    const base = memoryKvStore();
    const config = { maxInlineValueBytes: 10, maxDecodedNodeBytes: 300 };
    const other = await openOcdbt(base, { config });
    const key = (i: number): string => `key/${String(i).padStart(3, "0")}`;
    await other.apply(
      Array.from({ length: 100 }, (_, i) => ({
        op: "put" as const,
        key: new TextEncoder().encode(key(i)),
        value: new Uint8Array(i % 20),
      })),
    );
    const now = performance.now.bind(performance);
    let standstill = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + standstill);
    const store = beforeReplacing(base, async () => {
      // Far away in the tree, so that the nodes on the way to the change could be referred to again.
      await other.write(key(90), new Uint8Array(3));
      await sweep(other, { graceMs: 900_000, now: () => 0 });
      standstill = seconds * 1000;
      await sweep(other, { graceMs: 900_000, now: () => standstill });
    });
    const db = await openOcdbt(store);
    const value = new Uint8Array(500).fill(7);
    await Promise.all([db.write(key(5), value), db.write(key(6), new Uint8Array(4).fill(1))]);
    await db.close();
    const { findings } = await fsck(base, { deep: true });
    expect(findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    const found = await openOcdbt(base);
    expect((await found.read(key(5)))?.value).toEqual(value);
    expect((await found.read(key(6)))?.value).toEqual(new Uint8Array(4).fill(1));
    expect((await found.read(key(90)))?.value).toEqual(new Uint8Array(3));
    expect(await orphans(base, found)).toEqual([]);
  },
);
