import { type KvStore, keyText, type ListOptions, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { fsck, openOcdbt } from "../../src/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A store whose next lists leave out the newest numbered manifest. */
function lagging(store: KvStore): { readonly store: KvStore; lag: number; onManifest?: () => void } {
  const state: { store: KvStore; lag: number; onManifest?: () => void } = {
    lag: 0,
    store: {
      ...store,
      capabilities: store.capabilities,
      url: store.url,
      read: store.read.bind(store) as KvStore["read"],
      deleteRange: store.deleteRange.bind(store),
      close: async () => {},
      write: async (key, value, options) => {
        const result = await store.write(key, value, options);
        const name = typeof key === "string" ? key : keyText(key);
        if (/^manifest\.[0-9a-f]/.test(name ?? "") && result.written) state.onManifest?.();
        return result;
      },
      async *list(options?: ListOptions) {
        const entries = [];
        for await (const entry of store.list(options)) entries.push(entry);
        const numbered = entries.filter(({ key }) => /^manifest\.[0-9a-f]/.test(keyText(key) ?? ""));
        const hidden = numbered.length > 0 && state.lag > 0 ? numbered.at(-1) : undefined;
        if (hidden !== undefined) state.lag--;
        yield* entries.filter((entry) => entry !== hidden);
      },
    },
  };
  return state;
}

describe("a list of numbered manifests that lags behind", () => {
  test("does not make an open handle believe that the database is gone", async () => {
    const base = memoryKvStore();
    const lag = lagging(base);
    const db = await openOcdbt(lag.store, { config: { manifestKind: "numbered" } });
    await db.write("k", text("1"));
    lag.lag = 1;
    expect((await db.read("k"))?.value).toEqual(text("1"));
  });

  test.each([true, false])("does not make a commit deny its own version (conditional: %s)", async (conditional) => {
    const base = memoryKvStore();
    const lag = lagging(base);
    const config = { manifestKind: "numbered", maxInlineValueBytes: 0 } as const;
    const db = await openOcdbt(lag.store, { config });
    await db.write("k", text("1"));
    const { generation } = (await db.read("k"))!;
    const before = (await db.head())!.generation;
    lag.onManifest = () => {
      lag.lag = 2;
      delete lag.onManifest;
    };
    const result = await db.write("k", text("2"), conditional ? { ifGeneration: generation } : {});
    expect(result.written).toBe(true);
    await db.close();
    const fresh = await openOcdbt(base);
    expect((await fresh.head())!.generation).toBe(before + 1n);
    expect((await fresh.read("k"))?.value).toEqual(text("2"));
    expect((await fsck(fresh, { deep: true })).isSound).toBe(true);
  });
});
