import { prefixRange } from "../keys.ts";
import { bytes, collect, listed, type OpenForTest, type TestApi, withStore } from "./api.ts";

/** Listing; for stores that promise `list`. */
export function testLists(open: OpenForTest, { test, expect }: TestApi): void {
  // Bytewise: "." < "/" < "0" < "A" < "a", and a folder's keys stand where its name and a slash do.
  const keys = ["B/x", "a", "b.c", "b/1", "b/2/deep/er", "b/2/x", "b0", "ba/1", "é/ü"];
  const contents = Object.fromEntries(keys.map((key) => [key, bytes(key)]));
  const quoted = (...expected: string[]): string[] => expected.map((key) => JSON.stringify(key));

  test("lists every key in bytewise order", () =>
    withStore(open, contents, async (store) => {
      expect(await listed(store)).toEqual(quoted(...keys));
    }));

  test("says sizes truly, where it says them", () =>
    withStore(open, contents, async (store) => {
      for (const { key, size } of await collect(store.list())) if (size !== undefined) expect(size).toBe(key.length);
    }));

  test("an empty store lists nothing", () =>
    withStore(open, {}, async (store) => {
      expect(await listed(store)).toEqual([]);
      expect(await listed(store, { prefix: "a/" })).toEqual([]);
    }));

  test("lists by prefix, which need not end at a slash", () =>
    withStore(open, contents, async (store) => {
      expect(await listed(store, { prefix: "b/" })).toEqual(quoted("b/1", "b/2/deep/er", "b/2/x"));
      expect(await listed(store, { prefix: "b" })).toEqual(quoted("b.c", "b/1", "b/2/deep/er", "b/2/x", "b0", "ba/1"));
      expect(await listed(store, { prefix: "b/2/d" })).toEqual(quoted("b/2/deep/er"));
      expect(await listed(store, { prefix: "a" })).toEqual(quoted("a"));
      expect(await listed(store, { prefix: "zz" })).toEqual([]);
      expect(await listed(store, { prefix: "a/b/c" })).toEqual([]);
      expect(await listed(store, { prefix: "é" })).toEqual(quoted("é/ü"));
    }));

  test("lists by range, and by range and prefix together", () =>
    withStore(open, contents, async (store) => {
      expect(await listed(store, { range: { start: bytes("b/2") } })).toEqual(quoted(...keys.slice(4)));
      expect(await listed(store, { range: { start: bytes("b.c"), end: bytes("b/2/x") } })).toEqual(
        quoted("b.c", "b/1", "b/2/deep/er"),
      );
      expect(await listed(store, { range: { start: bytes("b/2"), end: bytes("b/1") } })).toEqual([]);
      expect(await listed(store, { range: prefixRange("b/2/") })).toEqual(quoted("b/2/deep/er", "b/2/x"));
      expect(await listed(store, { prefix: "b/", range: { start: bytes("b/2/e") } })).toEqual(quoted("b/2/x"));
      expect(await listed(store, { prefix: "b/", range: { start: bytes("c") } })).toEqual([]);
    }));

  test("a list may be left early", () =>
    withStore(open, contents, async (store) => {
      let count = 0;
      for await (const _ of store.list()) if (++count === 2) break;
      expect(count).toBe(2);
      expect((await listed(store)).length).toBe(keys.length);
    }));

  test("a list can be aborted on the way", () =>
    withStore(open, contents, async (store) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const run = async (): Promise<void> => {
        for await (const _ of store.list({ signal: controller.signal })) controller.abort(reason);
      };
      await expect(run()).rejects.toBe(reason);
    }));
}
