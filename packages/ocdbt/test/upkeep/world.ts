/** Databases with a past, what each of their versions holds, and stores that break down on the way. */
import { type Fault, type FaultOperation, faultAt, type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { expect } from "vitest";
import type { Mutation, OcdbtDatabase } from "../../src/contract.ts";
import { isOcdbtError } from "../../src/errors.ts";
import { versions } from "../../src/history/versions.ts";
import { openOcdbt } from "../../src/open.ts";
import type { OpenOptions } from "../../src/open-options.ts";
import { fsck } from "../../src/upkeep/index.ts";

export const TINY: NonNullable<OpenOptions["config"]> = {
  maxInlineValueBytes: 4,
  maxDecodedNodeBytes: 250,
  versionTreeArityLog2: 1,
  compression: null,
};

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Keys to values, as text of one byte a character. */
export type Contents = ReadonlyMap<string, string>;

/** What each generation holds. */
export type History = Map<bigint, Contents>;

export async function contentsOf(db: OcdbtDatabase, generation: bigint): Promise<Contents> {
  const view = await db.at({ generation });
  const found = new Map<string, string>();
  for await (const { key } of view.list()) {
    found.set(Buffer.from(key).toString("latin1"), Buffer.from((await view.read(key))!.value).toString("latin1"));
  }
  return found;
}

/** Commits `count` random changes; values are inline and not, keys share prefixes and are not all text. */
export async function grow(
  db: OcdbtDatabase,
  count: number,
  seed: number,
  history: History = new Map(),
): Promise<History> {
  const random = new Random(seed);
  const newest = (await db.head())?.generation;
  let current = new Map(newest === undefined ? [] : (history.get(newest) ?? (await contentsOf(db, newest))));
  for (let i = 0; i < count; i++) {
    const mutations: Mutation[] = [];
    const next = new Map(current);
    for (let k = random.between(1, 8); k > 0; k--) {
      const key = `${random.pick(["", "a/", "a/b/", "\xff"])}${random.below(30)}`;
      if (random.below(4) === 0) {
        next.delete(key);
        mutations.push({ op: "delete", key: Buffer.from(key, "latin1") });
      } else {
        const value = `${i}`.repeat(random.pick([0, 1, 2, 9, 40]));
        next.set(key, value);
        mutations.push({ op: "put", key: Buffer.from(key, "latin1"), value: Buffer.from(value, "latin1") });
      }
    }
    const { head } = await db.apply(mutations);
    current = next;
    if (head !== undefined) history.set(head.generation, current);
  }
  return history;
}

/** A database with `count` versions. */
export async function withPast(
  count: number,
  options: OpenOptions = {},
  store: KvStore = memoryKvStore(),
  seed = 1,
): Promise<{ readonly store: KvStore; readonly db: OcdbtDatabase; readonly history: History }> {
  const db = await openOcdbt(store, { config: TINY, ...options });
  return { store, db, history: await grow(db, count, seed) };
}

export async function generationsOf(db: OcdbtDatabase): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { generation } of versions(db)) found.unshift(generation);
  return found;
}

/** Every version that is listed can be read, and holds what it held. @returns the generations */
export async function expectHistory(db: OcdbtDatabase, history: History): Promise<bigint[]> {
  const generations = await generationsOf(db);
  for (const generation of generations) {
    const expected = history.get(generation);
    if (expected !== undefined) expect(await contentsOf(db, generation)).toEqual(expected);
  }
  return generations;
}

/** No errors and no warnings; room to be gained does not count. */
export async function expectSound(store: KvStore): Promise<void> {
  const report = await fsck(store, { deep: true });
  expect(report.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
  expect(report.isSound).toBe(true);
}

export async function filesOf(store: KvStore, prefix = "d/"): Promise<string[]> {
  const files: string[] = [];
  for await (const { key } of store.list({ prefix })) files.push(Buffer.from(key).toString("latin1"));
  return files;
}

/** A store with the same values. */
export async function copyOf(store: KvStore): Promise<KvStore> {
  const copy = memoryKvStore();
  for await (const { key } of store.list()) await copy.write(key, (await store.read(key))!.value);
  return copy;
}

const BREAKDOWNS: readonly Fault[] = [
  { kind: "fail", thenCrash: true },
  { kind: "lose-ack", thenCrash: true },
  { kind: "lose-ack" },
  { kind: "duplicate" },
  { kind: "fail" },
];

/**
 * Does `work` on copies of a store, with each kind of breakdown at each call in turn; then `check` looks at the store as it was left. Calls
 * that change nothing only fail: for the store it is all the same how.
 * @returns how many calls were struck
 */
export async function atEveryCall(
  store: KvStore,
  work: (faulty: KvStore) => Promise<void>,
  check: (left: KvStore) => Promise<void>,
  faults: readonly Fault[] = BREAKDOWNS,
): Promise<number> {
  const calls: FaultOperation["kind"][] = [];
  await work(
    withFaults(await copyOf(store), ({ kind }) => {
      calls.push(kind);
      return undefined;
    }),
  );
  for (const [index, kind] of calls.entries()) {
    for (const fault of kind === "read" || kind === "list" ? faults.slice(0, 1) : faults) {
      const left = await copyOf(store);
      try {
        await work(withFaults(left, faultAt(index, fault)));
      } catch (error) {
        const name = error instanceof Error ? error.name : "";
        if (!isOcdbtError(error) && name !== "KvStoreError") throw error;
      }
      await check(left);
    }
  }
  return calls.length;
}
