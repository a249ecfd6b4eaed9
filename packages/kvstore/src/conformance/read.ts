import type { ByteRange } from "../contract.ts";
import { bytes, type OpenForTest, type TestApi, withStore } from "./api.ts";

/** Reading, whole and in ranges; for every store. */
export function testReads(open: OpenForTest, { test, expect }: TestApi): void {
  const digits = bytes("0123456789");

  test("read of a missing key returns undefined", () =>
    withStore(open, { present: digits }, async (store) => {
      expect(await store.read("missing")).toBeUndefined();
      expect(await store.read("present/below")).toBeUndefined();
      expect(await store.read("missing", { range: { offset: 0, length: 1 } })).toBeUndefined();
      expect(await store.read("missing", { ifNotGeneration: "x" })).toBeUndefined();
    }));

  test("read returns exactly the bytes, their number and a generation", () =>
    withStore(
      open,
      { "a/b": Uint8Array.from({ length: 256 }, (_, i) => i), empty: new Uint8Array(0) },
      async (store) => {
        const found = (await store.read("a/b"))!;
        expect([...found.value]).toEqual(Array.from({ length: 256 }, (_, i) => i));
        expect(found.size).toBe(256);
        expect(typeof found.generation).toBe("string");
        expect(await store.read("empty")).toMatchObject({ size: 0, value: new Uint8Array(0) });
      },
    ));

  test("a string key stands for its UTF-8 bytes", () =>
    withStore(open, { "ключ/名前 é%2F": digits }, async (store) => {
      const found = await store.read(bytes("ключ/名前 é%2F"));
      expect(new TextDecoder().decode(found?.value)).toBe("0123456789");
    }));

  const ranges: [string, ByteRange, string][] = [
    ["from an offset", { offset: 3, length: 4 }, "3456"],
    ["from the start", { offset: 0, length: 2 }, "01"],
    ["to the end", { offset: 7 }, "789"],
    ["that is everything", { offset: 0 }, "0123456789"],
    ["past the end, clamped", { offset: 8, length: 100 }, "89"],
    ["at the end", { offset: 10 }, ""],
    ["beyond the end", { offset: 500, length: 5 }, ""],
    ["of no bytes", { offset: 4, length: 0 }, ""],
    ["of no bytes beyond the end", { offset: 40, length: 0 }, ""],
    ["of the last bytes", { suffixLength: 3 }, "789"],
    ["of more last bytes than there are", { suffixLength: 30 }, "0123456789"],
    ["of no last bytes", { suffixLength: 0 }, ""],
    ["with a huge end", { offset: 9, length: Number.MAX_SAFE_INTEGER }, "9"],
  ];
  for (const [name, range, expected] of ranges) {
    test(`reads a range ${name}`, () =>
      withStore(open, { digits }, async (store) => {
        const whole = (await store.read("digits"))!;
        const part = (await store.read("digits", { range }))!;
        expect(new TextDecoder().decode(part.value)).toBe(expected);
        expect(part.size).toBe(10);
        expect(part.generation).toBe(whole.generation);
      }));
  }

  test("reads ranges of an empty value", () =>
    withStore(open, { empty: new Uint8Array(0) }, async (store) => {
      for (const range of [{ offset: 0 }, { offset: 3, length: 2 }, { suffixLength: 4 }]) {
        expect(await store.read("empty", { range })).toMatchObject({ size: 0, value: new Uint8Array(0) });
      }
    }));

  test("refuses ranges that are none", () =>
    withStore(open, { digits }, async (store) => {
      for (const range of [{ offset: -1 }, { offset: 0.5 }, { offset: 0, length: -2 }, { suffixLength: Number.NaN }]) {
        await expect(store.read("digits", { range })).rejects.toThrow(RangeError);
      }
    }));

  test("read answers unchanged while the generation is the one known", () =>
    withStore(open, { digits }, async (store) => {
      const { generation } = (await store.read("digits"))!;
      expect(await store.read("digits", { ifNotGeneration: generation })).toBe("unchanged");
      const other = await store.read("digits", { ifNotGeneration: `${generation}-no` });
      expect(other).toMatchObject({ size: 10, generation });
    }));

  test("what read returned belongs to the caller", () =>
    withStore(open, { digits }, async (store) => {
      (await store.read("digits"))!.value.fill(0);
      expect([...(await store.read("digits"))!.value]).toEqual([...digits]);
    }));

  test("every call rejects with the reason of an aborted signal", () =>
    withStore(open, { digits }, async (store) => {
      const reason = new Error("no longer wanted");
      const signal = AbortSignal.abort(reason);
      await expect(store.read("digits", { signal })).rejects.toBe(reason);
      if (store.capabilities.writable) {
        await expect(store.write("digits", bytes("x"), { signal })).rejects.toBe(reason);
        await expect(store.write("digits", null, { signal })).rejects.toBe(reason);
        await expect(store.deleteRange({ start: new Uint8Array(0) }, { signal })).rejects.toBe(reason);
      }
      if (store.capabilities.list) await expect(firstOf(store.list({ signal }))).rejects.toBe(reason);
      expect((await store.read("digits"))?.size).toBe(10);
    }));

  test("many reads at once all succeed", () =>
    withStore(open, { digits }, async (store) => {
      const reads = Array.from({ length: 50 }, (_, i) =>
        store.read("digits", { range: { offset: i % 10, length: 1 } }),
      );
      const found = (await Promise.all(reads)).map((result) => new TextDecoder().decode(result?.value));
      expect(found.join("")).toBe("0123456789".repeat(5));
    }));

  test("a store without writing refuses writes", async () =>
    withStore(open, { digits }, async (store) => {
      if (store.capabilities.writable) return;
      await expect(store.write("digits", bytes("x"))).rejects.toThrow();
      await expect(store.write("new", bytes("x"))).rejects.toThrow();
      await expect(store.deleteRange({ start: new Uint8Array(0) })).rejects.toThrow();
      expect((await store.read("digits"))?.size).toBe(10);
      expect(await store.read("new")).toBeUndefined();
    }));
}

async function firstOf<T>(list: AsyncIterable<T>): Promise<T | undefined> {
  for await (const entry of list) return entry;
  return undefined;
}
