import { compareBytes, compareCells, compareColumns, equalBytes } from "../src/bytewise.ts";
import type {
  Bytes,
  Cell,
  Column,
  GcRules,
  Guard,
  Op,
  Predicate,
  ReadOptions,
  Row,
  RowMutation,
  RowStore,
  Selection,
} from "../src/index.ts";
import { type Clock, decodeCounter, encodeCounter, RowStoreError } from "../src/index.ts";

type Stored = Cell & { readonly key: Bytes };

/** All cells in one unsorted list, every question answered by looking through it: too slow to be wrong. */
export function naiveStore(clock: Clock): RowStore {
  let cells: Stored[] = [];

  const inWindow = (time: bigint, from = 0n, to = 1n << 63n) => from <= time && time < to;
  const isOf = (cell: Stored, key: Bytes, column: Column) =>
    equalBytes(cell.key, key) && compareColumns(cell, column) === 0;
  const newer = (cell: Stored) =>
    cells.filter((other) => isOf(other, cell.key, cell) && other.timestamp > cell.timestamp);

  function holds(key: Bytes, when: Predicate): boolean {
    if ("of" in when) {
      const parts = when.of.map((part) => holds(key, part));
      return when.kind === "any" ? parts.some(Boolean) : parts.every(Boolean);
    }
    const found = cells.some(
      (cell) =>
        isOf(cell, key, when.column) &&
        inWindow(cell.timestamp, when.tsFrom, when.tsTo) &&
        (!when.valueEq || compareBytes(cell.value, when.valueEq) === 0) &&
        (!when.valueGte || compareBytes(cell.value, when.valueGte) >= 0),
    );
    return found === (when.kind === "cell");
  }

  function apply(key: Bytes, op: Op): void {
    const now = clock();
    if (op.op === "deleteRow") cells = cells.filter((cell) => !equalBytes(cell.key, key));
    else if (op.op === "deleteColumn") {
      cells = cells.filter((cell) => !(isOf(cell, key, op.column) && inWindow(cell.timestamp, op.from, op.to)));
    } else {
      const { timestamp = now } = op;
      cells = cells.filter((cell) => !(isOf(cell, key, op.column) && cell.timestamp === timestamp));
      cells.push({ key, ...op.column, timestamp, value: op.value });
    }
  }

  const applyAll = (rows: readonly RowMutation[]) => {
    for (const { key, ops } of rows) for (const op of ops) apply(key, op);
  };

  function rowAt(key: Bytes, { columns, from, to, versions = 1e9 }: ReadOptions): Row[] {
    const chosen = cells.filter(
      (cell) =>
        equalBytes(cell.key, key) &&
        inWindow(cell.timestamp, from, to) &&
        newer(cell).filter((other) => inWindow(other.timestamp, from, to)).length < versions &&
        (!columns ||
          columns.some(
            ({ family, qualifier }) => family === cell.family && (!qualifier || equalBytes(qualifier, cell.qualifier)),
          )),
    );
    if (chosen.length === 0) return [];
    return [{ key, cells: chosen.sort(compareCells).map(({ key: _, ...cell }) => cell) }];
  }

  return {
    caps: { multiRowTxn: true, serverClock: true, maxKeyBytes: 960, maxValueBytes: 2 ** 28 },
    now: async () => clock(),
    async *read(selection: Selection, options: ReadOptions = {}) {
      const keys =
        "keys" in selection
          ? selection.keys
          : cells
              .map(({ key }) => key)
              .sort(compareBytes)
              .filter((key, i, all) => i === 0 || !equalBytes(key, all[i - 1]!))
              .filter((key) =>
                selection.ranges.some(
                  ({ start, end }) => compareBytes(start, key) <= 0 && (!end || compareBytes(key, end) < 0),
                ),
              );
      yield* keys.flatMap((key) => rowAt(key, options)).slice(0, options.limit);
    },
    mutate: async (rows) => applyAll(rows),
    async checkAndMutate(key, when, then, otherwise = []) {
      const held = holds(key, when);
      applyAll([{ key, ops: held ? then : otherwise }]);
      return held;
    },
    async increment(key, column, by) {
      const newest = cells.find((cell) => isOf(cell, key, column) && newer(cell).length === 0);
      const sum = (newest ? decodeCounter(newest.value) : 0n) + by;
      if (BigInt.asIntN(64, sum) !== sum) throw new RowStoreError("COUNTER_OVERFLOW", "too big");
      const now = clock();
      const timestamp = newest && newest.timestamp > now ? newest.timestamp : now;
      apply(key, { op: "set", column, value: encodeCounter(sum), timestamp });
      return sum;
    },
    async transact(guards: readonly Guard[], rows) {
      const failedGuard = guards.findIndex(({ key, when }) => !holds(key, when));
      if (failedGuard >= 0) return { committed: false, failedGuard };
      applyAll(rows);
      return { committed: true };
    },
    async gc(rules: GcRules) {
      const now = clock();
      const goes = (cell: Stored): boolean => {
        const { maxVersions, maxAgeUs } = rules[cell.family] ?? {};
        const tests: boolean[] = [];
        if (maxVersions !== undefined) tests.push(newer(cell).length >= maxVersions);
        if (maxAgeUs !== undefined) tests.push(cell.timestamp < now - maxAgeUs);
        return tests.length > 0 && tests.every(Boolean);
      };
      const gone = new Set(cells.filter(goes));
      cells = cells.filter((cell) => !gone.has(cell));
    },
    close: async () => {},
  };
}
