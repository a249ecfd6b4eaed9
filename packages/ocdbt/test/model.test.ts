import { memoryKvStore } from "@pcg/kvstore";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Mutation, openOcdbt } from "../src/index.ts";
import { checkTree } from "./support/check-tree.ts";
import { applied, bytesOf, type Contents, contentsOf, expectVersions, latin1, sorted } from "./support/model.ts";

/** Short keys over few bytes, so that many are equal, or begin with one another; some long ones with a common beginning. */
const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom("a", "b", "/", "\0", "ÿ"), maxLength: 4 }).map(bytesOf) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: fc.constantFrom("x", "y"), maxLength: 3 })
      .map((end) => bytesOf("common/".repeat(5) + end)),
  },
);
const value = fc
  .record({ size: fc.constantFrom(0, 1, 3, 4, 5, 20, 100), fill: fc.integer({ min: 0, max: 255 }) })
  .map(({ size, fill }) => new Uint8Array(size).fill(fill));
const range = fc.tuple(key, fc.option(key)).map(([start, end]) => (end === null ? { start } : { start, end }));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("put" as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: range.map((where) => ({ op: "deleteRange" as const, ...where })) },
);

const config = fc.record({
  maxInlineValueBytes: fc.constantFrom(0, 4, 1000),
  maxDecodedNodeBytes: fc.constantFrom(0, 1, 150, 400, 65_536),
  versionTreeArityLog2: fc.constantFrom(1, 2, 4),
  compression: fc.constantFrom(null, { id: "zstd" as const, level: 1 }),
  manifestKind: fc.constantFrom("single" as const, "numbered" as const),
});

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("apply" as const), mutations: fc.array(mutation, { maxLength: 12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("together" as const), mutations: fc.array(mutation, { maxLength: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("transact" as const),
      mutations: fc.array(mutation, { maxLength: 8 }),
      range,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("conditional" as const),
      key,
      value,
      atomic: fc.boolean(),
      wrong: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("load" as const), count: fc.integer({ min: 20, max: 60 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

test("every version stays as it was made, whatever is done after it", async () => {
  await fc.assert(
    fc.asyncProperty(config, fc.array(step, { minLength: 1, maxLength: 12 }), async (config, steps) => {
      const store = memoryKvStore();
      let db = await openOcdbt(store, { config });
      const versions = new Map<bigint, Contents>();
      let contents: Contents = new Map();
      for (const next of steps) {
        if (next.do === "reopen") {
          db = await openOcdbt(store);
        } else if (next.do === "apply") {
          contents = applied(contents, next.mutations);
          await db.apply(next.mutations);
        } else if (next.do === "together") {
          const before = (await db.head())?.generation ?? 0n;
          contents = applied(contents, next.mutations);
          await Promise.all(
            next.mutations.map((each) => {
              if (each.op === "deleteRange") return db.deleteRange(each);
              return db.write(each.key, each.op === "put" ? (each.value as Uint8Array) : null);
            }),
          );
          expect(((await db.head())?.generation ?? 0n) - before).toBeLessThanOrEqual(1n);
        } else if (next.do === "transact") {
          const transaction = await db.transaction();
          let seen: Contents = contents;
          for (const each of next.mutations) {
            seen = applied(seen, [each]);
            if (each.op === "deleteRange") await transaction.deleteRange(each);
            else await transaction.write(each.key, each.op === "put" ? (each.value as Uint8Array) : null);
            if (each.op !== "deleteRange") {
              const found = await transaction.read(each.key);
              expect(found && latin1(found.value)).toBe(seen.get(latin1(each.key)));
            }
          }
          expect(sorted(await contentsOf(transaction))).toEqual(sorted(seen));
          expect(sorted(await contentsOf(db))).toEqual(sorted(contents));
          await transaction.commit();
          contents = seen;
        } else if (next.do === "conditional") {
          const found = await db.read(next.key);
          const ifGeneration = next.wrong ? "other" : (found?.generation ?? null);
          const {
            head,
            applied: held,
            generations,
          } = await db.apply(
            [
              { op: "put", key: next.key, value: next.value, ifGeneration },
              { op: "put", key: bytesOf("beside"), value: next.value },
            ],
            { atomic: next.atomic },
          );
          expect(held).toEqual([!next.wrong, true]);
          expect(head === undefined).toBe(next.wrong && next.atomic);
          const written = next.wrong ? (next.atomic ? [] : ["beside"]) : [latin1(next.key), "beside"];
          contents = new Map([...contents, ...written.map((name) => [name, latin1(next.value)] as const)]);
          expect(generations[0]).toBe((await db.read(next.key))?.generation ?? null);
          expect(generations[1]).toBe((await db.read("beside"))?.generation ?? null);
        } else {
          const mutations: Mutation[] = Array.from({ length: next.count }, (_, i) => ({
            op: "put",
            key: bytesOf(`load/${(i * 37) % 1000}`),
            value: bytesOf(`value ${i}`),
          }));
          contents = applied(contents, mutations);
          await db.apply(mutations);
        }
        const newest = await db.version();
        if (newest !== undefined) {
          versions.set(newest.generation, contents);
          expect((await checkTree(db, newest)).map(latin1)).toEqual(sorted(contents).map(([name]) => name));
        } else expect(contents.size).toBe(0);
      }
      await expectVersions(await openOcdbt(store), versions);
      await expectVersions(db, versions);
    }),
    { numRuns: Number(process.env["PCG_TEST_RUNS"] ?? 60) },
  );
});
