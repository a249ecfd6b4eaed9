/** Forks as PyChunkedGraph makes them: the manifest copied, one prefix for all new data files, nobody told. */
import { type KvStore, kvStack, memoryKvStore, withPrefix } from "@pcg/kvstore";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { mergeUnregistered } from "../../src/fork/merge-unregistered.ts";
import { restoreKeys } from "../../src/history/restore.ts";
import { createTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire, fsck, sweep } from "../../src/upkeep/index.ts";
import { contents, put, recorded, text, tiny, tinyDatabase } from "../history/world.ts";

interface World {
  readonly store: KvStore;
  readonly base: OcdbtDatabase;
  readonly stack: KvStore;
  readonly fork: OcdbtDatabase;
}

const prefix = "7_d/";

/** A base of 20 versions, forked by hand at the last. */
async function byHand(): Promise<World> {
  const root = memoryKvStore();
  const store = withPrefix(root, "ocdbt/base/");
  const base = await tinyDatabase(store);
  for (let i = 1; i <= 20; i++) await put(base, { [`k${i}`]: `a longer value ${i}`, all: `of base ${i}` });
  const folder = withPrefix(root, "ocdbt/7/");
  await folder.write("manifest.ocdbt", (await store.read("manifest.ocdbt"))!.value);
  const stack = kvStack([
    { store },
    { store: folder, exact: "manifest.ocdbt", stripPrefix: 0 },
    { store: folder, prefix, stripPrefix: 0 },
  ]);
  return { store, base, stack, fork: await openOcdbt(stack, { dataPrefix: prefix, create: false }) };
}

const found = (conflicts: readonly { readonly key: Uint8Array }[]) => conflicts.map(({ key }) => text(key));

test("what such a fork changed goes into its base, from the version that both histories have", async () => {
  const { store, base, fork, stack } = await byHand();
  expect(fork.uuid).toBe(base.uuid);
  await put(fork, { k3: "changed in the fork", tiny: "x", k5: null });
  await put(base, { k9: "changed in the base" });
  const expected = { ...(await contents(base)), k3: "changed in the fork", tiny: "x" } as Record<string, string>;
  delete expected["k5"];
  const preview = await mergeUnregistered(base, fork, { dryRun: true });
  expect(preview).toMatchObject({
    merged: false,
    keys: 3,
    conflicts: [],
    agreed: { on: "base", fork: 20n, base: 20n },
  });
  const result = await mergeUnregistered(base, fork, { message: "merged 7" });
  expect(result).toMatchObject({ merged: true, keys: 3, conflicts: [], fastForward: false });
  expect(result.agreed).toEqual({ on: "fork", fork: 21n, base: 22n });
  expect(await contents(base)).toEqual(expected);
  // The base needs nothing of the fork.
  for await (const { key } of stack.list({ prefix })) await stack.write(key, null);
  await stack.write("manifest.ocdbt", null);
  expect(await contents(await openOcdbt(store))).toEqual(expected);
  expect((await fsck(store, { deep: true })).findings.filter(({ severity }) => severity !== "note")).toEqual([]);
});

test("values in files that the base has are referred to, others are copied", async () => {
  const { store, base, fork } = await byHand();
  await put(fork, { own: "x".repeat(5000) });
  const { store: counted, calls } = recorded(store);
  const merged = await mergeUnregistered(await openOcdbt(counted), fork);
  expect(merged).toMatchObject({ merged: true, keys: 1 });
  expect(calls.some(({ kind, size }) => kind === "write" && (size ?? 0) > 3000)).toBe(true);
  // Restored in the fork from an older version: its file is the base's.
  await restoreKeys(fork, { generation: 10n }, { keys: ["all"] });
  calls.length = 0;
  const next = await mergeUnregistered(await openOcdbt(counted), fork, { agreed: merged.agreed });
  expect(next).toMatchObject({ merged: true, keys: 1 });
  expect((await contents(base))["all"]).toBe("of base 10");
  expect(calls.every(({ kind, size }) => kind !== "write" || (size ?? 0) < 3000)).toBe(true);
});

test("a second merge goes on from what the first answered", async () => {
  const { base, fork } = await byHand();
  await put(fork, { k3: "first change" });
  const { agreed } = await mergeUnregistered(base, fork);
  await put(fork, { k3: "second change" });
  await put(base, { k4: "of the base" });
  // Without it the key is in conflict with what was merged of it.
  expect(found((await mergeUnregistered(base, fork)).conflicts)).toEqual(["k3"]);
  expect(await mergeUnregistered(base, fork, { agreed })).toMatchObject({ merged: true, keys: 1, conflicts: [] });
  expect((await contents(base))["k3"]).toBe("second change");
});

test("keys that both changed are conflicts, and nothing is merged unless told how", async () => {
  const { base, fork } = await byHand();
  await put(fork, { k3: "in the fork", k4: "only the fork" });
  await put(base, { k3: "in the base" });
  const before = await base.head();
  const refused = await mergeUnregistered(base, fork);
  expect([refused.merged, found(refused.conflicts), refused.head]).toEqual([false, ["k3"], before]);
  await mergeUnregistered(base, fork, { onConflict: "theirs" });
  expect((await contents(base))["k3"]).toBe("in the fork");
});

test("the version where it began may have expired; with nothing in common it must be told", async () => {
  const { store, base, stack, fork } = await byHand();
  await put(fork, { k3: "in the fork" });
  await put(base, { k9: "in the base" });
  await put(base, { k10: "in the base" });
  await createTag(base, "kept", { generation: 12n });
  await expire(base, { keepLast: 1 });
  await sweep(base, { graceMs: 0, unregistered: [stack] });
  // It ends the block of the tagged version.
  expect((await mergeUnregistered(base, fork, { dryRun: true })).agreed).toEqual({ on: "base", fork: 16n, base: 16n });
  expect(await mergeUnregistered(base, fork)).toMatchObject({ merged: true, conflicts: [] });
  expect((await contents(base))["k3"]).toBe("in the fork");
  const stranger = await openOcdbt(memoryKvStore(), { config: tiny });
  await put(stranger, { a: "1" });
  await expect(mergeUnregistered(base, stranger)).rejects.toMatchObject({ code: "version-not-found" });
  expect((await fsck(store)).isSound).toBe(true);
});
