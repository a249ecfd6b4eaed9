import type { KvStore } from "@pcg/kvstore";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { fork } from "../../src/fork/create.ts";
import { dropFork } from "../../src/fork/drop.ts";
import { merge, updateFork } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { restore } from "../../src/history/restore.ts";
import { createTag } from "../../src/history/tags.ts";
import { openOcdbt } from "../../src/open.ts";
import { compact, expire, rebuild, sweep } from "../../src/upkeep/index.ts";
import { contentsOf, expectHistory, expectSound, generationsOf, grow, type History, TINY, withPast } from "./world.ts";

const side = fc.constantFrom("base" as const, "fork" as const);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("grow" as const), side, count: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("expire" as const), side, keepLast: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sweep" as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("compact" as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rebuild" as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restore" as const), side, at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("tag" as const), side, at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ do: "merge" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "update" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "drop" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A database and its fork, with what each version of each holds. */
class World {
  readonly store: KvStore;
  readonly histories = { base: new Map() as History, fork: new Map() as History };
  readonly tags = { base: new Set<bigint>(), fork: new Set<bigint>() };
  hasFork = false;
  #seed = 0;

  constructor(store: KvStore) {
    this.store = store;
  }

  /** Opened anew each time, so that nothing is remembered but what is stored. */
  async open(side: "base" | "fork"): Promise<OcdbtDatabase> {
    if (side === "base") return await openOcdbt(this.store);
    if (!this.hasFork) {
      const base = await this.open("base");
      const generations = await generationsOf(base);
      const generation = generations[(this.#seed * 7) % generations.length]!;
      await fork(base, "f", { version: { generation } });
      this.hasFork = true;
      this.histories.fork = new Map([...this.histories.base].filter(([at]) => at <= generation));
      this.tags.fork.clear();
    }
    return await openFork(this.store, "f");
  }

  async do(step: Step): Promise<void> {
    if (step.do === "drop") {
      if (this.hasFork) await dropFork(await this.open("base"), "f");
      this.hasFork = false;
      return;
    }
    if (step.do === "merge" || step.do === "update") {
      await this.open("fork");
      const base = await this.open("base");
      await (step.do === "merge" ? merge : updateFork)(base, "f", { onConflict: "theirs" });
      await this.#record(step.do === "merge" ? "base" : "fork");
      return;
    }
    const { side } = step;
    const db = await this.open(side);
    const history = this.histories[side];
    if (step.do === "grow") await grow(db, step.count, this.#seed++, history);
    else if (step.do === "expire") await expire(db, { keepLast: step.keepLast });
    else if (step.do === "sweep") await sweep(db, { graceMs: 0, base: this.store });
    else {
      const before = await contentsOf(db, (await db.head())!.generation);
      const generations = await generationsOf(db);
      if (step.do === "tag") {
        const generation = generations[step.at % generations.length]!;
        await createTag(db, `at-${generation}`, { generation });
        this.tags[side].add(generation);
        return;
      }
      let expected = before;
      if (step.do === "restore") {
        const generation = generations[step.at % generations.length]!;
        expected = await contentsOf(db, generation);
        await restore(db, { generation });
      } else if (step.do === "compact") await compact(db, { liveRatio: 0.7 });
      else await rebuild(db);
      expect(await contentsOf(db, (await db.head())!.generation)).toEqual(expected);
      await this.#record(side);
    }
  }

  async #record(side: "base" | "fork"): Promise<void> {
    const db = await this.open(side);
    for (const generation of await generationsOf(db)) {
      if (!this.histories[side].has(generation)) this.histories[side].set(generation, await contentsOf(db, generation));
    }
  }

  async check(): Promise<void> {
    for (const side of this.hasFork ? (["base", "fork"] as const) : (["base"] as const)) {
      const left = await expectHistory(await this.open(side), this.histories[side]);
      expect(left).toEqual(expect.arrayContaining([...this.tags[side]]));
    }
  }
}

/** Found by the property: what a dropped fork had lent went with the next fork of its name. */
const FORKED_TWICE: Step[] = [
  { do: "grow", side: "fork", count: 1 },
  { do: "merge" },
  { do: "drop" },
  { do: "grow", side: "fork", count: 1 },
  { do: "drop" },
];

test("whatever is done to a database and its fork, every version that is kept holds what it held", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), fc.constantFrom(1, 2), async (steps, arity) => {
      const { store, history } = await withPast(3, { config: { ...TINY, versionTreeArityLog2: arity } });
      const world = new World(store);
      for (const [generation, contents] of history) world.histories.base.set(generation, contents);
      for (const step of steps) {
        await world.do(step);
        await world.check();
      }
      await expectSound(store);
      if (world.hasFork) await expectSound((await world.open("fork")).parts.store);
    }),
    { numRuns: 6, examples: [[FORKED_TWICE, 1]] },
  );
});
