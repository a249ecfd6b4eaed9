import type { Bytes, Op, Predicate, RowStore, Selection } from "../contract.ts";
import { readRows } from "../read-rows.ts";
import type { OpenStore, TestApi } from "./api.ts";
import { bytes, column, row, set, show } from "./cells.ts";

export function testRefusals(open: OpenStore, { test, expect }: TestApi): void {
  const ok = set("f:x", "");
  const at = (timestamp: unknown) => ({ ...ok, timestamp }) as Op;
  const inFamily = (family: unknown) => ({ ...ok, column: { family, qualifier: bytes("") } }) as Op;
  const anything: Predicate = { kind: "all", of: [] };
  const deep = Array.from({ length: 100 }).reduce<Predicate>((of) => ({ kind: "all", of: [of] }), anything);
  const onlyKeys = (...keys: unknown[]) => ({ keys }) as Selection;
  const cell = { kind: "cell", column: column("f:x") } as const;

  const cases: [string, string, (store: RowStore) => Promise<unknown>][] = [
    ["an empty row key", "INVALID_KEY", (store) => store.mutate([row("good", ok), row("", ok)])],
    [
      "a row key that is no bytes",
      "INVALID_ARGUMENT",
      (store) => store.mutate([{ key: "a" as unknown as Bytes, ops: [ok] }]),
    ],
    [
      "a key too long",
      "KEY_TOO_LONG",
      (store) => store.mutate([row("good", ok), row("k".repeat(store.caps.maxKeyBytes + 1), ok)]),
    ],
    [
      "a key too long with its qualifier",
      "KEY_TOO_LONG",
      (store) => store.mutate([row("k".repeat(store.caps.maxKeyBytes), ok)]),
    ],
    [
      "a key too long to read",
      "KEY_TOO_LONG",
      (store) => readRows(store, onlyKeys(new Uint8Array(store.caps.maxKeyBytes + 1))),
    ],
    [
      "a bound too long",
      "KEY_TOO_LONG",
      (store) => readRows(store, { ranges: [{ start: new Uint8Array(store.caps.maxKeyBytes + 2) }] }),
    ],
    ["an empty key to read", "INVALID_KEY", (store) => readRows(store, onlyKeys(bytes("")))],
    ["a key to read that is no bytes", "INVALID_ARGUMENT", (store) => readRows(store, onlyKeys("a"))],
    [
      "a value too large",
      "VALUE_TOO_LARGE",
      (store) =>
        store.mutate([
          row("good", ok),
          { key: bytes("a"), ops: [{ ...ok, value: new Uint8Array(store.caps.maxValueBytes + 1) } as Op] },
        ]),
    ],
    [
      "a value that is no bytes",
      "INVALID_ARGUMENT",
      (store) => store.mutate([row("a", { ...ok, value: 7 } as unknown as Op)]),
    ],
    ["no family", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily(""))])],
    ["a family with a zero", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily("f\0"))])],
    ["a family of other letters", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily("é"))])],
    ["a family with a line break at its end", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily("f\n"))])],
    ["a family too long", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily("f".repeat(17)))])],
    ["a family that is no string", "INVALID_FAMILY", (store) => store.mutate([row("a", inFamily(undefined))])],
    [
      "a family to read that is none",
      "INVALID_FAMILY",
      (store) => readRows(store, onlyKeys(), { columns: [{ family: "" }] }),
    ],
    ["a negative time", "INVALID_TIMESTAMP", (store) => store.mutate([row("good", ok), row("a", at(-1n))])],
    [
      "a time of 64 bits",
      "INVALID_TIMESTAMP",
      (store) => store.transact([], [row("good", ok), row("a", at(1n << 63n))]),
    ],
    ["a time that is a number", "INVALID_TIMESTAMP", (store) => store.mutate([row("a", at(5))])],
    ["a negative window", "INVALID_TIMESTAMP", (store) => readRows(store, onlyKeys(), { from: -1n })],
    [
      "a window past all times",
      "INVALID_TIMESTAMP",
      (store) => store.mutate([row("a", { op: "deleteColumn", column: column("f:x"), to: (1n << 63n) + 1n })]),
    ],
    [
      "a guard's negative window",
      "INVALID_TIMESTAMP",
      (store) => store.transact([{ key: bytes("a"), when: { ...cell, tsFrom: -1n } }], [row("good", ok)]),
    ],
    ["half a version", "INVALID_ARGUMENT", (store) => readRows(store, onlyKeys(), { versions: 0.5 })],
    ["no versions", "INVALID_ARGUMENT", (store) => readRows(store, onlyKeys(), { versions: 0 })],
    ["a negative limit", "INVALID_ARGUMENT", (store) => readRows(store, onlyKeys(), { limit: -1 })],
    ["a limit that is no number", "INVALID_ARGUMENT", (store) => readRows(store, onlyKeys(), { limit: Number.NaN })],
    [
      "an unknown operation",
      "INVALID_ARGUMENT",
      (store) => store.mutate([row("good", ok), row("a", { op: "append" } as unknown as Op)]),
    ],
    [
      "an unknown predicate",
      "INVALID_ARGUMENT",
      (store) =>
        store.transact([{ key: bytes("a"), when: { kind: "not" } as unknown as Predicate }], [row("good", ok)]),
    ],
    ["a predicate nested without end", "INVALID_ARGUMENT", (store) => store.checkAndMutate(bytes("a"), deep, [ok])],
    [
      "an empty key of a guard",
      "INVALID_KEY",
      (store) => store.transact([{ key: bytes(""), when: anything }], [row("good", ok)]),
    ],
    [
      "a bad operation of the branch not taken",
      "INVALID_TIMESTAMP",
      (store) => store.checkAndMutate(bytes("a"), anything, [ok], [at(-1n)]),
    ],
    ["an increment of 64 bits", "INVALID_ARGUMENT", (store) => store.increment(bytes("a"), column("f:x"), 1n << 63n)],
    [
      "an increment that is a number",
      "INVALID_ARGUMENT",
      (store) => store.increment(bytes("a"), column("f:x"), 1 as unknown as bigint),
    ],
    ["keeping no version", "INVALID_ARGUMENT", (store) => store.gc({ f: { maxVersions: 0 } })],
    ["a negative age", "INVALID_TIMESTAMP", (store) => store.gc({ f: { maxAgeUs: -1n } })],
  ];

  test("bad calls are refused with a code, and nothing of them is written", async () => {
    const store = await open(() => 100n);
    for (const [what, code, call] of cases) {
      const refusal = await call(store).then(
        () => ({ what, code: "accepted" }),
        (error: { name: string; code: string }) => ({ what, code: error.code, name: error.name }),
      );
      expect(refusal).toEqual({ what, code, name: "RowStoreError" });
    }
    expect(await readRows(store, { ranges: [{ start: bytes("") }] })).toEqual([]);
    await store.close();
  });

  test("the longest keys and names work, whatever their bytes", async () => {
    const store = await open(() => 1n);
    const { maxKeyBytes } = store.caps;
    const family = "f".repeat(16);
    const half = maxKeyBytes >> 1;
    const rows = ["\0", "\xff", "k"].flatMap((byte) => [
      row(byte.repeat(maxKeyBytes), set(`${family}:`, byte)),
      row(byte.repeat(half), set(`${family}:${byte.repeat(maxKeyBytes - half)}`, byte)),
    ]);
    await store.mutate(rows);
    const found = await readRows(store, { keys: rows.map(({ key }) => key) });
    expect(found.map((one) => [one.key.length, one.cells[0]!.qualifier.length])).toEqual(
      [0, 1, 2].flatMap(() => [
        [maxKeyBytes, 0],
        [half, maxKeyBytes - half],
      ]),
    );
    const after = new Uint8Array(maxKeyBytes + 1);
    after.set(rows[0]!.key);
    const ranged = await readRows(store, { ranges: [{ start: rows[0]!.key, end: after }] });
    expect(ranged.map(show)).toEqual(found.slice(0, 1).map(show));
    await store.close();
  });
}
