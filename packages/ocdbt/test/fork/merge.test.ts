import { type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { fork } from "../../src/fork/create.ts";
import { dropFork } from "../../src/fork/drop.ts";
import { merge, updateFork } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { readRegistration } from "../../src/fork/registry.ts";
import { pinnedGenerations } from "../../src/fork/roots.ts";
import { log } from "../../src/history/log.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire } from "../../src/upkeep/expire.ts";
import { collect, contents, put, recorded, text, tinyDatabase } from "../history/world.ts";

interface Both {
  readonly store: KvStore;
  readonly base: OcdbtDatabase;
  readonly own: OcdbtDatabase;
  readonly folder: { readonly folder?: KvStore };
}

const start = { a: "a of both", b: "b of both", c: "c of both", d: "d of both" };

async function forked(place: "inside" | "elsewhere" = "inside", store = memoryKvStore()): Promise<Both> {
  const base = await tinyDatabase(store);
  await put(base, start);
  const folder = place === "inside" ? {} : { folder: memoryKvStore() };
  await fork(base, "f", folder);
  return { store, base, own: await openFork(store, "f", folder), folder };
}

const found = (conflicts: readonly { readonly key: Uint8Array }[]) => conflicts.map(({ key }) => text(key));

test.each(["inside", "elsewhere"] as const)(
  "what a fork (%s) changed goes into its base as one version",
  async (place) => {
    const { base, own, folder } = await forked(place);
    await put(own, { a: "a of the fork", b: null });
    await put(own, { e: "e of the fork" });
    const before = await put(base, { d: "d of the base", g: "g of the base" });
    const expected = { a: "a of the fork", c: "c of both", d: "d of the base", e: "e of the fork", g: "g of the base" };
    const preview = await merge(base, "f", { ...folder, dryRun: true });
    expect(preview).toMatchObject({ merged: false, keys: 3, conflicts: [], fastForward: false });
    expect((await base.head())!.generation).toBe(before);
    const result = await merge(base, "f", { ...folder, message: "merged f" });
    expect(result).toMatchObject({ merged: true, keys: 3, conflicts: [], fastForward: false });
    expect(result.head!.generation).toBe(before + 1n);
    expect(await contents(base)).toEqual(expected);
    expect((await collect(log(base)))[0]!.message).toBe("merged f");
    expect(await contents(own)).toEqual({ a: "a of the fork", c: "c of both", d: "d of both", e: "e of the fork" });
    // Nothing new: nothing to do.
    expect(await merge(base, "f", folder)).toMatchObject({ merged: true, keys: 0, conflicts: [] });
    expect((await base.head())!.generation).toBe(before + 1n);
  },
);

test("values of a fork inside its base are referred to, not copied, and outlive the fork", async () => {
  const { store, base, own } = await forked();
  const large = "x".repeat(5000);
  await put(own, { a: large });
  const { store: counted, calls } = recorded(store);
  await merge(await openOcdbt(counted), "f");
  expect(calls.every(({ size }) => (size ?? 0) < 4000)).toBe(true);
  expect((await readRegistration(store, "f"))!.value.lendsFiles).toBe(true);
  expect(await dropFork(base, "f")).toEqual({ keptFiles: true });
  expect(await contents(await openOcdbt(store))).toEqual({ ...start, a: large });
});

test("values of a fork elsewhere are copied, and do not need it any more", async () => {
  const { store, base, own, folder } = await forked("elsewhere");
  const large = "x".repeat(5000);
  await put(own, { a: large, b: "tiny" });
  await merge(base, "f", folder);
  expect(await dropFork(base, "f", folder)).toEqual({ keptFiles: false });
  expect(await collect(folder.folder!.list())).toEqual([]);
  expect(await contents(await openOcdbt(store))).toEqual({ ...start, a: large, b: "tiny" });
});

test("keys that both changed are conflicts, unless they changed to the same", async () => {
  const { base, own } = await forked();
  await put(own, { a: "a of the fork", b: null, c: "the very same", d: null, n: "new of the fork" });
  await put(base, { a: "a of the base", b: "b of the base", c: "the very same", d: null, n: "new of the base" });
  const before = await base.head();
  const result = await merge(base, "f");
  expect(result).toMatchObject({ merged: false, head: before, fastForward: false });
  expect(found(result.conflicts)).toEqual(["a", "b", "n"]);
  const [a, b, n] = result.conflicts;
  expect([a!.ancestor?.length, a!.ours?.length, a!.theirs?.length]).toEqual([9, 13, 13]);
  expect(b!.theirs).toBeUndefined();
  expect(n!.ancestor).toBeUndefined();
  expect(await base.head()).toEqual(before);
  expect(found((await merge(base, "f", { onConflict: "ours", dryRun: true })).conflicts)).toEqual(["a", "b", "n"]);
  expect(await base.head()).toEqual(before);
});

test.each([
  ["ours", { a: "a of the base", c: "c of the fork", d: "d of both" }],
  ["theirs", { a: "a of the fork", c: "c of the fork", d: "d of both", b: "b of the fork" }],
] as const)("conflicts settled by %s", async (onConflict, expected) => {
  const { base, own } = await forked();
  await put(own, { a: "a of the fork", b: "b of the fork", c: "c of the fork" });
  await put(base, { a: "a of the base", b: null });
  const result = await merge(base, "f", { onConflict });
  expect(result.merged).toBe(true);
  expect(found(result.conflicts)).toEqual(["a", "b"]);
  expect(await contents(base)).toEqual(expected);
  // What was settled stays settled, and only what changes from now on counts.
  await put(own, { d: "d of the fork" });
  const next = await merge(base, "f");
  expect(next).toMatchObject({ merged: true, keys: 1, conflicts: [] });
  expect(await contents(base)).toEqual({ ...expected, d: "d of the fork" });
  await put(own, { c: "c again of the fork" });
  expect(await merge(base, "f")).toMatchObject({ merged: true, keys: 1, conflicts: [], fastForward: true });
});

test("a fork is brought up to date by one reference if it has not changed, key by key otherwise", async () => {
  const { store, base, own } = await forked();
  await put(base, { a: "a of the base", ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, "v"])) });
  const expected = await contents(base);
  const { store: counted, calls } = recorded(store);
  const result = await updateFork(await openOcdbt(counted), "f");
  expect(result).toMatchObject({ merged: true, fastForward: true });
  expect(calls.length).toBeLessThan(25);
  expect(await contents(own)).toEqual(expected);
  expect((await own.version())!.root).toEqual((await base.version())!.root);
  await put(own, { b: "b of the fork", c: "c of the fork" });
  await put(base, { c: "c of the base", d: null });
  expect(found((await updateFork(base, "f")).conflicts)).toEqual(["c"]);
  expect(await updateFork(base, "f", { onConflict: "ours" })).toMatchObject({
    merged: true,
    keys: 1,
    fastForward: false,
  });
  const { d: _, ...rest } = expected;
  expect(await contents(own)).toEqual({ ...rest, b: "b of the fork", c: "c of the fork" });
  // Back into the base goes all the fork changed, not only since: `c` was settled in the fork's favour.
  expect(await merge(base, "f")).toMatchObject({ merged: true, keys: 2, conflicts: [], fastForward: true });
  expect(await contents(base)).toEqual({ ...rest, b: "b of the fork", c: "c of the fork" });
});

test("what the base changed and the fork never saw is not overwritten by a later merge", async () => {
  const { base, own } = await forked();
  await put(base, { d: "d of the base" });
  await put(own, { a: "a of the fork" });
  expect((await merge(base, "f")).merged).toBe(true);
  await put(own, { d: "d of the fork" });
  expect(found((await merge(base, "f")).conflicts)).toEqual(["d"]);
});

test("what a fork changed before it was updated is merged after", async () => {
  for (const place of ["inside", "elsewhere"] as const) {
    const { base, own, folder } = await forked(place);
    await put(own, { a: "a of the fork" });
    await put(base, { b: "b of the base" });
    await updateFork(base, "f", folder);
    expect(await merge(base, "f", folder)).toMatchObject({ merged: true, keys: 1, conflicts: [] });
    expect(await contents(base)).toEqual(await contents(own));
    // Values that have a name for each side, or a copy, are no changes to anyone.
    expect((await updateFork(base, "f", folder)).conflicts).toEqual([]);
    await put(own, { a: "a again of the fork" });
    await put(base, { b: "b again of the base" });
    expect((await merge(base, "f", folder)).conflicts).toEqual([]);
    expect((await updateFork(base, "f", folder)).conflicts).toEqual([]);
    expect(await contents(own)).toEqual({ ...start, a: "a again of the fork", b: "b again of the base" });
  }
});

test("what a merge last agreed on is pinned on both sides", async () => {
  const { base, own } = await forked();
  const inFork = await put(own, { a: "a of the fork" });
  await put(own, { a: "a of the fork, later" });
  await own.at({ generation: inFork });
  const { head } = await merge(base, "f");
  await put(base, { b: "later" });
  expect((await pinnedGenerations(base)).get(head!.generation)).toEqual(["fork f last agreed here"]);
  const forkHead = (await own.head())!.generation;
  expect((await pinnedGenerations(own)).get(forkHead)).toEqual(["this fork and its base last agreed here"]);
});

test("who commits to the base during a merge is merged with too", async () => {
  const { store, base, own } = await forked();
  await put(own, { a: "a of the fork", b: "b of the fork" });
  let intrude = true;
  const slow = await openOcdbt(
    withFaults(store, ({ kind, key }) => {
      if (!(intrude && kind === "write" && text(key) === "manifest.ocdbt")) return undefined;
      intrude = false;
      return { kind: "delay", until: put(base, { b: "b of the base", g: "g of the base" }) };
    }),
  );
  const result = await merge(slow, "f");
  expect(intrude).toBe(false);
  expect(result.merged).toBe(false);
  expect(found(result.conflicts)).toEqual(["b"]);
  expect(await contents(base)).toEqual({ ...start, b: "b of the base", g: "g of the base" });
  expect((await merge(slow, "f", { onConflict: "theirs" })).merged).toBe(true);
  expect(await contents(base)).toEqual({ ...start, a: "a of the fork", b: "b of the fork", g: "g of the base" });
});

test("forks of forks merge upwards, and values stay where they are", async () => {
  const { store, base, own: one } = await forked();
  await put(one, { a: "a of the first" });
  await fork(one, "two");
  const two = await openFork(one.parts.store, "two");
  await put(two, { b: "b of the second" });
  await merge(one, "two");
  expect(await contents(one)).toMatchObject({ a: "a of the first", b: "b of the second" });
  await merge(base, "f");
  expect(await contents(await openOcdbt(store))).toEqual({ ...start, a: "a of the first", b: "b of the second" });
  await dropFork(one, "two");
  await dropFork(base, "f");
  expect(await contents(await openOcdbt(store))).toEqual({ ...start, a: "a of the first", b: "b of the second" });
});

test.each(["fail", "lose-ack", "duplicate"] as const)(
  "whatever I/O of a merge is the last (%s), the base is as before or merged, and merging again settles it",
  async (kind) => {
    for (const place of ["inside", "elsewhere"] as const) {
      for (let at = 0; ; at++) {
        const { store, base, own, folder } = await forked(place);
        await put(own, { a: "a of the fork", b: null });
        await put(base, { d: "d of the base" });
        const before = await contents(base);
        const after = { a: "a of the fork", c: "c of both", d: "d of the base" };
        let reached = false;
        const faulty = withFaults(store, ({ index }) => {
          if (index !== at) return undefined;
          reached = true;
          return { kind, thenCrash: true };
        });
        const result = await openOcdbt(faulty)
          .then((db) => merge(db, "f", folder))
          .catch(() => undefined);
        const fresh = await openOcdbt(store);
        const left = await contents(fresh);
        expect([before, after]).toContainEqual(left);
        if (result?.merged) expect(left).toEqual(after);
        expect(await merge(fresh, "f", folder)).toMatchObject({ merged: true, conflicts: [] });
        expect(await contents(fresh)).toEqual(after);
        expect(await contents(own)).toEqual({ a: "a of the fork", c: "c of both", d: "d of both" });
        if (!reached) break;
      }
    }
  },
);

test.each(["fail", "lose-ack", "duplicate"] as const)(
  "whatever I/O of updating a fork is the last (%s), it is as before or up to date, and updating again settles it",
  async (kind) => {
    for (const change of [{}, { b: "b of the fork" }]) {
      for (let at = 0; ; at++) {
        const { store, base, own } = await forked();
        await put(own, change);
        await put(base, { a: "a of the base", d: null });
        const before = await contents(own);
        const after = { ...start, ...change, a: "a of the base" } as Record<string, string>;
        delete after.d;
        const ofBase = await contents(base);
        let reached = false;
        const faulty = withFaults(store, ({ index }) => {
          if (index !== at) return undefined;
          reached = true;
          return { kind, thenCrash: true };
        });
        const result = await openOcdbt(faulty)
          .then((db) => updateFork(db, "f"))
          .catch(() => undefined);
        const left = await contents(await openFork(store, "f"));
        expect([before, after]).toContainEqual(left);
        if (result?.merged) expect(left).toEqual(after);
        const fresh = await openOcdbt(store);
        expect(await updateFork(fresh, "f")).toMatchObject({ merged: true, conflicts: [] });
        expect(await contents(await openFork(store, "f"))).toEqual(after);
        expect(await contents(fresh)).toEqual(ofBase);
        if (!reached) break;
      }
    }
  },
);

test("a fork that is not registered, or whose beginning has expired, cannot be merged", async () => {
  const { store, base, own, folder } = await forked("elsewhere");
  await put(own, { a: "1" });
  const registration = (await store.read("refs/forks/f.json"))!.value;
  await store.write("refs/forks/f.json", null);
  await expect(merge(base, "f", folder)).rejects.toMatchObject({ code: "not-found" });
  await put(base, { a: "2" });
  // Nobody holds the version any more.
  await expire(base, { keepLast: 1 });
  await store.write("refs/forks/f.json", registration);
  await expect(merge(base, "f", folder)).rejects.toMatchObject({ code: "version-not-found", message: /last agreed/ });
  await expect(merge(base, "none")).rejects.toMatchObject({ code: "not-found" });
});
