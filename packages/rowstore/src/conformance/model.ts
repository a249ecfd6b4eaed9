import fc from "fast-check";
import type {
  Bytes,
  Column,
  ColumnFilter,
  GcRules,
  Op,
  Predicate,
  ReadOptions,
  RowMutation,
  RowStore,
  Selection,
} from "../contract.ts";
import { encodeCounter } from "../counter.ts";
import { readRows } from "../read-rows.ts";
import type { OpenStore, TestApi } from "./api.ts";
import { bytes } from "./cells.ts";

/** Few distinct names, those that an encoding could trip over, so that programs meet the same cells again and again. */
const nameOf = (...texts: string[]): fc.Arbitrary<Bytes> => fc.constantFrom(...texts).map(bytes);
const KEYS = ["\0", "\0\0", "\0\xff", "\x01", "a", "a\0", "a\x01", "\xff"];
const FAMILIES = ["f", "fa"];
const QUALIFIERS = ["", "\0", "\0\x01", "a"];
const key = nameOf(...KEYS);
const column: fc.Arbitrary<Column> = fc.record({
  family: fc.constantFrom(...FAMILIES),
  qualifier: nameOf(...QUALIFIERS),
});
const timestamp = fc.oneof(fc.bigInt(0n, 6n), fc.constantFrom((1n << 63n) - 1n, 1n << 62n));
const bound = fc.oneof(timestamp, fc.constant(1n << 63n));
const value = fc.oneof(nameOf("", "\0", "a", "ab", "\xff"), fc.bigInt(-3n, 3n).map(encodeCounter));

const set = fc.record(
  { op: fc.constant("set" as const), column, value, timestamp },
  { requiredKeys: ["op", "column", "value"] },
);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: set },
  {
    weight: 2,
    arbitrary: fc.record(
      { op: fc.constant("deleteColumn" as const), column, from: bound, to: bound },
      { requiredKeys: ["op", "column"] },
    ),
  },
  { weight: 1, arbitrary: fc.constant({ op: "deleteRow" as const }) },
);
const ops = fc.array(op, { maxLength: 5 });
const rows: fc.Arbitrary<RowMutation[]> = fc.array(fc.record({ key, ops }), { maxLength: 4 });

const cellPredicate: fc.Arbitrary<Predicate> = fc.record(
  {
    kind: fc.constantFrom("cell" as const, "absent" as const),
    column,
    tsFrom: bound,
    tsTo: bound,
    valueEq: value,
    valueGte: value,
  },
  { requiredKeys: ["kind", "column"] },
);
const predicate: fc.Arbitrary<Predicate> = fc.oneof(
  { weight: 3, arbitrary: cellPredicate },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("any" as const, "all" as const),
      of: fc.array(cellPredicate, { maxLength: 3 }),
    }),
  },
);

const columnFilter: fc.Arbitrary<ColumnFilter> = fc.oneof(
  column,
  column.map(({ family }) => ({ family })),
);
const readOptions: fc.Arbitrary<ReadOptions> = fc.record(
  {
    columns: fc.array(columnFilter, { maxLength: 3 }),
    from: bound,
    to: bound,
    versions: fc.integer({ min: 1, max: 3 }),
    limit: fc.integer({ min: 0, max: 4 }),
  },
  { requiredKeys: [] },
);
const selection: fc.Arbitrary<Selection> = fc.oneof(
  fc.record({ keys: fc.array(key, { maxLength: 6 }) }),
  fc.record({
    ranges: fc.array(
      fc.record(
        { start: fc.oneof(key, nameOf("")), end: fc.oneof(key, nameOf("\0\x01", "b")) },
        { requiredKeys: ["start"] },
      ),
      {
        maxLength: 3,
      },
    ),
  }),
);
const rules: fc.Arbitrary<GcRules> = fc.dictionary(
  fc.constantFrom(...FAMILIES),
  fc.record({ maxVersions: fc.integer({ min: 1, max: 3 }), maxAgeUs: fc.bigInt(0n, 6n) }, { requiredKeys: [] }),
);

/** One call, as data, so that a counterexample can be read and replayed. */
type Step =
  | { readonly call: "mutate"; readonly rows: RowMutation[] }
  | { readonly call: "transact"; readonly guards: { key: Bytes; when: Predicate }[]; readonly rows: RowMutation[] }
  | {
      readonly call: "checkAndMutate";
      readonly key: Bytes;
      readonly when: Predicate;
      readonly ifHeld: Op[];
      readonly otherwise: Op[];
    }
  | { readonly call: "increment"; readonly key: Bytes; readonly column: Column; readonly by: bigint }
  | { readonly call: "read"; readonly selection: Selection; readonly options: ReadOptions }
  | { readonly call: "gc"; readonly rules: GcRules }
  | { readonly call: "wait"; readonly time: bigint };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ call: fc.constant("mutate" as const), rows }) },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant("transact" as const),
      guards: fc.array(fc.record({ key, when: predicate }), { maxLength: 3 }),
      rows,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant("checkAndMutate" as const),
      key,
      when: predicate,
      ifHeld: ops,
      otherwise: ops,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant("increment" as const),
      key,
      column,
      by: fc.oneof(fc.bigInt(-3n, 3n), fc.constantFrom((1n << 63n) - 1n, -(1n << 63n))),
    }),
  },
  { weight: 6, arbitrary: fc.record({ call: fc.constant("read" as const), selection, options: readOptions }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("gc" as const), rules }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("wait" as const), time: fc.bigInt(0n, 8n) }) },
);

function perform(store: RowStore, one: Step): Promise<unknown> {
  switch (one.call) {
    case "mutate":
      return store.mutate(one.rows);
    case "transact":
      return store.transact(one.guards, one.rows);
    case "checkAndMutate":
      return store.checkAndMutate(one.key, one.when, one.ifHeld, one.otherwise);
    case "increment":
      return store.increment(one.key, one.column, one.by);
    case "read":
      return readRows(store, one.selection, one.options);
    case "gc":
      return store.gc(one.rules);
    case "wait":
      return store.now();
  }
}

/** What is asked after every program: everything, and each column as of each time, by range and by key. */
const EVERYTHING: Selection = { ranges: [{ start: new Uint8Array(0) }] };
const EVERY_KEY: Selection = { keys: KEYS.map(bytes) };
const EVERY_COLUMN = FAMILIES.flatMap((family) => QUALIFIERS.map((name) => ({ family, qualifier: bytes(name) })));
const PROBES: readonly (readonly [Selection, ReadOptions])[] = [
  [EVERYTHING, {}],
  ...[1n, 2n, 3n, 4n, 5n, 6n, 7n].flatMap((time) =>
    [EVERYTHING, EVERY_KEY].flatMap((selection) => [
      [selection, { columns: EVERY_COLUMN, to: time, versions: 1 }] as const,
      [selection, { from: time }] as const,
    ]),
  ),
];

const outcomeOf = (result: Promise<unknown>): Promise<unknown> =>
  result.then(
    (answer) => ({ answer }),
    (error: { code?: string }) => ({ refused: error.code ?? error }),
  );

export function testModel(open: OpenStore, openModel: OpenStore, { test, expect }: TestApi, runs: number): void {
  const compare = async (program: readonly Step[], atOnce: boolean) => {
    let time = 3n;
    const store = await open(() => time);
    const model = await openModel(() => time);
    try {
      if (atOnce) {
        const answers = Promise.all(program.map((one) => outcomeOf(perform(store, one))));
        expect(await answers).toEqual(await Promise.all(program.map((one) => outcomeOf(perform(model, one)))));
      } else {
        for (const one of program) {
          if (one.call === "wait") time = one.time;
          expect(await outcomeOf(perform(store, one))).toEqual(await outcomeOf(perform(model, one)));
        }
      }
      for (const [selection, options] of PROBES) {
        expect(await readRows(store, selection, options)).toEqual(await readRows(model, selection, options));
      }
    } finally {
      await Promise.all([store.close(), model.close()]);
    }
  };

  test(
    "every answer and every state agree with the model's",
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), (program) => compare(program, false)),
        { numRuns: runs },
      ),
    120_000,
  );

  test(
    "writes asked for at once give the answers they give one by one",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            step.filter(({ call }) => call !== "read" && call !== "gc" && call !== "wait"),
            { maxLength: 25, size: "max" },
          ),
          (program) => compare(program, true),
        ),
        { numRuns: runs },
      ),
    120_000,
  );
}
