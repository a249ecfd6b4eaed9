import { isKvStoreError, type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { type CommitReceipt, isOcdbtError, type Mutation, type OcdbtDatabase, openOcdbt } from "../src/index.ts";
import { checkTree } from "./support/check-tree.ts";
import { orphans } from "./support/files.ts";
import { applied, bytesOf, type Contents, contentsOf, latin1, sorted } from "./support/model.ts";
import { Scheduler } from "./support/scheduler.ts";

const seeds = Array.from({ length: Number(process.env["PCG_TEST_RUNS"] ?? 12) }, (_, i) => i + 1);

interface Done {
  readonly mutations: readonly Mutation[];
  readonly receipt: CommitReceipt;
}

describe.each(["single", "numbered"] as const)(
  "several writers of one %s database, in orders that seeds decide",
  (kind) => {
    const config = {
      manifestKind: kind,
      maxInlineValueBytes: 6,
      maxDecodedNodeBytes: 300,
      versionTreeArityLog2: 2,
      compression: null,
    };

    test.each(seeds)("every version is the one before and what was acknowledged in it (seed %i)", async (seed) => {
      const store = memoryKvStore();
      const scheduler = new Scheduler(seed);
      const done: Done[] = [];
      await scheduler.run(async (random) => {
        const write = async (writer: number): Promise<void> => {
          const db = await openOcdbt(scheduler.wrap(store), { config: { ...config } });
          for (let i = 0; i < 4; i++) {
            const batches = Array.from({ length: 1 + random.below(3) }, () =>
              Array.from({ length: 1 + random.below(3) }, (): Mutation => {
                const key = bytesOf(`k/${random.below(25)}`);
                if (random.below(6) === 0) return { op: "deleteRange", start: key, end: bytesOf("k/2") };
                if (random.below(4) === 0) return { op: "delete", key };
                return { op: "put", key, value: bytesOf(`${writer}.${i}`.repeat(1 + random.below(3))) };
              }),
            );
            await Promise.all(
              batches.map(async (mutations) => {
                done.push({ mutations, receipt: await db.apply(mutations) });
              }),
            );
          }
          await db.close();
        };
        await Promise.all([0, 1, 2, 3].map(write));
      });

      const db = await openOcdbt(store, { create: false });
      const newest = (await db.head())!.generation;
      let before: Contents = new Map();
      for (let generation = 1n; generation <= newest; generation++) {
        const view = await db.at({ generation });
        // Also what changed nothing, such as a deletion of what was absent, names the version it found so.
        const here = done.filter(({ receipt }) => receipt.head?.generation === generation);
        expect(here.length).toBeGreaterThan(0);
        before = here.reduce<Contents>((contents, { mutations }) => applied(contents, mutations), before);
        expect(sorted(await contentsOf(view)), `generation ${generation}`).toEqual(sorted(before));
        await checkTree(db, (await view.version())!);
      }
      expect(await orphans(store, db)).toEqual([]);
    });

    test.each(seeds)("counters that are read and written in transactions lose nothing (seed %i)", async (seed) => {
      const store = memoryKvStore();
      const scheduler = new Scheduler(seed);
      let conflicts = 0;
      await scheduler.run(async () => {
        const count = async (own: number): Promise<void> => {
          const db = await openOcdbt(scheduler.wrap(store), { config });
          for (let i = 0; i < 4; i++) while (!(await increment(db, own))) conflicts++;
          await db.close();
        };
        await Promise.all([0, 1, 2].map(count));
      });
      const db = await openOcdbt(store);
      const contents = await contentsOf(db);
      expect(contents.get("total")).toBe("12");
      expect([0, 1, 2].map((own) => contents.get(`own/${own}`))).toEqual(["4", "4", "4"]);
      // The number of keys under log/ was counted by a list each time, so that none can have got the same number.
      expect([...contents.keys()].filter((key) => key.startsWith("log/")).length).toBe(12);
      expect(conflicts).toBeGreaterThan(0);
      expect(await orphans(store, db)).toEqual([]);
    });
  },
);

test.each(seeds)("writers whose store fails now and then make each commit once (seed %i)", async (seed) => {
  const store = memoryKvStore();
  const scheduler = new Scheduler(seed);
  await scheduler.run(async (random) => {
    const kinds = ["fail", "lose-ack", "duplicate"] as const;
    const unreliable = (): KvStore =>
      withFaults(scheduler.wrap(store), () => (random.below(8) === 0 ? { kind: kinds[random.below(3)]! } : undefined));
    const again = async <T>(work: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!isKvStoreError(error, "transient") && !isOcdbtError(error, "ambiguous")) throw error;
        }
      }
    };
    const write = async (writer: number): Promise<void> => {
      const config = { maxInlineValueBytes: 6, maxDecodedNodeBytes: 300, versionTreeArityLog2: 1, compression: null };
      const db = await again(() => openOcdbt(unreliable(), { config }));
      for (let i = 0; i < 4; i++) {
        const name = `${writer}/${i}`;
        const mutations: Mutation[] = [
          { op: "put", key: bytesOf(name), value: bytesOf("made") },
          { op: "put", key: bytesOf("last"), value: bytesOf(`the last one was ${name}`) },
        ];
        // What failed may have been made, which reading tells.
        await again(async () => {
          if ((await db.read(name)) === undefined) await db.apply(mutations);
        });
      }
    };
    await Promise.all([0, 1, 2].map(write));
  });
  const db = await openOcdbt(store, { create: false });
  const newest = (await db.head())!.generation;
  expect(newest).toBe(12n);
  let before = new Map<string, string>();
  for (let generation = 1n; generation <= newest; generation++) {
    const here = await contentsOf(await db.at({ generation }));
    const added = [...here.keys()].filter((key) => key !== "last" && !before.has(key));
    expect(added.length).toBe(1);
    expect(here.get("last")).toBe(`the last one was ${added[0]}`);
    before = here;
  }
  expect(before.size).toBe(13);
});

/** Adds one to two counters, and an entry to a list, together. @returns whether nobody came between. */
async function increment(db: OcdbtDatabase, own: number): Promise<boolean> {
  const transaction = await db.transaction();
  for (const name of ["total", `own/${own}`]) {
    const found = await transaction.read(name);
    await transaction.write(name, bytesOf(String(1 + Number(found === undefined ? 0 : latin1(found.value)))));
  }
  let entries = 0;
  for await (const _ of transaction.list({ prefix: "log/" })) entries++;
  await transaction.write(`log/${entries}`, bytesOf(`writer ${own}`));
  try {
    await transaction.commit();
    return true;
  } catch (error) {
    if (isOcdbtError(error, "conflict")) return false;
    throw error;
  }
}
