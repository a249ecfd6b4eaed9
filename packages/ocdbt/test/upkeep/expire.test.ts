import fc from "fast-check";
import { expect, test } from "vitest";
import { isOcdbtError } from "../../src/errors.ts";
import { fork } from "../../src/fork/create.ts";
import { openFork } from "../../src/fork/open.ts";
import { createTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire } from "../../src/upkeep/index.ts";
import { atEveryCall, contentsOf, expectHistory, expectSound, generationsOf, grow, TINY, withPast } from "./world.ts";

const failing = (code: string) => (error: unknown) => isOcdbtError(error) && error.code === code;

test("the newest versions stay, older ones cannot be pinned any more", async () => {
  const { store, db, history } = await withPast(21, { config: { ...TINY, versionTreeArityLog2: 2 } });
  const before = await generationsOf(db);
  const result = await expire(db, { keepLast: 5 });
  const after = await expectHistory(db, history);
  expect(after.slice(-5)).toEqual(before.slice(-5));
  expect(result).toEqual({
    expired: BigInt(before.length - after.length),
    kept: BigInt(after.length),
    heldBack: after.slice(0, -5).map((generation) => ({ generation, reasons: ["ends a block of the version tree"] })),
  });
  expect(after.length).toBeLessThan(9);
  await expect(db.at({ generation: before[0]! })).rejects.toSatisfy(failing("version-not-found"));
  await expectSound(store);
  expect((await expire(db, { keepLast: 5 })).expired).toBe(0n);
});

test("age decides by the time of the commit, and keepLast wins over it", async () => {
  let now = 1_000n;
  const { db } = await withPast(9, { now: () => now++ });
  const all = await generationsOf(db);
  const { commitTime } = (await (await db.at({ generation: all[5]! })).version())!;
  await expire(db, { olderThan: commitTime, keepLast: 6 });
  expect(await generationsOf(db)).toEqual(expect.arrayContaining(all.slice(-6)));
  await expire(db, { olderThan: commitTime });
  const left = await generationsOf(db);
  expect(left).toEqual(expect.arrayContaining(all.slice(5)));
  expect(left.length).toBeLessThan(all.length);
  expect((await expire(db, { olderThan: 0n })).expired).toBe(0n);
  expect(
    (await expire(db, { olderThan: "1969-12-31T00:00:00Z" }).catch((error: Error) => error)) instanceof Error,
  ).toBe(true);
});

test("a dry run counts, and changes nothing", async () => {
  const { db } = await withPast(12);
  const before = await generationsOf(db);
  const { expired } = await expire(db, { keepLast: 1 }, { dryRun: true });
  expect(await generationsOf(db)).toEqual(before);
  expect(expired).toBe((await expire(db, { keepLast: 1 })).expired);
  expect(expired).toBeGreaterThan(0n);
});

test("what tags and forks hold stays, to the last key", async () => {
  const { store, db, history } = await withPast(30);
  const all = await generationsOf(db);
  await createTag(db, "release", { generation: all[3]! });
  await fork(db, "proofreading", { version: { generation: all[12]! } });
  const { heldBack } = await expire(db, { keepLast: 1 });
  const left = await expectHistory(db, history);
  expect(left).toEqual(expect.arrayContaining([all[3], all[12], all.at(-1)]));
  expect(heldBack.map(({ generation }) => generation)).toEqual(left.slice(0, -1));
  expect(heldBack).toEqual(
    expect.arrayContaining([
      { generation: all[3], reasons: ["tag release"] },
      { generation: all[12], reasons: ["fork proofreading begins here"] },
      { generation: all[13], reasons: ["ends a block of the version tree"] },
    ]),
  );
  expect(await contentsOf(await openFork(store, "proofreading"), all[12]!)).toEqual(history.get(all[12]!));
  await expectSound(store);
});

test("a tag that cannot be read stops everything", async () => {
  const { store, db } = await withPast(9);
  await store.write("refs/tags/broken.json", new TextEncoder().encode("{"));
  const before = await generationsOf(db);
  await expect(expire(db, { keepLast: 1 })).rejects.toSatisfy(failing("unsafe"));
  expect(await generationsOf(db)).toEqual(before);
});

test("policies that say nothing or nonsense are refused", async () => {
  const { db } = await withPast(2);
  for (const policy of [{}, { keepLast: 0 }, { keepLast: 1.5 }, { olderThan: "yesterday" }]) {
    await expect(expire(db, policy)).rejects.toSatisfy(failing("bad-spec"));
  }
});

test("a numbered database gets a version more, with the same contents", async () => {
  const { store, db, history } = await withPast(14, { config: { ...TINY, manifestKind: "numbered" } });
  const head = (await db.head())!;
  await expire(db, { keepLast: 2 });
  const left = await expectHistory(db, history);
  expect(left.at(-1)).toBe(head.generation + 1n);
  expect(await contentsOf(db, head.generation + 1n)).toEqual(history.get(head.generation));
  expect(left).toContain(head.generation);
  expect(left.length).toBeLessThan(6);
  await expectSound(store);
});

test("any policy at any length and arity leaves versions as they were, a sound tree, and room for more", async () => {
  const shape = fc.record({
    arity: fc.constantFrom(1, 2, 3),
    rounds: fc.array(
      fc.record({ commits: fc.integer({ min: 1, max: 20 }), keepLast: fc.integer({ min: 1, max: 12 }) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    tagged: fc.array(fc.nat(40), { maxLength: 3 }),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ arity, rounds, tagged, seed }) => {
      const { store, db, history } = await withPast(1, { config: { ...TINY, versionTreeArityLog2: arity } });
      const tags = new Set<bigint>();
      for (const [round, { commits, keepLast }] of rounds.entries()) {
        await grow(db, commits, seed + round, history);
        const before = await generationsOf(db);
        for (const [i, at] of tagged.entries()) {
          const generation = before[at % before.length]!;
          tags.add(generation);
          await createTag(db, `tag-${round}-${i}`, { generation });
        }
        await expire(db, { keepLast });
        const after = await expectHistory(db, history);
        expect(after.slice(-Math.min(keepLast, before.length))).toEqual(before.slice(-keepLast));
        for (const generation of tags) expect(after).toContain(generation);
      }
      await grow(db, 9, seed + 99, history);
      await expectHistory(db, history);
      await expectSound(store);
    }),
    { numRuns: 8 },
  );
});

test("a tagged version in a block that is not complete keeps what will complete it", async () => {
  const { store, db, history } = await withPast(9);
  const [first] = await generationsOf(db);
  await createTag(db, "first", { generation: first! });
  await expire(db, { keepLast: 1 });
  // Blocks of 8 and 16 close in the course of these; their nodes must be readable.
  await grow(db, 20, 3, history);
  expect(await expectHistory(db, history)).toContain(first);
  await expectSound(store);
});

test("a breakdown at any call leaves all versions or the kept ones, sound, and another run finishes", async () => {
  for (const manifestKind of ["single", "numbered"] as const) {
    const { store, history } = await withPast(7, { config: { ...TINY, manifestKind } });
    const before = (await generationsOf(await openOcdbt(store))).length;
    const calls = await atEveryCall(
      store,
      async (faulty) => {
        await expire(await openOcdbt(faulty), { keepLast: 2 });
      },
      async (left) => {
        await expectSound(left);
        const db = await openOcdbt(left);
        const found = (await expectHistory(db, history)).length;
        if (manifestKind === "single") expect(found === before || found < 5).toBe(true);
        await expire(db, { keepLast: 2 });
        expect((await expectHistory(db, history)).length).toBeLessThan(6);
        await expectSound(left);
      },
    );
    expect(calls).toBeGreaterThan(4);
  }
});

test("two at once, and commits between, lose nothing", async () => {
  const { store, db, history } = await withPast(15);
  const other = await openOcdbt(store);
  await Promise.all([expire(db, { keepLast: 3 }), expire(other, { keepLast: 4 }), grow(other, 5, 7, history)]);
  await expectHistory(db, history);
  await expectSound(store);
});

test("an aborted run rejects with the reason and leaves everything", async () => {
  const { db } = await withPast(9);
  const before = await generationsOf(db);
  const reason = new Error("enough");
  await expect(expire(db, { keepLast: 1 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await generationsOf(db)).toEqual(before);
});

test("tells how far it is", async () => {
  const { db } = await withPast(40);
  const phases = new Map<string, number>();
  await expire(db, { keepLast: 10 }, { onProgress: ({ phase, done }) => phases.set(phase, done) });
  expect([...phases.keys()]).toEqual(["reading what names versions", "reading version nodes"]);
  expect(phases.get("reading version nodes")).toBeGreaterThan(0);
});
