import {
  type Fault,
  type FaultOperation,
  isKvStoreError,
  type KvStore,
  keyText,
  memoryKvStore,
  withFaults,
} from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { isOcdbtError, type Mutation, type OcdbtDatabase, openOcdbt } from "../src/index.ts";
import { checkTree } from "./support/check-tree.ts";
import { orphans } from "./support/files.ts";
import { applied, bytesOf, type Contents, contentsOf, sorted } from "./support/model.ts";

const put = (key: string, value: string): Mutation => ({ op: "put", key: bytesOf(key), value: bytesOf(value) });

/** Small nodes, two versions a block, and values on both sides of the inline limit: everything happens soon. */
const config = { maxInlineValueBytes: 4, maxDecodedNodeBytes: 150, versionTreeArityLog2: 1, compression: null };

const commits: readonly (readonly Mutation[])[] = [
  [put("a", "1"), put("b", "a longer value"), put("c", "3")],
  [put("d", "another long value"), { op: "delete", key: bytesOf("a") }],
  Array.from({ length: 8 }, (_, i) => put(`e/${i}`, `value ${i}`.slice(0, 3 + i))),
  [{ op: "deleteRange", start: bytesOf("b"), end: bytesOf("e/3") }, put("b", "back again")],
  [put("e/5", "twice"), put("f", "5")],
];

/** What the database may hold after each number of commits. */
const states: Contents[] = [new Map()];
for (const mutations of commits) states.push(applied(states.at(-1)!, mutations));

interface Run {
  /** Calls of the store, in order. */
  readonly operations: FaultOperation[];
  /** Commits that are in the database, as far as the callers know: those that failed are looked for. */
  readonly made: number;
}

/** All commits through one handle and one store; a commit that fails is looked for, and done again unless it is there. */
async function run(
  store: KvStore,
  faulty: (operations: FaultOperation[]) => KvStore,
  kind: "single" | "numbered",
): Promise<Run> {
  const operations: FaultOperation[] = [];
  const suspect = faulty(operations);
  let db: OcdbtDatabase | undefined;
  let made = 0;
  for (let attempts = 0; made < commits.length && attempts < 20; attempts++) {
    try {
      db ??= await openOcdbt(suspect, { config: { ...config, manifestKind: kind } });
      await db.apply(commits[made]!);
      made++;
    } catch (error) {
      expect(isKvStoreError(error) || isOcdbtError(error), String(error)).toBe(true);
      if (isKvStoreError(error, "closed") || isKvStoreError((error as Error).cause, "closed"))
        return { operations, made };
      const found = Number((await (await openOcdbt(store)).head())?.generation ?? 0n);
      expect([made, made + 1]).toContain(found);
      made = found;
    }
  }
  await db?.close();
  return { operations, made };
}

function recording(operations: FaultOperation[], store: KvStore, at: number, fault: Fault | undefined): KvStore {
  // Closed at the end of a run; the store itself is looked at afterwards.
  const kept: KvStore = Object.create(store, { close: { value: async () => {} } });
  for (const name of ["read", "write", "list", "deleteRange"] as const) {
    Object.defineProperty(kept, name, { value: (store[name] as (...args: never[]) => unknown).bind(store) });
  }
  return withFaults(kept, (operation) => {
    operations.push(operation);
    return operation.index === at ? fault : undefined;
  });
}

const faults: Record<string, (operation: FaultOperation) => Fault> = {
  fails: () => ({ kind: "fail" }),
  "is torn": ({ size = 100 }) => ({ kind: "tear", bytes: Math.floor(size / 2) }),
  "is done twice": () => ({ kind: "duplicate" }),
  "loses its answer": () => ({ kind: "lose-ack" }),
};

for (const kind of ["single", "numbered"] as const) {
  describe(`a ${kind} database`, async () => {
    const plain = memoryKvStore();
    const { operations } = await run(plain, (list) => recording(list, plain, -1, undefined), kind);

    for (const [name, faultOf] of Object.entries(faults)) {
      test(`any one call ${name}: every commit is made once, and nothing is left behind`, async () => {
        for (const operation of operations) {
          const where = `call ${operation.index}, ${operation.kind} ${operation.key ? keyText(operation.key) : ""} ${name}`;
          const store = memoryKvStore();
          const { made } = await run(
            store,
            (list) => recording(list, store, operation.index, faultOf(operation)),
            kind,
          );
          expect(made, where).toBe(commits.length);
          const db = await openOcdbt(store, { create: false });
          expect((await db.head())?.generation, where).toBe(BigInt(commits.length));
          await expectStates(db, where);
          expect(await orphans(store, db), where).toEqual([]);
        }
      });

      test(`any one call ${name}, and the process dies: the database is as before or after a commit`, async () => {
        for (const operation of operations) {
          const where = `call ${operation.index}, ${operation.kind} ${operation.key ? keyText(operation.key) : ""} ${name}, crash`;
          const store = memoryKvStore();
          const fault = { ...faultOf(operation), thenCrash: true as const };
          const faulty = (list: FaultOperation[]): KvStore => recording(list, store, operation.index, fault);
          if (fault.kind === "tear" && operation.kind === "write" && keyText(operation.key!)!.startsWith("manifest.")) {
            // No store of ours tears; what a broken disk tore is said to be so.
            await run(store, faulty, kind);
            const reopened = openOcdbt(store).then((db) => db.head());
            await expect(reopened, where).rejects.toSatisfy((error) => isOcdbtError(error, "corrupt"));
            continue;
          }
          const { made } = await run(store, faulty, kind);
          const db = await openOcdbt(store);
          const found = Number((await db.head())?.generation ?? 0n);
          expect([made, made + 1], where).toContain(found);
          await expectStates(db, where);
          // And it goes on from there.
          for (const mutations of commits.slice(found)) await db.apply(mutations);
          expect(sorted(await contentsOf(db)), where).toEqual(sorted(states.at(-1)!));
        }
      });
    }
  });
}

async function expectStates(db: OcdbtDatabase, where: string): Promise<void> {
  const newest = (await db.head())?.generation ?? 0n;
  for (let generation = 1n; generation <= newest; generation++) {
    const view = await db.at({ generation });
    expect(sorted(await contentsOf(view)), `${where}, generation ${generation}`).toEqual(
      sorted(states[Number(generation)]!),
    );
    await checkTree(db, (await view.version())!);
  }
}
