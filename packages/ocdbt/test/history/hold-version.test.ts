/** Who names a version while an expiry takes it out, in every order of their calls. */
import { type Key, type KvStore, keyBytes, keyText, memoryKvStore, withFaults } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { isOcdbtError } from "../../src/errors.ts";
import { fork } from "../../src/fork/create.ts";
import { merge } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { log } from "../../src/history/log.ts";
import { createTag, readTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, sweep } from "../../src/upkeep/index.ts";
import { everySchedule, type Scheduler } from "../support/scheduler.ts";
import { copyOf } from "../upkeep/world.ts";
import { collect, contents, put, tiny, tinyDatabase } from "./world.ts";

const told = /^(manifest\.|refs\/(tags|expire|forks)\/)/;

/**
 * A handle whose calls take turns from the first one on that `begins`: those that tell one of the other, since what is in data files
 * nobody changes.
 */
async function inTurn(
  scheduler: Scheduler,
  store: KvStore,
  begins: (kind: "read" | "write" | "list", key: string) => boolean,
): Promise<OcdbtDatabase> {
  const turns = scheduler.wrap(store);
  let hasBegun = false;
  const of = (kind: "read" | "write" | "list", key: Key = ""): KvStore => {
    const name = keyText(keyBytes(key)) ?? "";
    hasBegun ||= begins(kind, name);
    return hasBegun && told.test(name) ? turns : store;
  };
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

/** Numbered ones have some thousand orders: all of them by PCG_TEST_ALL=1. */
const kinds = process.env["PCG_TEST_ALL"] ? (["single", "numbered"] as const) : (["single"] as const);

describe.each(kinds)("a %s database", (manifestKind) => {
  test("a tag and an expiry, in every order", { timeout: 600_000 }, async () => {
    const first = await base(manifestKind);
    const outcomes = { made: 0, refused: 0, added: 0 };
    const runs = await everySchedule(async (scheduler) => {
      const store = await copyOf(first);
      let failure: unknown;
      let lost: unknown;
      await scheduler.run(async () => {
        const tagging = await inTurn(scheduler, store, (kind, key) => kind === "write" && key.startsWith("refs/tags/"));
        let isOpen = false;
        const expiring = await inTurn(scheduler, store, () => isOpen);
        isOpen = true;
        [failure, lost] = await Promise.all([
          settled(createTag(tagging, "t", { generation: 2n })),
          settled(expire(expiring, { keepLast: 1 })),
        ]);
      });
      if (lost !== undefined) throw lost;
      expect(await collect(store.list({ prefix: "refs/expire/" }))).toEqual([]);
      const newest = (await (await openOcdbt(store)).head())!.generation;
      if (newest > (manifestKind === "single" ? 4n : 5n)) outcomes.added++;
      outcomes[failure === undefined ? "made" : "refused"]++;
      await expectNoDanglingTag(store, failure, `run ${outcomes.made + outcomes.refused}`);
    });
    expect(outcomes.made + outcomes.refused).toBe(runs);
    expect(outcomes.made).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(outcomes.added).toBeGreaterThan(0);
  });
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
