import type { ReadOptions, Row, RowStore, Selection } from "../contract.ts";
import { prefixRange } from "../key-range.ts";
import { readRow, readRows } from "../read-rows.ts";
import type { OpenStore, TestApi } from "./api.ts";
import { bytes, column, row, set, show } from "./cells.ts";

const ALL: Selection = { ranges: [{ start: bytes("") }] };

function keys(...names: string[]): Selection {
  return { keys: names.map(bytes) };
}

async function shown(store: RowStore, selection: Selection, options?: ReadOptions): Promise<string[][]> {
  return (await readRows(store, selection, options)).map(show);
}

export function testReads(open: OpenStore, { test, expect }: TestApi): void {
  const withStore = (name: string, body: (store: RowStore) => Promise<void>) =>
    test(name, async () => {
      const store = await open(() => 100n);
      await body(store);
      await store.close();
    });

  withStore("an empty store has no rows", async (store) => {
    expect(await shown(store, ALL)).toEqual([]);
    expect(await shown(store, keys("a"))).toEqual([]);
    expect(await shown(store, { keys: [] })).toEqual([]);
    expect(await shown(store, { ranges: [] })).toEqual([]);
    expect(await readRow(store, bytes("a"))).toBe(undefined);
  });

  withStore("rows are in bytewise order of their keys, also around zero bytes and prefixes", async (store) => {
    const names = [
      "\0",
      "\0\0",
      "\0\x01",
      "\0\xff",
      "\x01",
      "a",
      "a\0",
      "a\0\0",
      "a\0\x01",
      "a\0b",
      "a\0\xff",
      "a\x01",
      "ab",
      "b",
      "\xff",
      "\xff\0",
      "\xff\xff",
    ];
    await store.mutate([...names].reverse().map((name) => row(name, set("f:", name))));
    expect(await shown(store, ALL)).toEqual(names.map((name) => [name, `f:@100=${name}`]));
  });

  withStore("cells are in order of family, qualifier, then newest first", async (store) => {
    const ordered = [
      "f:",
      "f:\0",
      "f:\0\0",
      "f:\0\x01",
      "f:\x01",
      "f:a",
      "f:a\0",
      "f:ab",
      "f:\xff",
      "f-:a",
      "f.:",
      "f0:",
      "fa:",
      "g:",
    ];
    await store.mutate([
      row("r", ...[...ordered].reverse().flatMap((name) => [1n, 300n, 2n].map((t) => set(name, "v", t)))),
    ]);
    expect(await shown(store, ALL)).toEqual([
      ["r", ...ordered.flatMap((name) => [300, 2, 1].map((t) => `${name}@${t}=v`))],
    ]);
  });

  withStore(
    "rows asked for by key come in the order asked, twice if asked twice, absent ones not at all",
    async (store) => {
      await store.mutate(["a", "b", "c"].map((name) => row(name, set("f:", name))));
      expect(await shown(store, keys("c", "x", "a", "c"))).toEqual([
        ["c", "f:@100=c"],
        ["a", "f:@100=a"],
        ["c", "f:@100=c"],
      ]);
    },
  );

  withStore("ranges are half-open, read in key order and each row once", async (store) => {
    await store.mutate(["a", "b", "ba", "c", "d"].map((name) => row(name, set("f:", ""))));
    const read = async (...ranges: [string, string?][]) =>
      (
        await shown(store, {
          ranges: ranges.map(([start, end]) =>
            end === undefined ? { start: bytes(start) } : { start: bytes(start), end: bytes(end) },
          ),
        })
      ).map(([key]) => key);
    expect(await read(["a", "c"])).toEqual(["a", "b", "ba"]);
    expect(await read(["b"])).toEqual(["b", "ba", "c", "d"]);
    expect(await read(["", "\xff"])).toEqual(["a", "b", "ba", "c", "d"]);
    expect(await read(["b", "b"], ["c", "b"])).toEqual([]);
    expect(await read(["b", "b\0"])).toEqual(["b"]);
    expect(await read(["c", "d"], ["a", "b"])).toEqual(["a", "c"]);
    expect(await read(["a", "c"], ["b"], ["ba", "bb"])).toEqual(["a", "b", "ba", "c", "d"]);
  });

  withStore("a prefix is a range", async (store) => {
    await store.mutate(["a", "b", "b\0", "b\xff\xff", "c", "\xff", "\xff\xff"].map((name) => row(name, set("f:", ""))));
    const read = async (prefix: string) =>
      (await shown(store, { ranges: [prefixRange(bytes(prefix))] })).map(([key]) => key);
    expect(await read("b")).toEqual(["b", "b\0", "b\xff\xff"]);
    expect(await read("b\xff")).toEqual(["b\xff\xff"]);
    expect(await read("\xff")).toEqual(["\xff", "\xff\xff"]);
    expect((await read("")).length).toBe(7);
  });

  withStore("columns are chosen exactly or by family; rows without any of them are left out", async (store) => {
    await store.mutate([
      row("a", set("f:x", "1"), set("f:y", "2"), set("fa:x", "3"), set("g:", "4")),
      row("b", set("g:", "5")),
    ]);
    const read = (...columns: NonNullable<ReadOptions["columns"]>[number][]) => shown(store, ALL, { columns });
    expect(await read(column("f:y"))).toEqual([["a", "f:y@100=2"]]);
    expect(await read({ family: "f" })).toEqual([["a", "f:x@100=1", "f:y@100=2"]]);
    expect(await read(column("g:"), column("f:x"), column("g:"))).toEqual([
      ["a", "f:x@100=1", "g:@100=4"],
      ["b", "g:@100=5"],
    ]);
    expect(await read(column("f:y"), { family: "f" })).toEqual([["a", "f:x@100=1", "f:y@100=2"]]);
    expect(await read(column("f:"), { family: "h" })).toEqual([]);
    expect(await read()).toEqual([]);
    expect(await shown(store, keys("b", "a"), { columns: [column("f:x")] })).toEqual([["a", "f:x@100=1"]]);
  });

  withStore("the time window is half-open and applied before counting versions", async (store) => {
    await store.mutate([row("a", ...[1n, 2n, 3n, 4n].map((t) => set("f:x", "", t)), set("f:y", "", 2n))]);
    for (const columns of [undefined, [{ family: "f" }], [column("f:x"), column("f:y")]]) {
      for (const selection of [ALL, keys("a")]) {
        const read = async (options: ReadOptions) =>
          (await shown(store, selection, columns === undefined ? options : { ...options, columns }))[0]
            ?.slice(1)
            .join(" ");
        expect(await read({ from: 2n, to: 4n })).toBe("f:x@3= f:x@2= f:y@2=");
        expect(await read({ to: 4n, versions: 1 })).toBe("f:x@3= f:y@2=");
        expect(await read({ from: 3n })).toBe("f:x@4= f:x@3=");
        expect(await read({ versions: 2 })).toBe("f:x@4= f:x@3= f:y@2=");
        expect(await read({ from: 3n, to: 3n })).toBe(undefined);
        expect(await read({ from: 4n, to: 2n })).toBe(undefined);
        expect(await read({ from: 0n, to: 1n << 63n, versions: 9 })).toBe("f:x@4= f:x@3= f:x@2= f:x@1= f:y@2=");
      }
    }
  });

  withStore("the first and the last possible time are times like others", async (store) => {
    const last = (1n << 63n) - 1n;
    await store.mutate([row("a", set("f:", "first", 0n), set("f:", "last", last))]);
    expect(await shown(store, keys("a"))).toEqual([["a", `f:@${last}=last`, "f:@0=first"]]);
    expect(await shown(store, keys("a"), { to: last, columns: [column("f:")] })).toEqual([["a", "f:@0=first"]]);
    expect(await shown(store, keys("a"), { from: last, columns: [column("f:")] })).toEqual([["a", `f:@${last}=last`]]);
  });

  withStore("a limit counts rows with cells to show, over all ranges", async (store) => {
    await store.mutate(["a", "b", "c", "d"].map((name) => row(name, set(name === "b" ? "g:" : "f:", ""))));
    const read = async (selection: Selection, limit: number) =>
      (await shown(store, selection, { limit, columns: [{ family: "f" }] })).map(([key]) => key);
    expect(await read(ALL, 2)).toEqual(["a", "c"]);
    expect(await read(ALL, 0)).toEqual([]);
    expect(await read({ ranges: [{ start: bytes("c") }, { start: bytes("a"), end: bytes("b") }] }, 2)).toEqual([
      "a",
      "c",
    ]);
    expect(await read(keys("d", "b", "c", "a"), 2)).toEqual(["d", "c"]);
  });

  withStore("a range of many rows is read completely, with and without a filter that drops most", async (store) => {
    const names = Array.from({ length: 3000 }, (_, i) => String(i).padStart(6, "0"));
    await store.mutate(names.map((name, i) => row(name, set(i % 1000 === 999 ? "g:" : "f:", name))));
    expect((await shown(store, ALL)).map(([key]) => key)).toEqual(names);
    expect((await shown(store, ALL, { columns: [{ family: "g" }] })).map(([key]) => key)).toEqual([
      "000999",
      "001999",
      "002999",
    ]);
    expect((await shown(store, { ranges: [{ start: bytes("000500"), end: bytes("002500") }] })).length).toBe(2000);
    expect((await shown(store, { keys: names.map(bytes) })).length).toBe(3000);
  });

  withStore("a read by keys shows one moment, however the consumer dawdles", async (store) => {
    const names = Array.from({ length: 2000 }, (_, i) => `r${i}`);
    await store.mutate(names.map((name) => row(name, set("f:", "old", 1n))));
    const seen: Row[] = [];
    for await (const found of store.read({ keys: names.map(bytes) }, { versions: 1 })) {
      if (seen.length === 0) await store.mutate(names.map((name) => row(name, set("f:", "new", 2n))));
      seen.push(found);
    }
    expect(seen.map((found) => show(found)[1])).toEqual(names.map(() => "f:@1=old"));
    expect((await shown(store, keys("r1999"), { versions: 1 }))[0]![1]).toBe("f:@2=new");
  });

  withStore("a long read by keys shows one moment while transactions go on", async (store) => {
    const names = Array.from({ length: 6000 }, (_, i) => `r${i}`);
    const ends = ["first", "last"];
    await store.mutate([...names, ...ends].map((name) => row(name, set("f:", "", 0n))));
    let reading = true;
    let version = 0n;
    const writing = (async () => {
      while (reading) {
        version++;
        await store.transact(
          [],
          ends.map((name) => row(name, set("f:", "", version))),
        );
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    for (let i = 0; i < 10; i++) {
      const found = await readRows(store, keys("first", ...names, "last"), { versions: 1 });
      expect(found.length).toBe(names.length + 2);
      expect(found.at(-1)!.cells[0]!.timestamp).toBe(found[0]!.cells[0]!.timestamp);
    }
    reading = false;
    await writing;
    expect(version > 0n).toBe(true);
  });

  withStore(
    "each row of a range read is of one moment, and writes during it do not disturb the rest",
    async (store) => {
      const names = Array.from({ length: 2000 }, (_, i) => String(i).padStart(4, "0"));
      await store.mutate(names.map((name) => row(name, set("f:a", "0"), set("f:b", "0"))));
      let count = 0;
      for await (const { cells } of store.read(ALL)) {
        expect(cells.map((cell) => cell.value[0])).toEqual([cells[0]!.value[0], cells[0]!.value[0]]);
        if (count++ === 500) {
          await store.mutate([
            ...names.slice(0, 1500).map((name) => row(name, set("f:a", "1"), set("f:b", "1"))),
            ...names.slice(1500).map((name) => row(name, { op: "deleteRow" as const })),
          ]);
        }
      }
      expect(count >= 1500 && count <= 2000).toBe(true);
      expect((await shown(store, ALL)).length).toBe(1500);
    },
  );

  withStore("values of every size come back as they were", async (store) => {
    const sizes = [0, 1, 7, 8, 9, 63, 64, 65, 255, 4095, 4096, 16383, 16384, 16385, 65536, 1 << 20, 5_000_001];
    const values = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255));
    const ops = values.map(
      (value, i) => ({ op: "set", column: column(`f:${String.fromCharCode(i)}`), value }) as const,
    );
    await store.mutate([{ key: bytes("big"), ops }]);
    for (const selection of [ALL, keys("big")]) {
      const [found] = await readRows(store, selection);
      expect(found!.cells.map((cell) => cell.value.length)).toEqual(sizes);
      expect(found!.cells.every((cell, i) => cell.value.every((byte, j) => byte === values[i]![j]))).toBe(true);
      expect(found!.cells.every((cell) => cell.value.constructor === Uint8Array)).toBe(true);
    }
  });

  withStore("an aborted read rejects with the signal's reason, before the first row or between rows", async (store) => {
    await store.mutate(["a", "b"].map((name) => row(name, set("f:", ""))));
    const reason = { why: "enough" };
    expect(await readRows(store, ALL, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)).toBe(
      reason,
    );
    for (const selection of [ALL, keys("a", "b")]) {
      const controller = new AbortController();
      const seen: string[][] = [];
      const reading = async () => {
        for await (const found of store.read(selection, { signal: controller.signal })) {
          seen.push(show(found));
          controller.abort(reason);
        }
      };
      expect(await reading().catch((error: unknown) => error)).toBe(reason);
      expect(seen).toEqual([["a", "f:@100="]]);
    }
  });

  withStore("a read may be left early", async (store) => {
    await store.mutate(Array.from({ length: 100 }, (_, i) => row(`r${i}`, set("f:", ""))));
    for (const selection of [ALL, { keys: Array.from({ length: 100 }, (_, i) => bytes(`r${i}`)) }]) {
      for await (const found of store.read(selection)) {
        expect(found.cells.length).toBe(1);
        break;
      }
    }
    await store.mutate([row("r0", { op: "deleteRow" })]);
    expect((await shown(store, ALL)).length).toBe(99);
  });
}
