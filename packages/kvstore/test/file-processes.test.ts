import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyText, readValue } from "@pcg/kvstore";
import { fileKvStore, sweepLocks } from "@pcg/kvstore/file";
import { Random } from "@pcg/testkit";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { buildChild, type Child, startChild } from "./child-process.ts";

let module: string;
let folder: string;
beforeAll(async () => {
  module = await buildChild();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvstore-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Waits for every child, also when one fails: they must not outlive their folder. */
async function all(children: readonly Child[]): Promise<void> {
  const ends = await Promise.allSettled(children.map((child) => child.done()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

test.each(["fsync", "no fsync", "lockfile"])(
  "increments by four processes under conditions are exact (%s)",
  async (mode) => {
    const children = [1, 2, 3, 4].map(() => startChild(module, ["increment", folder, "25", mode]));
    await all(children);
    expect(Buffer.from((await readValue(fileKvStore(folder), "deep/counter"))!).toString()).toBe("100");
    expect(await readdir(join(folder, "deep"))).toEqual(["counter"]);
  },
);

test("whatever write a SIGKILL hits, readers see a whole value, no acknowledged write is lost, and work goes on", async () => {
  const random = new Random(5);
  const store = fileKvStore(folder);
  let next = 0;
  let sawLeftovers = 0;
  /** Which write each of the three keys was last seen to hold. */
  const present: (number | undefined)[] = [undefined, undefined, undefined];
  for (let round = 0; round < 12; round++) {
    const child = startChild(module, ["write", folder, String(next)]);
    const acknowledged: number[] = [];
    child.lines.on("line", (line) => line !== "started" && acknowledged.push(Number(line)));
    await child.nextLine();
    // After an acknowledgement the next write is begun at once, and cut off somewhere.
    const count = random.between(0, 8);
    await vi.waitUntil(() => acknowledged.length >= count, { interval: 1, timeout: 20_000 });
    await child.kill();
    const last = acknowledged.at(-1) ?? next - 1;
    for (const slot of [0, 1, 2]) {
      const mine = acknowledged.filter((i) => i % 3 === slot).at(-1);
      const inFlight = (last + 1) % 3 === slot ? last + 1 : undefined;
      const possible = [mine ?? present[slot], inFlight];
      const found = await readValue(store, `key/${slot}`);
      if (found === undefined) {
        expect(possible).toContain(undefined);
        continue;
      }
      const byte = found[0]!;
      expect(found.length).toBe(100_000 + byte);
      expect(found.every((other) => other === byte)).toBe(true);
      present[slot] = possible.find((i) => i !== undefined && i % 251 === byte);
      expect(present[slot], `slot ${slot}: ${byte} of ${possible}`).toBeDefined();
    }
    const names = await readdir(join(folder, "key")).catch(() => []);
    sawLeftovers += names.filter((name) => name.endsWith(".__lock")).length;
    const listed: (string | undefined)[] = [];
    for await (const { key } of store.list()) listed.push(keyText(key));
    expect(listed.every((key) => /^key\/[012]$/.test(key!))).toBe(true);
    next = last + 2;
  }
  expect(sawLeftovers).toBeGreaterThan(0);
  const fresh = fileKvStore(folder);
  for (const slot of [0, 1, 2]) {
    const generation = (await fresh.read(`key/${slot}`))?.generation ?? null;
    expect((await fresh.write(`key/${slot}`, Uint8Array.of(slot), { ifGeneration: generation })).written).toBe(true);
  }
  expect((await readdir(join(folder, "key"))).sort()).toEqual(["0", "1", "2"]);
});

/** Waits until a writer has come so far that only the lock is missing. */
async function unfinishedValue(): Promise<void> {
  await expect.poll(() => readdir(folder), { interval: 1 }).toContainEqual(expect.stringMatching(/^key_[0-9a-f]{16}/));
}

test("a living holder of a lock is waited for, a killed one is not", async () => {
  const store = fileKvStore(folder);
  await store.write("key", Uint8Array.of(1));
  const child = startChild(module, ["hold", folder, join(folder, "key.__lock")]);
  expect(await child.nextLine()).toBe("held");

  const reason = new Error("waited long enough");
  const controller = new AbortController();
  const waiting = store.write("key", Uint8Array.of(2), { signal: controller.signal });
  await unfinishedValue();
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(1));
  expect((await readdir(folder)).sort()).toEqual(["key", "key.__lock"]);

  const patient = store.write("key", Uint8Array.of(3));
  await unfinishedValue();
  await child.kill();
  await patient;
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(3));
  expect(await readdir(folder)).toEqual(["key"]);
});

test("a value that is replaced many times a second keeps its lock file until it rests", async () => {
  const store = fileKvStore(folder, { fsync: false });
  const others = fileKvStore(folder, { fsync: false });
  await store.write("a/key", Uint8Array.of(1));
  const inodes = new Set<number>();
  for (let i = 0; i < 40; i++) {
    await (i % 4 === 3 ? others : store).write("a/key", Uint8Array.of(i));
    const lock = await stat(join(folder, "a/key.__lock")).catch(() => undefined);
    if (lock !== undefined) inodes.add(lock.ino);
  }
  expect(inodes.size).toBeGreaterThan(0);
  // What is kept is not locked: whoever tidies up removes it, and the next write makes another.
  await store.deleteRange({ start: new Uint8Array(0) });
  expect(await readdir(folder)).toEqual([]);
  const children = [1, 2].map(() => startChild(module, ["increment", folder, "20", "no fsync"]));
  for (let i = 0; i < 40; i++) await store.write("deep/other", Uint8Array.of(i));
  await all(children);
  await expect.poll(() => readdir(join(folder, "deep")), { interval: 20 }).toEqual(["counter", "other"]);
  expect(Buffer.from((await readValue(store, "deep/counter"))!).toString()).toBe("40");
});

test("what nobody else writes is written without a lock, and seen by nobody before it is whole", async () => {
  const child = startChild(module, ["hold", folder, join(folder, "5ed0.__lock")]);
  expect(await child.nextLine()).toBe("held");
  const store = fileKvStore(folder);
  const value = new Uint8Array(5_000_000).fill(1);
  const made = store.write("5ed0", value, { ifGeneration: null, unique: true });
  for (let isMade = false; !isMade; ) {
    const size = await stat(join(folder, "5ed0")).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== undefined) expect(size).toBe(value.length);
    isMade = await Promise.race([made.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
  }
  expect((await readdir(folder)).sort()).toEqual(["5ed0", "5ed0.__lock"]);
  await child.kill();
});

test("a hold ends with its process, and one of a process keeps those of others waiting", async () => {
  const store = fileKvStore(folder);
  await store.write("key", Uint8Array.of(1));
  const child = startChild(module, ["hold", folder, join(folder, "key.__lock")]);
  expect(await child.nextLine()).toBe("held");
  let isHeld = false;
  const waiting = store.hold!("key").finally(() => {
    isHeld = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isHeld).toBe(false);
  await child.kill();
  const hold = await waiting;
  const another = startChild(module, ["increment", folder, "1", "no fsync"]);
  await another.done();
  expect((await store.write("key", Uint8Array.of(2), { hold: hold! })).written).toBe(true);
});

test("a process that may have few files open reads any number of them at once, and writes", async () => {
  const child = startChild(module, ["many", folder, "300", "no fsync"], 100);
  expect(await child.nextLine()).toBe("300");
  await child.done();
});

test("a sweep spares the unfinished values of the living and removes those of the dead", async () => {
  await mkdir(join(folder, "dir"));
  await writeFile(join(folder, "dir/_00112233aabbccdd.__lock"), "half a val");
  await writeFile(join(folder, "dir/other.__lock"), "");
  const held = join(folder, "dir/_ffffffffffffffff.__lock");
  const child = startChild(module, ["hold", folder, held]);
  await child.nextLine();
  await fileKvStore(folder).write("dir/key", Uint8Array.of(1));
  expect((await readdir(join(folder, "dir"))).sort()).toEqual(["_ffffffffffffffff.__lock", "key"]);
  await child.kill();
  await fileKvStore(folder).deleteRange({ start: new Uint8Array(0) });
  expect(await readdir(folder)).toEqual([]);
});

test("writers in folders that others empty at the same time lose nothing", async () => {
  const children = ["a", "a0", "b"].map((own) => startChild(module, ["churn", folder, "60", own]));
  await all(children);
  expect(await readdir(folder)).toEqual([]);
});

test("a lock file keeps others out until its holder is dead for a minute", async () => {
  const store = fileKvStore(folder, { locking: "lockfile" });
  await store.write("key", Uint8Array.of(1));
  const lock = join(folder, "key.__lock");
  const child = startChild(module, ["hold", folder, lock, "lockfile"]);
  expect(await child.nextLine()).toBe("held");
  const longAgo = new Date(Date.now() - 61_000);
  // Old, but its holder lives, which the kernel knows.
  await utimes(lock, longAgo, longAgo);
  const controller = new AbortController();
  const waiting = store.write("key", Uint8Array.of(2), { signal: controller.signal });
  const patient = fileKvStore(folder).write("key", Uint8Array.of(3));
  await unfinishedValue();
  controller.abort(new Error("waited"));
  await expect(waiting).rejects.toThrow("waited");
  await child.kill();
  // Mode "os" does not wait for the dead.
  await patient;
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(3));

  await writeFile(lock, "of a killed TensorStore");
  const late = store.write("key", Uint8Array.of(4));
  await unfinishedValue();
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(3));
  await utimes(lock, longAgo, longAgo);
  await late;
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(4));
  expect(await readdir(folder)).toEqual(["key"]);
});

test("a holder whose lock file was taken for abandoned changes nothing, and says so", async () => {
  const store = fileKvStore(folder, { locking: "lockfile", fsync: false });
  await store.write("key", Uint8Array.of(1));
  const thief = startChild(module, ["steal", folder, join(folder, "key.__lock")]);
  expect(await thief.nextLine()).toBe("started");
  const ends = new Set<string>();
  for (let i = 0; i < 3000 && !ends.has("transient"); i++) {
    const { generation } = (await store.read("key"))!;
    const end = await store.write("key", Uint8Array.of(i), { ifGeneration: generation }).then(
      ({ written }) => String(written),
      (error: { code: string }) => error.code,
    );
    if (end === "transient") expect((await store.read("key"))!.generation).toBe(generation);
    ends.add(end);
  }
  await thief.kill();
  expect(ends).toContain("transient");
  expect([...ends].every((end) => end === "transient" || end === "true")).toBe(true);
});

test("sweepLocks removes what killed writers left in folders that nobody writes to again", async () => {
  const child = startChild(module, ["write", folder, "0"]);
  await child.nextLine();
  await child.nextLine();
  await child.kill();
  await mkdir(join(folder, "old/deep"), { recursive: true });
  await writeFile(join(folder, "old/deep/x.__lock"), "");
  await writeFile(join(folder, "old/deep/x_0011223344556677.__lock"), "half");
  await writeFile(join(folder, "old/deep/value"), "stays");
  const holder = startChild(module, ["hold", folder, join(folder, "old/y.__lock")]);
  await holder.nextLine();
  const before = await locks();
  expect(before.length).toBeGreaterThanOrEqual(3);

  expect(await sweepLocks(folder)).toBe(0);
  expect(await sweepLocks(folder, { minAgeMs: 0 })).toBe(before.length - 1);
  expect(await locks()).toEqual(["old/y.__lock"]);
  await holder.kill();
  expect(await sweepLocks(folder, { locking: "lockfile" })).toBe(0);
  const anHourAgo = new Date(Date.now() - 3_601_000);
  await utimes(join(folder, "old/y.__lock"), anHourAgo, anHourAgo);
  expect(await sweepLocks(folder, { locking: "lockfile" })).toBe(1);
  expect(await readdir(join(folder, "old"), { recursive: true })).toEqual(["deep", "deep/value"]);
  expect(await sweepLocks(join(folder, "not there"))).toBe(0);

  async function locks(): Promise<string[]> {
    return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".__lock"));
  }
});
