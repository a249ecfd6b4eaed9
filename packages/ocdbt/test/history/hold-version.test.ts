/** Who names a version while an expiry takes it out, in every order of their calls. */
import { type Key, type KvStore, keyBytes, keyText, memoryKvStore, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { isOcdbtError } from "../../src/errors.ts";
import { fork } from "../../src/fork/create.ts";
import { merge } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { log } from "../../src/history/log.ts";
import { createTag, readTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, sweep } from "../../src/upkeep/index.ts";
import { everySchedule, Scheduler } from "../support/scheduler.ts";
import { copyOf } from "../upkeep/world.ts";
import { collect, contents, put, tiny, tinyDatabase } from "./world.ts";

/** What is in data files nobody changes. */
const told = /^(manifest\.|refs\/(tags|expire)\/)/;

type Call = (kind: "read" | "write" | "list", key: string) => boolean;

/** A handle of whose calls some take turns. */
async function inTurn(scheduler: Scheduler, store: KvStore, takesTurn: Call): Promise<OcdbtDatabase> {
  const turns = scheduler.wrap(store);
  const of = (kind: "read" | "write" | "list", key: Key = ""): KvStore =>
    takesTurn(kind, keyText(keyBytes(key)) ?? "") ? turns : store;
  return await openOcdbt({
    ...turns,
    read: ((key: Key, options?: object) => of("read", key).read(key, options)) as KvStore["read"],
    write: (key, value, options) => of("write", key).write(key, value, options),
    list: (options) => of("list", options?.prefix ?? options?.range?.start).list(options),
  });
}

async function base(manifestKind: "single" | "numbered"): Promise<KvStore> {
  const store = memoryKvStore();
  const db = await tinyDatabase(store, { config: { ...tiny, manifestKind } });
  for (let i = 1; i <= 4; i++) await put(db, { a: `value ${i}` });
  return store;
}

const settled = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => undefined,
    (error) => error,
  );

/** A tag that was made leads to its version; one that was not made is not there. */
async function expectNoDanglingTag(store: KvStore, failure: unknown, where: string): Promise<void> {
  const db = await openOcdbt(store);
  const tag = await readTag(store, db.uuid, "t");
  if (failure !== undefined) {
    if (!isOcdbtError(failure, "version-not-found")) throw failure;
    expect(tag, where).toBeUndefined();
    await expect(db.at({ generation: 2n }), where).rejects.toMatchObject({ code: "version-not-found" });
  } else {
    expect(tag?.generation, where).toBe(2n);
    expect(await contents(db, { tag: "t" }), where).toEqual({ a: "value 2" });
  }
}

interface Outcomes {
  made: number;
  refused: number;
  /** Made with a version that was added. */
  added: number;
}

/** Makes a tag while its version expires, in the order of a scheduler, and checks what came of it. */
async function tagAndExpire(
  first: KvStore,
  scheduler: Scheduler,
  outcomes: Outcomes,
  expected: { readonly newest: bigint },
): Promise<void> {
  const store = await copyOf(first);
  let failure: unknown;
  let lost: unknown;
  await scheduler.run(async () => {
    let hasWritten = false;
    // What comes before the tag was written tells nobody anything.
    const tagging = await inTurn(scheduler, store, (kind, key) => {
      hasWritten ||= kind === "write" && key.startsWith("refs/tags/");
      return hasWritten && told.test(key);
    });
    let isOpen = false;
    // At last it looks for what others have left.
    const isLast: Call = (kind, key) => kind === "list" && key.startsWith("refs/expire/");
    const expiring = await inTurn(scheduler, store, (kind, key) => isOpen && told.test(key) && !isLast(kind, key));
    isOpen = true;
    [failure, lost] = await Promise.all([
      settled(createTag(tagging, "t", { generation: 2n })),
      settled(expire(expiring, { keepLast: 1 })),
    ]);
  });
  if (lost !== undefined) throw lost;
  expect(await collect(store.list({ prefix: "refs/expire/" }))).toEqual([]);
  if ((await (await openOcdbt(store)).head())!.generation > expected.newest) outcomes.added++;
  outcomes[failure === undefined ? "made" : "refused"]++;
  await expectNoDanglingTag(store, failure, `run ${outcomes.made + outcomes.refused}`);
}

test("a tag and an expiry, in every order of their calls", { timeout: 120_000 }, async () => {
  const first = await base("single");
  const outcomes = { made: 0, refused: 0, added: 0 };
  const runs = await everySchedule((scheduler) => tagAndExpire(first, scheduler, outcomes, { newest: 4n }));
  expect(outcomes.made + outcomes.refused).toBe(runs);
  expect(outcomes.made).toBeGreaterThan(10);
  expect(outcomes.refused).toBeGreaterThan(10);
  expect(outcomes.added).toBeGreaterThan(0);
});

/** More by PCG_TEST_RUNS. */
const seeds = Number(process.env["PCG_TEST_RUNS"] ?? 60);

test("a tag and an expiry of a numbered database, in orders that seeds decide", { timeout: 1000 * seeds }, async () => {
  const first = await base("numbered");
  const outcomes = { made: 0, refused: 0, added: 0 };
  for (let seed = 1; seed <= seeds; seed++) await tagAndExpire(first, new Scheduler(seed), outcomes, { newest: 5n });
  expect(Math.min(outcomes.made, outcomes.refused, outcomes.added)).toBeGreaterThan(0);
});

test.each(["single", "numbered"] as const)(
  "an expiry that is about to replace the manifest looks again (%s)",
  async (kind) => {
    const store = await base(kind);
    const db = await openOcdbt(store);
    let tagged: Promise<unknown> | undefined;
    const isCommit = (key: Uint8Array): boolean => keyText(key)!.startsWith("manifest.");
    const slow = withFaults(store, ({ kind: call, key }) => {
      if (call !== "write" || !isCommit(key!) || tagged !== undefined) return undefined;
      tagged = createTag(db, "t", { generation: 2n });
      return { kind: "delay", until: tagged };
    });
    const { heldBack } = await expire(await openOcdbt(slow), { keepLast: 1 });
    expect(heldBack).toContainEqual({ generation: 2n, reasons: ["tag t"] });
    await sweep(db, { graceMs: 0 });
    expect(await contents(await openOcdbt(store), { tag: "t" })).toEqual({ a: "value 2" });
    expect(await collect(store.list({ prefix: "refs/expire/" }))).toEqual([]);
  },
);

test("where a fork begins stays when an expiry was about to take it out", async () => {
  const store = await base("single");
  const db = await openOcdbt(store);
  let forked: Promise<unknown> | undefined;
  const slow = withFaults(store, ({ kind, key }) => {
    if (kind !== "write" || keyText(key!) !== "manifest.ocdbt" || forked !== undefined) return undefined;
    forked = fork(db, "f", { version: { generation: 2n } });
    return { kind: "delay", until: forked };
  });
  const { heldBack } = await expire(await openOcdbt(slow), { keepLast: 1 });
  expect(heldBack).toContainEqual({ generation: 2n, reasons: ["fork f begins here"] });
  await put(await openFork(store, "f"), { mine: "1" });
  expect(await merge(await openOcdbt(store), "f")).toMatchObject({ merged: true });
});

test("what a dead expiry left costs the next tag one version, and no later one anything; the next expiry removes it", async () => {
  const store = await base("single");
  const dying = withFaults(store, ({ kind, key }) =>
    kind === "write" && keyText(key!) === "manifest.ocdbt" ? { kind: "fail", thenCrash: true } : undefined,
  );
  await expect(expire(await openOcdbt(dying), { keepLast: 1 })).rejects.toThrow();
  expect(await collect(store.list({ prefix: "refs/expire/" }))).toHaveLength(1);
  const db = await openOcdbt(store);
  await createTag(db, "t", { generation: 2n });
  expect((await log(db).next()).value).toMatchObject({ generation: 5n, message: expect.stringContaining("tag t") });
  expect(await contents(db)).toEqual({ a: "value 4" });
  await createTag(db, "u", { generation: 1n });
  expect((await db.head())?.generation).toBe(5n);
  await expire(db, { keepLast: 1 });
  expect(await collect(store.list({ prefix: "refs/expire/" }))).toEqual([]);
});
