import { memoryKvStore, withFaults, withPrefix } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { fork } from "../../src/fork/create.ts";
import { dropFork } from "../../src/fork/drop.ts";
import { listForks, openFork, publishedSpec } from "../../src/fork/open.ts";
import { readRegistration } from "../../src/fork/registry.ts";
import { pinnedGenerations } from "../../src/fork/roots.ts";
import { diffBetween } from "../../src/history/diff.ts";
import { log } from "../../src/history/log.ts";
import { createTag } from "../../src/history/tags.ts";
import { versions } from "../../src/history/versions.ts";
import { openOcdbt } from "../../src/open.ts";
import { expire } from "../../src/upkeep/expire.ts";
import { bytes, collect, contents, put, recorded, text, tiny, tinyDatabase } from "../history/world.ts";

async function keysOf(store: ReturnType<typeof memoryKvStore>): Promise<string[]> {
  return (await collect(store.list())).map(({ key }) => text(key)!);
}

test("a fork begins as its base and then each goes its own way", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "1", b: "a longer value" });
  const at = await base.head();
  const registration = await fork(base, "g7");
  expect(registration).toMatchObject({ id: "g7", base: { uuid: base.uuid, ...at }, location: { path: "forks/g7/" } });
  const own = await openFork(store, "g7");
  expect(await contents(own)).toEqual({ a: "1", b: "a longer value" });
  expect(await own.head()).toEqual(at);
  const inFork = await put(own, { a: "a value of the fork", c: "3" });
  const inBase = await put(base, { b: "a value of the base" });
  expect(inFork).toBe(inBase);
  expect(await contents(own)).toEqual({ a: "a value of the fork", b: "a longer value", c: "3" });
  expect(await contents(base)).toEqual({ a: "1", b: "a value of the base" });
  expect(await contents(own, { generation: at!.generation })).toEqual({ a: "1", b: "a longer value" });
  expect(own.uuid).not.toBe(base.uuid);
  expect(own.uuid).toBe(registration.uuid);
});

test("what a fork writes lands in its folder alone", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  for (let i = 0; i < 9; i++) await put(base, { [`a${i}`]: "a longer value" });
  await fork(base, "g7", { version: { generation: 5n } });
  const before = await keysOf(store);
  const own = await openFork(store, "g7");
  for (let i = 0; i < 9; i++) await put(own, { [`b${i}`]: "a longer value" }, { message: "m" });
  await createTag(own, "t");
  await own.parts.store.write("coordinator/lease.json", bytes("{}"));
  const added = (await keysOf(store)).filter((key) => !before.includes(key));
  expect(
    added.filter(
      (key) => !/^forks\/g7\/(g7_d\/[0-9a-f]{32}|refs\/(log|tags)\/[\w-]+\.json|coordinator\/lease\.json)$/.test(key),
    ),
  ).toEqual([]);
  expect(
    before.filter((key) => key.startsWith("forks/") && !/^forks\/g7\/(manifest\.ocdbt|g7_d\/|refs\/origin-)/.test(key)),
  ).toEqual([]);
});

test("making a fork takes as many requests for many keys as for few", async () => {
  const counts: number[] = [];
  for (const keys of [10, 3000]) {
    const store = memoryKvStore();
    const writer = await tinyDatabase(store);
    await put(writer, Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, `value ${i}`])));
    const { store: counted, calls } = recorded(store);
    await fork(await openOcdbt(counted), "f");
    counts.push(calls.length);
  }
  expect(counts[1]).toBe(counts[0]);
});

test("a fork at a version knows the versions before it and none after", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  const states: Record<string, string>[] = [];
  for (let i = 0; i < 40; i++) {
    await put(base, { [`k${i % 5}`]: `value ${i}`, i: String(i) });
    states.push(await contents(base));
  }
  for (const at of [1, 2, 3, 4, 15, 16, 17, 31, 32, 33, 39]) {
    const generation = (await base.head())!.generation - 39n + BigInt(at);
    await fork(base, `f${at}`, { version: { generation } });
    const own = await openFork(store, `f${at}`);
    expect(await contents(own)).toEqual(states[at]);
    expect((await collect(versions(own))).length).toBe(Number(generation));
    for (let i = 0; i <= at; i++) {
      expect(await contents(own, { generation: generation - BigInt(at - i) })).toEqual(states[i]);
    }
    await expect(own.at({ generation: generation + 1n })).rejects.toMatchObject({ code: "version-not-found" });
    for (let i = 0; i < 5; i++) await put(own, { own: String(i) });
    expect(await contents(own)).toEqual({ ...states[at], own: "4" });
    expect(await contents(own, { generation })).toEqual(states[at]);
  }
  expect(await contents(base)).toEqual(states[39]);
});

test("a fork can be made at whatever version expiry has left, with what is left before it", async () => {
  for (const arity of [1, 2, 4]) {
    const store = memoryKvStore();
    const base = await tinyDatabase(store, { config: { ...tiny, versionTreeArityLog2: arity } });
    const states = new Map<bigint, Record<string, string>>();
    for (let i = 0; i < 45; i++) states.set(await put(base, { [`k${i % 5}`]: `value ${i}` }), await contents(base));
    for (const generation of [3n, 8n, 9n, 17n, 31n]) await createTag(base, `g${generation}`, { generation });
    await expire(base, { keepLast: 6 });
    const kept = (await collect(versions(base))).map(({ generation }) => generation);
    expect(kept.length).toBeLessThan(45);
    for (const generation of kept) {
      await fork(base, `f${generation}`, { version: { generation } });
      const own = await openFork(store, `f${generation}`);
      const before = kept.filter((other) => other <= generation);
      expect((await collect(versions(own))).map((version) => version.generation)).toEqual(before);
      for (const other of before) expect(await contents(own, { generation: other })).toEqual(states.get(other));
      for (let i = 0; i < 2 ** arity + 1; i++) await put(own, { own: String(i) });
      const grown = await openFork(store, `f${generation}`);
      expect(await contents(grown)).toEqual({ ...states.get(generation), own: String(2 ** arity) });
      expect((await collect(versions(grown))).length).toBe(before.length + 2 ** arity + 1);
    }
  }
});

test("a fork can be made at a tag or a time, with a configuration of its own", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "1" });
  await createTag(base, "t");
  const time = (await base.head())!.commitTime;
  await put(base, { a: "2" });
  await fork(base, "tagged", {
    version: { tag: "t" },
    config: { maxInlineValueBytes: 1000, maxDecodedNodeBytes: 9999 },
  });
  await fork(base, "timed", { version: { time } });
  const tagged = await openFork(store, "tagged");
  expect(await contents(tagged)).toEqual({ a: "1" });
  expect(tagged.config).toMatchObject({ ...tiny, maxInlineValueBytes: 1000, maxDecodedNodeBytes: 9999 });
  expect(await contents(await openFork(store, "timed"))).toEqual({ a: "1" });
});

test("a fork in a folder of its own", async () => {
  const store = memoryKvStore("memory://base/");
  const elsewhere = memoryKvStore("memory://fork/");
  const base = await tinyDatabase(store);
  await put(base, { a: "1", b: "a longer value" });
  await fork(base, "x", { folder: elsewhere });
  const before = await keysOf(store);
  const own = await openFork(store, "x", { folder: elsewhere });
  await put(own, { a: "a value of the fork" });
  expect(await contents(own)).toEqual({ a: "a value of the fork", b: "a longer value" });
  expect(await keysOf(store)).toEqual(before);
  await expect(openFork(store, "x")).rejects.toMatchObject({
    code: "bad-spec",
    fields: { id: "x", url: "memory://fork/" },
  });
  expect(await collect(listForks(store))).toMatchObject([{ id: "x", state: "unreachable" }]);
  const openFolder = () => withPrefix({ ...elsewhere, ...borrow(elsewhere) }, "");
  expect(await collect(listForks(store, { openFolder }))).toMatchObject([{ id: "x", state: "ready" }]);
  await own.close();
  expect(await contents(base)).toEqual({ a: "1", b: "a longer value" });
});

function borrow(store: ReturnType<typeof memoryKvStore>) {
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: store.read.bind(store),
    write: store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: async () => {},
  };
}

test("a fork of a fork sees all three, and its log goes back through them", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "of the base" }, { message: "base" });
  await fork(base, "one");
  const one = await openFork(store, "one");
  await put(base, { a: "newer of the base" }, { message: "base, later" });
  await put(one, { b: "of the first" }, { message: "one" });
  await fork(one, "two");
  const two = await openFork(one.parts.store, "two");
  await put(one, { b: "newer of the first" }, { message: "one, later" });
  await put(two, { c: "of the second" }, { message: "two" });
  expect(await contents(two)).toEqual({ a: "of the base", b: "of the first", c: "of the second" });
  expect((await collect(log(two))).flatMap(({ message }) => message ?? [])).toEqual(["two", "one", "base"]);
  expect((await collect(log(one))).flatMap(({ message }) => message ?? [])).toEqual(["one, later", "one", "base"]);
  await expect(dropFork(base, "one")).rejects.toMatchObject({ code: "unsafe", fields: { id: "one", inner: "two" } });
  await expect(fork(one, "one")).rejects.toMatchObject({ code: "unsafe" });
});

test("fork and base are compared by what they do not share", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${10000 + i}`, `value ${i}`])));
  await fork(base, "f");
  await put(await openFork(store, "f"), { k10500: "of the fork" });
  await put(base, { k11500: "of the base" });
  const { store: counted, calls } = recorded(store);
  const [db, own] = [await openOcdbt(counted), await openFork(counted, "f")];
  const changes = await collect(diffBetween({ db }, { db: own }));
  expect(changes.map(({ kind, key }) => `${kind} ${text(key)}`)).toEqual(["changed k10500", "changed k11500"]);
  expect(calls.length).toBeLessThan(80);
});

test("forks that exist, or would be somebody else's, are refused", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await expect(fork(base, "f")).rejects.toMatchObject({ code: "version-not-found" });
  await put(base, { a: "1" });
  await fork(base, "f");
  await expect(fork(base, "f")).rejects.toMatchObject({ code: "already-exists", fields: { id: "f" } });
  await expect(fork(base, "f", { folder: memoryKvStore() })).rejects.toMatchObject({ code: "already-exists" });
  await expect(fork(base, "n", { version: { generation: 99n } })).rejects.toMatchObject({ code: "version-not-found" });
  for (const id of ["", "a/b", "..", "manifest.", "manifest.x", "é", "x".repeat(65)]) {
    await expect(fork(base, id), id).rejects.toMatchObject({ code: "bad-spec", fields: { id } });
  }
  await expect(fork(base, "c", { config: { maxInlineValueBytes: 2 ** 21 } })).rejects.toMatchObject({
    code: "bad-spec",
  });
  expect(await readRegistration(store, "c")).toBeUndefined();
  await store.write("own_d/x", bytes("x"));
  await expect(fork(base, "own")).rejects.toMatchObject({ code: "unsafe" });
  await expect(openFork(store, "none")).rejects.toMatchObject({ code: "not-found", fields: { id: "none" } });
  await expect(publishedSpec(store, "none")).rejects.toMatchObject({ code: "not-found" });
});

test("of many who make a fork at once one succeeds, and it is the one that is registered", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  for (let i = 0; i < 5; i++) await put(base, { a: String(i) });
  const results = await Promise.allSettled(
    [1, 2, 3, 4].map(async (ancestor) => await fork(await openOcdbt(store), "f", { version: { ancestor } })),
  );
  const made = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(made.length).toBe(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason.code).toBe("already-exists");
  expect((await openFork(store, "f")).uuid).toBe(made[0]!.uuid);
  expect((await readRegistration(store, "f"))!.value).toEqual(made[0]);
});

test("a numbered base cannot be forked", async () => {
  const base = await tinyDatabase(undefined, { config: { ...tiny, manifestKind: "numbered" } });
  await put(base, { a: "1" });
  await expect(fork(base, "f")).rejects.toMatchObject({ code: "unsupported", message: /numbered manifests/ });
});

test("a missing fork is told before anything is read", async () => {
  const { store, calls } = recorded(memoryKvStore());
  await put(await tinyDatabase(store), { a: "1" });
  calls.length = 0;
  await expect(openFork(store, "f")).rejects.toMatchObject({ code: "not-found", message: /Make the fork first/ });
  await expect(openFork(store, "f", { folder: withPrefix(store, "forks/f/") })).rejects.toMatchObject({
    code: "not-found",
  });
  expect(calls.map(({ key }) => text(key))).toEqual(["refs/forks/f.json", "forks/f/manifest.ocdbt"]);
});

test("tags, forks and merges pin versions; unreadable sidecars are unsafe", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  const first = await put(base, { a: "1" });
  const second = await put(base, { a: "2" });
  await put(base, { a: "3" });
  await createTag(base, "t", { generation: first });
  await fork(base, "f", { version: { generation: second } });
  expect([...(await pinnedGenerations(base))]).toEqual([
    [first, ["tag t"]],
    [second, ["fork f begins here"]],
  ]);
  const own = await openFork(store, "f");
  expect([...(await pinnedGenerations(own))]).toEqual([[second, ["this fork begins here"]]]);
  await store.write("refs/forks/torn.json", bytes("{"));
  await expect(pinnedGenerations(base)).rejects.toMatchObject({ code: "unsafe", cause: { code: "corrupt" } });
  expect(await collect(listForks(store))).toMatchObject([
    { id: "f", state: "ready" },
    { id: "torn", state: "unreadable" },
  ]);
});

test("a dropped fork leaves nothing, and its base as it was", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "1", b: "a longer value" });
  const before = await keysOf(store);
  await fork(base, "f");
  await put(await openFork(store, "f"), { a: "a value of the fork" });
  expect(await dropFork(base, "f")).toEqual({ keptFiles: false });
  expect(await keysOf(store)).toEqual(before);
  await expect(dropFork(base, "f")).rejects.toMatchObject({ code: "not-found" });
  await fork(base, "f");
  expect(await contents(await openFork(store, "f"))).toEqual({ a: "1", b: "a longer value" });
});

test("the folder of another database is not dropped", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "1" });
  await fork(base, "f", { folder: memoryKvStore() });
  await expect(dropFork(base, "f", { folder: store })).rejects.toMatchObject({
    code: "unsafe",
    fields: { found: base.uuid },
  });
  await expect(dropFork(base, "f")).rejects.toMatchObject({ code: "bad-spec" });
  expect(await contents(base)).toEqual({ a: "1" });
  expect((await readRegistration(store, "f"))!.value.dropping).toBe(false);
});

test("a registration that leads out of its base is refused", async () => {
  const store = memoryKvStore();
  const base = await tinyDatabase(store);
  await put(base, { a: "1" });
  await fork(base, "f");
  const sound = text((await store.read("refs/forks/f.json"))!.value)!;
  for (const path of ["../x/", "forks/../../x/", "/etc/", "forks/f", "", "forks//x/"]) {
    await store.write("refs/forks/f.json", bytes(sound.replace("forks/f/", path)));
    await expect(openFork(store, "f"), path).rejects.toMatchObject({ code: "corrupt" });
  }
});

test.each(["fail", "lose-ack", "duplicate"] as const)(
  "whatever I/O of a fork is the last (%s), it is there whole or not at all, and making it again settles it",
  async (kind) => {
    for (let at = 0; ; at++) {
      const store = memoryKvStore();
      const writer = await tinyDatabase(store);
      for (let i = 0; i < 9; i++) await put(writer, { [`k${i}`]: `value ${i}` });
      const expected = await contents(writer, { generation: 6n });
      let reached = false;
      const faulty = withFaults(store, ({ index }) => {
        if (index !== at) return undefined;
        reached = true;
        return { kind, thenCrash: true };
      });
      const made = await openOcdbt(faulty)
        .then((base) => fork(base, "f", { version: { generation: 6n } }))
        .catch(() => undefined);
      const fresh = await openOcdbt(store);
      expect(await contents(fresh)).toEqual(await contents(writer));
      const found = await openFork(store, "f").catch((error: { code: string }) => error.code);
      if (made !== undefined) expect(typeof found).toBe("object");
      if (typeof found === "string") {
        expect(found).toBe("not-found");
        await fork(fresh, "f", { version: { generation: 6n } });
      } else await expect(fork(fresh, "f")).rejects.toMatchObject({ code: "already-exists" });
      const own = await openFork(store, "f");
      expect(await contents(own)).toEqual(expected);
      expect((await collect(versions(own))).length).toBe(6);
      expect((await pinnedGenerations(fresh)).has(6n)).toBe(true);
      if (!reached) break;
    }
  },
);

test.each(["fail", "lose-ack"] as const)(
  "whatever I/O of dropping a fork is the last (%s), dropping it again ends it",
  async (kind) => {
    for (let at = 0; ; at++) {
      const store = memoryKvStore();
      const base = await tinyDatabase(store);
      await put(base, { a: "1", b: "a longer value" });
      const before = await keysOf(store);
      await fork(base, "f");
      await put(await openFork(store, "f"), { a: "a value of the fork" });
      let reached = false;
      const faulty = await openOcdbt(
        withFaults(store, ({ index }) => {
          if (index !== at + 1) return undefined;
          reached = true;
          return { kind, thenCrash: true };
        }),
      );
      await dropFork(faulty, "f").catch(() => {});
      expect(await contents(base)).toEqual({ a: "1", b: "a longer value" });
      await dropFork(base, "f").catch((error: { code: string }) => expect(error.code).toBe("not-found"));
      expect(await keysOf(store)).toEqual(before);
      if (!reached) break;
    }
  },
);
