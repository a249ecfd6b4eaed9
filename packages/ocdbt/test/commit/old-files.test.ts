import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KeyHold, type KvStore, keyText, memoryKvStore } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ATTEMPTS, TIMEOUT_MS } from "../../src/coordinator/coordinated-committer.ts";
import {
  compact,
  expire,
  fork,
  fsck,
  type Mutation,
  merge,
  type OcdbtDatabase,
  openFork,
  openOcdbt,
  sweep,
} from "../../src/index.ts";
import { MAX_AGE_MS, MIN_GRACE_MS } from "../../src/io/grace.ts";
import { filesOf } from "../upkeep/world.ts";

const config = { maxInlineValueBytes: 4, maxDecodedNodeBytes: 250 };
const key = (i: number): string => `key/${String(i).padStart(2, "0")}`;
const put = (i: number, value: Uint8Array): Mutation => ({ op: "put", key: new TextEncoder().encode(key(i)), value });
const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

let passed = 0;
beforeEach(() => {
  passed = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + passed);
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface Hooks {
  /** Before the manifest is replaced for the first time. */
  readonly replacing?: () => Promise<void>;
  /** Before somebody gets the manifest to hold for the first time; without it, nobody can hold. */
  readonly holding?: () => Promise<void>;
}

function hooked(store: KvStore, { replacing, holding }: Hooks): KvStore {
  let isReplaced = false;
  let isHeld = false;
  const hold = async (): Promise<KeyHold> => {
    if (!isHeld) {
      isHeld = true;
      await holding!();
    }
    return { release: () => {} };
  };
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: store.read.bind(store) as KvStore["read"],
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: async () => {},
    async write(name, value, options) {
      if ((typeof name === "string" ? name : keyText(name)) === "manifest.ocdbt" && !isReplaced) {
        isReplaced = true;
        await replacing?.();
      }
      return await store.write(name, value, options);
    },
    ...(holding && { hold }),
  };
}

/** Two sweeps, as far apart as they must be at least; meanwhile everybody else stands still. */
async function sweepTwice(db: OcdbtDatabase, openFolder?: () => Promise<KvStore>): Promise<number> {
  const options = { graceMs: MIN_GRACE_MS, ...(openFolder && { openFolder }) };
  await sweep(db, { ...options, now: () => 0 });
  passed += MIN_GRACE_MS;
  const { removed } = await sweep(db, { ...options, now: () => MIN_GRACE_MS });
  return removed.length;
}

async function expectSweptTwice(db: OcdbtDatabase, openFolder?: () => Promise<KvStore>): Promise<void> {
  expect(await sweepTwice(db, openFolder)).toBeGreaterThan(0);
}

async function expectSound(store: KvStore): Promise<void> {
  const { findings } = await fsck(store, { deep: true });
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
}

async function world(): Promise<{ store: KvStore; other: OcdbtDatabase }> {
  const store = memoryKvStore();
  const other = await openOcdbt(store, { config });
  await other.apply(Array.from({ length: 20 }, (_, i) => put(i, filled(500, i))));
  return { store, other };
}

test("a sweep leaves files longer than any commit goes without looking at its own again, and coordinators' clients wait", () => {
  expect(MAX_AGE_MS * 3).toBeLessThanOrEqual(MIN_GRACE_MS);
  expect(ATTEMPTS * TIMEOUT_MS).toBeLessThanOrEqual(MAX_AGE_MS);
});

test("a commit that waits for the manifest longer than sweeps leave its files writes them again", async () => {
  const { store, other } = await world();
  const db = await openOcdbt(hooked(store, { holding: () => expectSweptTwice(other) }));
  await db.write(key(3), filled(700, 1));
  expect((await other.read(key(3)))?.value).toEqual(filled(700, 1));
  await expectSound(store);
});

test("a commit that waits longer, while no sweep comes by, writes nothing twice", async () => {
  const { store } = await world();
  const files = async (): Promise<number> => (await filesOf(store, "d/")).length;
  const holding = async (): Promise<void> => {
    passed += 24 * 3_600_000;
  };
  const db = await openOcdbt(hooked(store, { holding }));
  const before = await files();
  await db.write(key(3), filled(700, 1));
  expect(await files()).toBe(before + 1);
  await expectSound(store);
});

test("a commit whose files sweeps see again and again ends with an error, and nothing half done", async () => {
  const { store, other } = await world();
  const base = hooked(store, {});
  const write: KvStore["write"] = async (name, value, options) => {
    const result = await base.write(name, value, options);
    if (value !== null && keyText(name as Uint8Array)?.startsWith("d/")) await sweepTwice(other);
    return result;
  };
  const db = await openOcdbt({ ...base, write });
  await expect(db.write(key(3), filled(700, 1))).rejects.toMatchObject({ code: "conflict" });
  expect((await other.read(key(3)))?.value).toEqual(filled(500, 3));
  await expectSound(store);
});

describe("values that were written before their commit was asked for", () => {
  const big = (i: number): string => `big/${i}`;

  async function transact(db: OcdbtDatabase): Promise<() => Promise<unknown>> {
    const transaction = await db.transaction();
    for (let i = 0; i < 30; i++) await transaction.write(big(i), filled(1000, i));
    return () => transaction.commit();
  }

  test("a transaction that was swept says so, and one that a sweep has only seen is whole", async () => {
    for (const isSwept of [true, false]) {
      passed = 0;
      const { store, other } = await world();
      const db = await openOcdbt(store, { maxStagedBytes: 3000 });
      const commit = await transact(db);
      if (isSwept) await expectSweptTwice(other);
      else await sweep(other, { graceMs: MIN_GRACE_MS, now: () => 0 });
      if (isSwept) await expect(commit()).rejects.toMatchObject({ code: "conflict" });
      else await commit();
      for (let i = 0; i < 30; i++) {
        expect((await other.read(big(i)))?.value).toEqual(isSwept ? undefined : filled(1000, i));
      }
      await expectSound(store);
      if (!isSwept) await expectSweptTwice(other);
      await expectSound(store);
    }
  });

  test("a transaction that loses a race, or waits, while it is swept says so", async () => {
    for (const when of ["replacing", "holding"] as const) {
      passed = 0;
      const { store, other } = await world();
      const meanwhile = async (): Promise<void> => {
        await other.write(key(1), filled(600, 1));
        await expectSweptTwice(other);
      };
      const db = await openOcdbt(hooked(store, { [when]: meanwhile }), { maxStagedBytes: 3000 });
      const commit = await transact(db);
      await expect(commit()).rejects.toMatchObject({
        code: "conflict",
        fields: { file: expect.stringMatching(/^d\//) },
      });
      await expectSound(store);
    }
  });

  test("the record of a sweep is read once while it is the same", async () => {
    const { store, other } = await world();
    await store.write("d/0123456789abcdef0123456789abcdef", filled(9, 9));
    const answers: unknown[] = [];
    const read = async (name: string, options?: object): Promise<unknown> => {
      const found = await store.read(name, options);
      if (name === "refs/sweep.json") answers.push(typeof found === "object" ? "read" : found);
      return found;
    };
    const db = await openOcdbt({ ...hooked(store, {}), read: read as KvStore["read"] }, { maxStagedBytes: 3000 });
    const commit = async (): Promise<void> => {
      await (await transact(db))();
    };
    await commit();
    await sweep(other, { graceMs: MIN_GRACE_MS });
    await commit();
    await commit();
    await sweep(other, { graceMs: MIN_GRACE_MS });
    await commit();
    await sweep(other, { graceMs: 0 });
    await commit();
    expect(answers.slice(0, 3)).toEqual([undefined, "read", "unchanged"]);
    expect(await fsck(store, { deep: true })).toMatchObject({ isSound: true });
  });

  test("a request whose value is gone fails alone", async () => {
    const { store, other } = await world();
    const value = { file: { basePath: "", relativePath: "d/00" }, offset: 0, length: 9 };
    const lost = other.apply([{ op: "put", key: new TextEncoder().encode("lost"), value }]);
    const [outcome] = await Promise.allSettled([lost, other.write(key(0), filled(9, 9))]);
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "conflict" } });
    expect((await other.read(key(0)))?.value).toEqual(filled(9, 9));
    await expectSound(store);
  });

  test("compaction that is swept while it loses a race says so, and no key is lost", async () => {
    const { store, other } = await world();
    for (let i = 1; i < 18; i++) await other.write(key(i), filled(500, 99));
    await expire(other, { keepLast: 1 });
    const replacing = async (): Promise<void> => {
      await other.write(key(1), filled(600, 1));
      await expectSweptTwice(other);
    };
    const db = await openOcdbt(hooked(store, { replacing }));
    await expect(compact(db, { liveRatio: 0.9 })).rejects.toMatchObject({ code: "conflict" });
    await expectSound(store);
    await compact(db, { liveRatio: 0.9 });
    await expectSound(store);
  });

  test.each(["replacing", "holding"] as const)(
    "a merge that is swept while it is %s copies its values again",
    async (when) => {
      const { store, other } = await world();
      const folder = memoryKvStore();
      const openFolder = async (): Promise<KvStore> => hooked(folder, {});
      await fork(other, "far", { folder });
      const far = await openFork(store, "far", { folder });
      await far.write("new", filled(5000, 3));
      const meanwhile = async (): Promise<void> => {
        await other.write(key(1), filled(11, 1));
        await expectSweptTwice(other, openFolder);
      };
      const base = await openOcdbt(hooked(store, { [when]: meanwhile }));
      expect((await merge(base, "far", { folder })).merged).toBe(true);
      expect((await other.read("new"))?.value).toEqual(filled(5000, 3));
    },
  );
});

describe("on a disk", () => {
  let at: string;
  beforeEach(async () => {
    at = await mkdtemp(join(tmpdir(), "pcg-holds-"));
  });
  afterEach(async () => {
    await rm(at, { recursive: true, force: true });
  });

  test("writers of a new numbered database do not wait for themselves, and hold nothing that others do not take", async () => {
    const held: (string | Uint8Array)[] = [];
    const open = async (): Promise<OcdbtDatabase> => {
      const store = fileKvStore(at);
      const { hold } = store;
      store.hold = async (name, options) => {
        held.push(name);
        return await hold!.call(store, name, options);
      };
      return await openOcdbt(store, { config: { manifestKind: "numbered" } });
    };
    const databases = await Promise.all([open(), open(), open()]);
    for (let round = 0; round < 3; round++) {
      const began = performance.now();
      await Promise.all(databases.map((db, i) => db.write(`${i}/${round}`, filled(9, i))));
      // A hold on the key that the commit itself writes without it would end after two seconds.
      expect(performance.now() - began).toBeLessThan(1500);
    }
    await Promise.all(databases.map((db) => db.close()));
    expect(held.length).toBeGreaterThanOrEqual(9);
    expect(held.every((name) => /^manifest\.[0-9a-f]{16}$/.test(String(name)))).toBe(true);
  });

  test("writers of a fork hold and stage its manifest", async () => {
    const base = await openOcdbt(fileKvStore(at));
    await base.write("a", filled(9, 1));
    await fork(base, "f");
    const forked = await openFork(base.parts.store, "f");
    const hold = await forked.parts.manifests.hold();
    expect(hold).toBeDefined();
    hold!.release();
    const { manifest } = (await forked.parts.manifests.read())!;
    const staged = await forked.parts.manifests.stage(manifest);
    expect(staged).toBeDefined();
    staged!.value.discard();
    await Promise.all([forked.close(), base.close()]);
  });

  test("a commit that writes many data files causes no warning, and is stopped as a whole", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on("warning", warned);
    try {
      const db = await openOcdbt(fileKvStore(at), { targetDataFileBytes: 100, config: { maxInlineValueBytes: 4 } });
      await db.apply(Array.from({ length: 40 }, (_, i) => put(i, filled(90, i))));
      const cancel = new AbortController();
      const many = Array.from({ length: 40 }, (_, i) => put(i, filled(90, 99)));
      const stopped = db.apply(many, { signal: cancel.signal });
      setTimeout(() => cancel.abort(new Error("enough")), 1);
      await expect(stopped).rejects.toThrow("enough");
      await new Promise((resolve) => setImmediate(resolve));
      await db.close();
    } finally {
      process.off("warning", warned);
    }
    expect(warnings).toEqual([]);
  });
});
