import { bytes, listed, type OpenForTest, type TestApi, textAt, withStore } from "./api.ts";

/** Writing and deleting; for stores that promise `writable`. */
export function testWrites(open: OpenForTest, { test, expect }: TestApi): void {
  test("a written value is read back, replaced, and deleted", () =>
    withStore(open, {}, async (store) => {
      const first = await store.write("a/b/c", bytes("first"));
      expect(first.written).toBe(true);
      expect(await store.read("a/b/c")).toMatchObject({ size: 5, generation: first.generation });
      expect(await textAt(store, "a/b/c")).toBe("first");
      const second = await store.write("a/b/c", bytes("2nd"));
      expect(await textAt(store, "a/b/c")).toBe("2nd");
      expect(second.generation).not.toBe(first.generation);
      expect(await store.write("a/b/c", null)).toEqual({ written: true, generation: null });
      expect(await store.read("a/b/c")).toBeUndefined();
    }));

  test("deleting what is absent succeeds", () =>
    withStore(open, {}, async (store) => {
      expect(await store.write("no/such/key", null)).toEqual({ written: true, generation: null });
    }));

  test("values of no bytes and of a few MiB survive", () =>
    withStore(open, {}, async (store) => {
      const large = new Uint8Array(3_000_001);
      for (let i = 0; i < large.length; i++) large[i] = (i * 31) >> 3;
      await store.write("empty", new Uint8Array(0));
      await store.write("large", large);
      expect((await store.read("empty"))?.size).toBe(0);
      const found = (await store.read("large"))!;
      expect(found.size).toBe(large.length);
      expect(firstDifference(found.value, large)).toBe(-1);
      const part = (await store.read("large", { range: { offset: 1_999_999, length: 5 } }))!;
      expect([...part.value]).toEqual([...large.subarray(1_999_999, 2_000_004)]);
    }));

  test("the store keeps its own copy of what is written", () =>
    withStore(open, {}, async (store) => {
      const value = bytes("original");
      await store.write("key", value);
      value.fill(0);
      expect(await textAt(store, "key")).toBe("original");
    }));

  test("a view into a larger buffer is written as the view", () =>
    withStore(open, {}, async (store) => {
      await store.write("view", bytes("0123456789").subarray(3, 6));
      expect(await textAt(store, "view")).toBe("345");
    }));

  test("generations differ after the same value was put, changed and put again", () =>
    withStore(open, {}, async (store) => {
      const seen = new Set<unknown>();
      for (let i = 0; i < 20; i++) {
        seen.add((await store.write("key", bytes(i % 2 === 0 ? "even" : "odd!"))).generation);
        if (i % 5 === 4) await store.write("key", null);
      }
      expect(seen.size).toBe(20);
    }));

  test("readers beside a writer see whole values only", () =>
    withStore(open, { key: new Uint8Array(70_000).fill(1) }, async (store) => {
      let writing = true;
      const write = async (): Promise<void> => {
        for (let i = 2; i < 25; i++) await store.write("key", new Uint8Array(70_000 + i).fill(i));
        writing = false;
      };
      const read = async (): Promise<void> => {
        for (let reads = 1; writing; reads++) {
          const { value } = (await store.read("key"))!;
          expect(value.every((byte) => byte === value[0])).toBe(true);
          expect(value.length).toBe(value[0] === 1 ? 70_000 : 70_000 + value[0]!);
          // Reads out of memory would keep the writer waiting for ever.
          if (reads % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        }
      };
      await Promise.all([write(), read(), read()]);
    }));

  test("deleteRange removes exactly the keys of the range", () =>
    withStore(open, {}, async (store) => {
      const keys = ["a/1", "a/2", "a/3/x", "a/3/y", "b", "b.c", "b0/1"];
      for (const key of keys) await store.write(key, bytes(key));
      await store.deleteRange({ start: bytes("a/2"), end: bytes("a/3/y") });
      expect(await survivors(keys)).toEqual(["a/1", "a/3/y", "b", "b.c", "b0/1"]);
      await store.deleteRange({ start: bytes("x"), end: bytes("a") });
      await store.deleteRange({ start: bytes("c") });
      expect((await survivors(keys)).length).toBe(5);
      await store.deleteRange({ start: bytes("b.") });
      expect(await survivors(keys)).toEqual(["a/1", "a/3/y", "b"]);
      await store.deleteRange({ start: new Uint8Array(0) });
      expect(await survivors(keys)).toEqual([]);
      await store.write("a/1", bytes("again"));
      expect(await textAt(store, "a/1")).toBe("again");

      async function survivors(candidates: string[]): Promise<string[]> {
        const found: string[] = [];
        for (const key of candidates) if ((await store.read(key)) !== undefined) found.push(key);
        return found;
      }
    }));

  test("an aborted write writes nothing", () =>
    withStore(open, { key: bytes("old") }, async (store) => {
      const signal = AbortSignal.abort(new Error("no"));
      await expect(store.write("key", bytes("new"), { signal })).rejects.toThrow("no");
      await expect(store.write("fresh/key", bytes("new"), { signal })).rejects.toThrow("no");
      expect(await textAt(store, "key")).toBe("old");
      expect(await store.read("fresh/key")).toBeUndefined();
      if (store.capabilities.list) expect(await listed(store)).toEqual(['"key"']);
    }));

  test("close may be called twice", () =>
    withStore(open, {}, async (store) => {
      await store.write("key", bytes("x"));
      await store.close();
      await store.close();
    }));
}

/** Writing under conditions; for stores that promise `conditionalWrites`. */
export function testConditionalWrites(open: OpenForTest, { test, expect }: TestApi): void {
  test("creates only what is absent", () =>
    withStore(open, {}, async (store) => {
      const made = await store.write("key", bytes("mine"), { ifGeneration: null });
      expect(made.written).toBe(true);
      expect(await store.write("key", bytes("other"), { ifGeneration: null })).toEqual({
        written: false,
        generation: made.generation,
      });
      expect(await textAt(store, "key")).toBe("mine");
    }));

  test("replaces and deletes only the version it was told of", () =>
    withStore(open, {}, async (store) => {
      const first = await store.write("key", bytes("1"));
      const second = await store.write("key", bytes("2"), { ifGeneration: first.generation! });
      expect(second.written).toBe(true);
      for (const value of [bytes("3"), null]) {
        expect(await store.write("key", value, { ifGeneration: first.generation! })).toEqual({
          written: false,
          generation: second.generation,
        });
      }
      expect(await textAt(store, "key")).toBe("2");
      expect(await store.write("key", null, { ifGeneration: second.generation! })).toEqual({
        written: true,
        generation: null,
      });
      expect(await store.read("key")).toBeUndefined();
      expect(await store.write("key", bytes("4"), { ifGeneration: second.generation! })).toEqual({
        written: false,
        generation: null,
      });
      expect(await store.read("key")).toBeUndefined();
    }));

  test("a failed condition on an absent key says so, and deleting the absent under the condition of absence succeeds", () =>
    withStore(open, {}, async (store) => {
      expect(await store.write("key", bytes("x"), { ifGeneration: "none" })).toEqual({
        written: false,
        generation: null,
      });
      expect(await store.write("key", null, { ifGeneration: "none" })).toEqual({ written: false, generation: null });
      expect(await store.write("key", null, { ifGeneration: null })).toEqual({ written: true, generation: null });
      expect(await store.read("key")).toBeUndefined();
    }));

  test("a key that is its writer's alone is made like any other, and no second time", () =>
    withStore(open, {}, async (store) => {
      const value = new Uint8Array(300_000).fill(7);
      for (const [key, bytes] of [
        ["dir/5ed0", value],
        ["dir/5ed1", value.subarray(0, 10)],
      ] as const) {
        const made = await store.write(key, bytes, { ifGeneration: null, unique: true });
        expect(made.written).toBe(true);
        expect(await store.read(key)).toMatchObject({ generation: made.generation, size: bytes.length });
        expect(firstDifference((await store.read(key))!.value, bytes)).toBe(-1);
        expect(await store.write(key, value, { ifGeneration: null, unique: true })).toEqual({
          written: false,
          generation: made.generation,
        });
        expect((await store.write(key, null, { ifGeneration: made.generation! })).written).toBe(true);
        expect(await store.read(key)).toBeUndefined();
      }
    }));

  test("of many who create at once exactly one succeeds", () =>
    withStore(open, {}, async (store) => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.write("dir/key", bytes(String(i)), { ifGeneration: null })),
      );
      const winners = results.flatMap((result, i) => (result.written ? [String(i)] : []));
      expect(winners.length).toBe(1);
      expect(await textAt(store, "dir/key")).toBe(winners[0]);
    }));

  test("concurrent read-modify-write loops lose nothing", () =>
    withStore(open, {}, async (store) => {
      const increment = async (): Promise<void> => {
        for (;;) {
          const found = await store.read("counter");
          const next = found === undefined ? 1 : Number(new TextDecoder().decode(found.value)) + 1;
          const ifGeneration = found?.generation ?? null;
          if ((await store.write("counter", bytes(String(next)), { ifGeneration })).written) return;
        }
      };
      const worker = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await increment();
      };
      await Promise.all(Array.from({ length: 5 }, worker));
      expect(await textAt(store, "counter")).toBe("50");
    }));
}

/** Holding keys; for stores that can. */
export function testHolds(open: OpenForTest, { test, expect }: TestApi): void {
  const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

  test("a hold keeps other writes of its key waiting until its own is applied, which decides as any other does", () =>
    withStore(open, { "dir/key": bytes("old"), other: bytes("") }, async (store) => {
      const hold = await store.hold!("dir/key");
      let others = 0;
      const waiting = ["a", "b"].map((text) => store.write("dir/key", bytes(text)).finally(() => others++));
      await store.write("other", bytes("goes on"));
      await moment();
      expect(await textAt(store, "dir/key")).toBe("old");
      const { generation } = (await store.read("dir/key"))!;
      expect(await store.write("dir/key", bytes("?"), { hold: hold!, ifGeneration: null })).toEqual({
        written: false,
        generation,
      });
      await moment();
      expect(others).toBe(0);
      expect((await store.write("dir/key", bytes("held"), { hold: hold!, ifGeneration: generation })).written).toBe(
        true,
      );
      await Promise.all(waiting);
      expect(["a", "b"].includes((await textAt(store, "dir/key"))!)).toBe(true);
      expect((await store.write("dir/key", bytes("late"), { hold: hold! })).written).toBe(true);
      hold!.release();
      expect(await textAt(store, "dir/key")).toBe("late");
    }));

  test("a hold on a key that is absent, released, lets the others go on one after the other", () =>
    withStore(open, {}, async (store) => {
      const hold = await store.hold!("made/later");
      const order: string[] = [];
      const next = store.hold!("made/later").then(async (second) => {
        order.push("second");
        await store.write("made/later", bytes("2"), { hold: second! });
      });
      const last = store.write("made/later", bytes("3")).then(() => order.push("third"));
      await moment();
      expect(order.length).toBe(0);
      hold!.release();
      await Promise.all([next, last]);
      expect(order.length).toBe(2);
      expect((await store.write("made/later", null)).written).toBe(true);
      const again = await store.hold!("made/later");
      expect((await store.write("made/later", null, { hold: again!, ifGeneration: null })).written).toBe(true);
      await store.write("made/later", bytes("4"));
      expect(await textAt(store, "made/later")).toBe("4");
    }));

  test("whoever aborts while waiting for a hold is rejected, and keeps nobody waiting", () =>
    withStore(open, { key: bytes("old") }, async (store) => {
      const hold = await store.hold!("key");
      const controller = new AbortController();
      const { signal } = controller;
      const first = store.write("key", bytes("first"));
      const waiting = [store.hold!("key", { signal }), store.write("key", bytes("never"), { signal })];
      const last = store.hold!("key");
      await moment();
      controller.abort(new Error("no longer"));
      // While the hold and the write are before them.
      for (const end of await Promise.allSettled(waiting)) {
        expect(end.status === "rejected" && String(end.reason)).toBe("Error: no longer");
      }
      expect(await textAt(store, "key")).toBe("old");
      hold!.release();
      await first;
      expect(await textAt(store, "key")).toBe("first");
      expect((await store.write("key", bytes("new"), { hold: (await last)! })).written).toBe(true);
      expect(await textAt(store, "key")).toBe("new");
    }));

  test("a write that is aborted while another under its hold is before it is not made", () =>
    withStore(open, { key: bytes("old") }, async (store) => {
      const hold = (await store.hold!("key"))!;
      const controller = new AbortController();
      const first = store.write("key", bytes("first"), { hold });
      const second = store.write("key", bytes("second"), { hold, signal: controller.signal });
      controller.abort(new Error("no longer"));
      await expect(second).rejects.toThrow("no longer");
      await first;
      expect(await textAt(store, "key")).toBe("first");
    }));

  test("closing releases what is held, and what is waited for", () =>
    withStore(open, { key: bytes("old") }, async (store) => {
      const hold = (await store.hold!("key"))!;
      const next = store.hold!("key").then(
        (late) => late?.release(),
        () => {},
      );
      const write = store.write("key", bytes("waits"));
      await moment();
      await Promise.all([store.close(), next, write]);
      hold.release();
    }));
}

/** Staging values; for stores that can. */
export function testStaging(open: OpenForTest, { test, expect }: TestApi): void {
  test("a staged value is seen when its write is made, which decides as any other does, and serves for one", () =>
    withStore(open, { "dir/key": bytes("old") }, async (store) => {
      const stage = async (key: string, text: string) => (await store.stage!(key, bytes(text)))!;
      const first = await stage("dir/key", "staged");
      expect(await textAt(store, "dir/key")).toBe("old");
      expect(await listed(store)).toEqual(['"dir/key"']);
      const { generation } = (await store.read("dir/key"))!;
      const options = { staged: first, ifGeneration: generation };
      const written = await store.write("dir/key", bytes("staged"), options);
      expect(written.written).toBe(true);
      expect(await textAt(store, "dir/key")).toBe("staged");
      expect((await store.read("dir/key"))?.generation).toBe(written.generation);
      expect((await store.write("dir/key", bytes("staged"), options)).written).toBe(false);
      expect((await store.write("dir/key", bytes("again"), { staged: first })).written).toBe(true);
      expect(await textAt(store, "dir/key")).toBe("again");

      const late = await stage("dir/key", "too late");
      const other = await store.write("dir/key", bytes("other"));
      expect(await store.write("dir/key", bytes("too late"), { staged: late, ifGeneration: generation })).toEqual({
        written: false,
        generation: other.generation,
      });
      late.discard();
      expect(await textAt(store, "dir/key")).toBe("other");
    }));

  test("what is staged and discarded is gone, and may be staged for what is absent", () =>
    withStore(open, {}, async (store) => {
      (await store.stage!("a/b", bytes("never")))!.discard();
      expect(await store.read("a/b")).toBeUndefined();
      expect(await listed(store)).toEqual([]);
      const staged = await store.stage!("a/b", bytes("first"));
      expect((await store.write("a/b", bytes("first"), { staged: staged!, ifGeneration: null })).written).toBe(true);
      staged!.discard();
      expect(await textAt(store, "a/b")).toBe("first");
    }));
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}
