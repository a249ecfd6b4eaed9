import type { Op, Predicate, RowStore, Selection } from "../contract.ts";
import { encodeCounter } from "../counter.ts";
import { readRow, readRows } from "../read-rows.ts";
import type { OpenStore, TestApi } from "./api.ts";
import { bytes, column, row, set, show } from "./cells.ts";

const ALL: Selection = { ranges: [{ start: bytes("") }] };

async function all(store: RowStore): Promise<string[][]> {
  return (await readRows(store, ALL)).map(show);
}

export function testWrites(open: OpenStore, { test, expect }: TestApi): void {
  let time = 100n;
  const withStore = (name: string, body: (store: RowStore) => Promise<void>) =>
    test(name, async () => {
      time = 100n;
      const store = await open(() => time);
      await body(store);
      await store.close();
    });
  const deleteColumn = (name: string, from?: bigint, to?: bigint): Op => ({
    op: "deleteColumn",
    column: column(name),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });

  withStore("setting a cell again replaces its value; another time is another cell", async (store) => {
    await store.mutate([row("a", set("f:x", "1", 5n))]);
    await store.mutate([row("a", set("f:x", "2", 5n), set("f:x", "3", 4n))]);
    expect(await all(store)).toEqual([["a", "f:x@5=2", "f:x@4=3"]]);
  });

  withStore("cells without a time get the store's, the same for all of a call", async (store) => {
    await store.mutate([row("a", set("f:x", "1"), set("f:y", "1")), row("b", set("f:x", "1"))]);
    time = 200n;
    await store.transact([], [row("a", set("f:x", "2"))]);
    await store.checkAndMutate(bytes("b"), { kind: "all", of: [] }, [set("f:x", "3")]);
    expect(await store.now()).toBe(200n);
    expect(await all(store)).toEqual([
      ["a", "f:x@200=2", "f:x@100=1", "f:y@100=1"],
      ["b", "f:x@200=3", "f:x@100=1"],
    ]);
  });

  withStore("deleting takes a column, a half-open window of it, or the row, and nothing else", async (store) => {
    const cells = ["f:", "f:x", "f:x\0", "f:xy", "fx:"].flatMap((name) => [1n, 2n, 3n].map((t) => set(name, "", t)));
    await store.mutate([row("a", ...cells), row("a\0", set("f:x", "")), row("b", set("f:x", ""))]);
    await store.mutate([row("a", deleteColumn("f:x", 2n, 3n))]);
    expect((await all(store))[0]!.filter((cell) => cell.startsWith("f:x@"))).toEqual(["f:x@3=", "f:x@1="]);
    await store.mutate([row("a", deleteColumn("f:x", 3n, 2n), deleteColumn("f:nothing"))]);
    expect((await all(store))[0]!.length).toBe(15);
    await store.mutate([row("a", deleteColumn("f:x"), deleteColumn("f:xy", 2n), deleteColumn("fx:", undefined, 3n))]);
    expect((await all(store))[0]).toEqual([
      "a",
      "f:@3=",
      "f:@2=",
      "f:@1=",
      "f:x\0@3=",
      "f:x\0@2=",
      "f:x\0@1=",
      "f:xy@1=",
      "fx:@3=",
    ]);
    await store.mutate([row("a", { op: "deleteRow" }), row("absent", { op: "deleteRow" })]);
    expect((await all(store)).map(([key]) => key)).toEqual(["a\0", "b"]);
  });

  withStore("a row whose last cell went is no row", async (store) => {
    await store.mutate([row("a", set("f:x", ""))]);
    await store.mutate([row("a", deleteColumn("f:x"))]);
    expect(await all(store)).toEqual([]);
    await store.mutate([row("b")]);
    await store.mutate([]);
    expect(await all(store)).toEqual([]);
  });

  withStore("operations apply in order, within a row and between mentions of a row", async (store) => {
    await store.mutate([row("a", set("f:old", "1"))]);
    await store.transact(
      [],
      [
        row("a", set("f:lost", "2"), { op: "deleteRow" }, set("f:x", "3")),
        row("a", set("f:y", "4"), deleteColumn("f:x"), set("f:x", "5")),
      ],
    );
    expect(await all(store)).toEqual([["a", "f:x@100=5", "f:y@100=4"]]);
    await store.mutate([row("a", set("f:x", "6"), set("f:x", "7")), row("a", set("f:x", "8"))]);
    expect(await all(store)).toEqual([["a", "f:x@100=8", "f:y@100=4"]]);
  });

  withStore("writes take effect in the order they were asked for, awaited or not", async (store) => {
    await Promise.all([
      store.mutate([row("a", set("f:x", "1"))]),
      store.transact(
        [{ key: bytes("a"), when: { kind: "cell", column: column("f:x"), valueEq: bytes("1") } }],
        [row("a", set("f:x", "2"))],
      ),
      store.mutate([row("a", set("f:x", "3"), set("f:y", "3"))]),
      store.checkAndMutate(bytes("a"), { kind: "cell", column: column("f:x"), valueEq: bytes("3") }, [set("f:z", "4")]),
      store.mutate([row("a", deleteColumn("f:y"))]),
    ]);
    expect(await all(store)).toEqual([["a", "f:x@100=3", "f:z@100=4"]]);
  });

  withStore("a predicate looks at one column's cells in a window and at their values", async (store) => {
    await store.mutate([row("a", set("f:x", "b", 1n), set("f:x", "d", 5n), set("f:xy", "z", 3n))]);
    const holds = (when: Predicate, key = "a") => store.checkAndMutate(bytes(key), when, []);
    const cell = { kind: "cell", column: column("f:x") } as const;
    const absent = { kind: "absent", column: column("f:x") } as const;
    const cases: [object, boolean][] = [
      [{}, true],
      [{ tsFrom: 2n }, true],
      [{ tsFrom: 2n, tsTo: 5n }, false],
      [{ tsFrom: 5n, tsTo: 6n }, true],
      [{ tsTo: 1n }, false],
      [{ tsFrom: 6n, tsTo: 2n }, false],
      [{ valueEq: bytes("b") }, true],
      [{ valueEq: bytes("") }, false],
      [{ valueEq: bytes("b"), tsFrom: 2n }, false],
      [{ valueGte: bytes("d") }, true],
      [{ valueGte: bytes("d\0") }, false],
      [{ valueGte: bytes("c"), tsTo: 5n }, false],
      [{ valueGte: bytes("c"), valueEq: bytes("b") }, false],
      [{ valueGte: bytes("b"), valueEq: bytes("b") }, true],
    ];
    for (const [tests, expected] of cases) {
      expect(await holds({ ...cell, ...tests })).toBe(expected);
      expect(await holds({ ...absent, ...tests })).toBe(!expected);
      expect(await holds({ ...cell, ...tests }, "no such row")).toBe(false);
      expect(await holds({ ...absent, ...tests }, "no such row")).toBe(true);
    }
    expect(await holds({ kind: "any", of: [] })).toBe(false);
    expect(await holds({ kind: "all", of: [] })).toBe(true);
    expect(
      await holds({
        kind: "any",
        of: [
          { ...cell, tsTo: 1n },
          { kind: "all", of: [cell, { ...absent, tsFrom: 9n }] },
        ],
      }),
    ).toBe(true);
    expect(await holds({ kind: "all", of: [cell, { kind: "cell", column: column("g:x") }] })).toBe(false);
  });

  withStore("checkAndMutate writes one or the other", async (store) => {
    const lock: Predicate = { kind: "absent", column: column("f:lock") };
    expect(await store.checkAndMutate(bytes("a"), lock, [set("f:lock", "me")], [set("f:refused", "")])).toBe(true);
    expect(await store.checkAndMutate(bytes("a"), lock, [set("f:lock", "you")], [set("f:refused", "")])).toBe(false);
    expect(await store.checkAndMutate(bytes("a"), lock, [set("f:lock", "you")])).toBe(false);
    expect(await all(store)).toEqual([["a", "f:lock@100=me", "f:refused@100="]]);
  });

  withStore(
    "a transaction writes all its rows, or names the first guard that failed and writes none",
    async (store) => {
      const free = (key: string) => ({ key: bytes(key), when: { kind: "absent", column: column("f:lock") } as const });
      const take = (who: string) => [row("a", set("f:lock", who)), row("b", set("f:lock", who))];
      expect(await store.transact([free("a"), free("b")], take("one"))).toEqual({ committed: true });
      expect(
        await store.transact([free("c"), free("b"), free("a")], [row("c", set("f:x", "")), ...take("two")]),
      ).toEqual({ committed: false, failedGuard: 1 });
      expect(await store.transact([free("a")], [])).toEqual({ committed: false, failedGuard: 0 });
      expect(await store.transact([], [])).toEqual({ committed: true });
      expect(await all(store)).toEqual([
        ["a", "f:lock@100=one"],
        ["b", "f:lock@100=one"],
      ]);
    },
  );

  withStore("a counter counts from the newest cell and leaves older ones", async (store) => {
    const count = column("f:n");
    expect(await store.increment(bytes("c"), count, 5n)).toBe(5n);
    time = 200n;
    expect(await store.increment(bytes("c"), count, -7n)).toBe(-2n);
    expect(await store.increment(bytes("c"), count, 0n)).toBe(-2n);
    const found = await readRow(store, bytes("c"));
    expect(found!.cells.map(({ timestamp, value }) => [timestamp, value])).toEqual([
      [200n, encodeCounter(-2n)],
      [100n, encodeCounter(5n)],
    ]);
    time = 150n;
    expect(await store.increment(bytes("c"), count, 3n)).toBe(1n);
    expect((await readRow(store, bytes("c"), { versions: 1 }))!.cells[0]!.timestamp).toBe(200n);
  });

  withStore("increments at the same time are all counted, each with its own result", async (store) => {
    const results = await Promise.all(
      Array.from({ length: 300 }, () => store.increment(bytes("c"), column("f:n"), 1n)),
    );
    expect(results.sort((a, b) => Number(a - b))).toEqual(Array.from({ length: 300 }, (_, i) => BigInt(i + 1)));
  });

  withStore("a counter stays within 64 signed bits and out of other cells", async (store) => {
    const max = (1n << 63n) - 1n;
    const count = column("f:n");
    expect(await store.increment(bytes("c"), count, max)).toBe(max);
    await store.mutate([row("c", set("f:text", "seven b"))]);
    const before = await all(store);
    const [overflow, fine, text] = await Promise.allSettled([
      store.increment(bytes("c"), count, 1n),
      store.increment(bytes("d"), count, 1n),
      store.increment(bytes("c"), column("f:text"), 1n),
    ]);
    expect((overflow as PromiseRejectedResult).reason.code).toBe("COUNTER_OVERFLOW");
    expect((fine as PromiseFulfilledResult<bigint>).value).toBe(1n);
    expect((text as PromiseRejectedResult).reason.code).toBe("NOT_A_COUNTER");
    expect((await all(store)).slice(0, 1)).toEqual(before);
  });

  withStore("gc drops a cell only when every limit of its family lets it go", async (store) => {
    const cells = ["none", "count", "age", "both"].flatMap((family) =>
      [10n, 50n, 80n, 90n].map((t) => set(`${family}:x`, "", t)),
    );
    await store.mutate([
      row("a", ...cells, set("count:y", "", 1n), set("age:y", "", 1n)),
      row("b", set("age:x", "", 49n)),
      row("c", set("age:x", "", 50n)),
    ]);
    await store.gc({
      count: { maxVersions: 2 },
      age: { maxAgeUs: 50n },
      both: { maxVersions: 2, maxAgeUs: 50n },
      none: {},
    });
    expect(await all(store)).toEqual([
      [
        "a",
        "age:x@90=",
        "age:x@80=",
        "age:x@50=",
        "both:x@90=",
        "both:x@80=",
        "both:x@50=",
        "count:x@90=",
        "count:x@80=",
        "count:y@1=",
        "none:x@90=",
        "none:x@80=",
        "none:x@50=",
        "none:x@10=",
      ],
      ["c", "age:x@50="],
    ]);
  });

  withStore("gc goes through many rows", async (store) => {
    await store.mutate(
      Array.from({ length: 1500 }, (_, i) =>
        row(`r${i}`, ...[1n, 2n, 3n].map((t) => set(i % 2 === 0 ? "f:x" : "g:x", "", t))),
      ),
    );
    await store.gc({ f: { maxVersions: 1 } });
    expect((await all(store)).reduce((sum, cells) => sum + cells.length - 1, 0)).toBe(750 + 3 * 750);
  });

  withStore("a mutation of many rows and a row of many cells are written whole", async (store) => {
    const ops = Array.from({ length: 5000 }, (_, i) => set(`f:${String(i).padStart(5, "0")}`, "v"));
    await store.mutate([row("wide", ...ops), ...Array.from({ length: 5000 }, (_, i) => row(`r${i}`, set("f:", "v")))]);
    expect((await readRow(store, bytes("wide")))!.cells.length).toBe(5000);
    expect((await readRows(store, ALL)).length).toBe(5001);
    await store.mutate([row("wide", { op: "deleteRow" })]);
    expect(await readRow(store, bytes("wide"))).toBe(undefined);
  });

  test("close waits for writes under way, and nothing works after it", async () => {
    const store = await open(() => 1n);
    const writing = store.increment(bytes("c"), column("f:n"), 1n);
    const closing = store.close();
    expect(await writing).toBe(1n);
    await closing;
    await store.close();
    const closed = { name: "RowStoreError", code: "CLOSED" };
    await expect(store.now()).rejects.toMatchObject(closed);
    await expect(readRows(store, ALL)).rejects.toMatchObject(closed);
    await expect(store.mutate([])).rejects.toMatchObject(closed);
    await expect(store.checkAndMutate(bytes("a"), { kind: "all", of: [] }, [])).rejects.toMatchObject(closed);
    await expect(store.increment(bytes("a"), column("f:n"), 1n)).rejects.toMatchObject(closed);
    await expect(store.transact([], [])).rejects.toMatchObject(closed);
    await expect(store.gc({})).rejects.toMatchObject(closed);
  });

  test("a read under way when the store is closed ends with an error, not with half of the rows", async () => {
    const store = await open(() => 1n);
    await store.mutate(Array.from({ length: 5000 }, (_, i) => row(`r${i}`, set("f:", ""))));
    const reading = (async () => {
      for await (const found of store.read(ALL)) if (found.key.length > 0) await store.close();
    })();
    await expect(reading).rejects.toMatchObject({ code: "CLOSED" });
  });
}
