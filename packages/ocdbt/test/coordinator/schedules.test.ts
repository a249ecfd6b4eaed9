import { memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { describe, expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/index.ts";
import { Scheduler } from "../support/scheduler.ts";
import { checkHistory, History } from "./history.ts";
import { LEASE_MS, manyTroubles, type Troubles, World } from "./world.ts";

const seeds = Array.from({ length: Number(process.env["PCG_TEST_RUNS"] ?? 8) }, (_, i) => i + 1);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Commits one after another and some at once, on keys that others write as well. */
async function writeSome(
  history: History,
  db: OcdbtDatabase,
  client: number,
  random: Random,
  rounds = 4,
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const together = Array.from({ length: 1 + random.below(3) }, () =>
      history.write(db, client, `k/${random.below(3)}`),
    );
    await Promise.all(together);
    if (random.below(4) === 0) await pause(random.below(3 * LEASE_MS));
  }
}

describe.each(["single", "numbered"] as const)("clients of a %s database with coordinators", (kind) => {
  test.each(seeds)(
    "every commit is made once and in order, whoever dies, sleeps or loses mail (seed %i)",
    { timeout: 30_000 },
    async (seed) => {
      const store = memoryKvStore();
      const scheduler = new Scheduler(seed);
      const world = new World(store, scheduler, kind, manyTroubles(new Random(seed + 1000)));
      const history = new History();
      await scheduler.run(async (random) => {
        await Promise.all([world.start("one"), world.start("two")]);
        await Promise.all([
          ...[0, 1, 2].map(async (client) => writeSome(history, await world.client(), client, random)),
          (async () => writeSome(history, await world.stranger(), 3, random))(),
        ]);
        // Until what was sent twice has come twice, and whoever slept has woken.
        await pause(10 * LEASE_MS);
      });
      await checkHistory(store, history.done);
    },
  );

  test("a coordinator may die at any of its calls, before or after it is done", { timeout: 60_000 }, async () => {
    const run = async (troubles: Troubles): Promise<number> => {
      const store = memoryKvStore();
      const scheduler = new Scheduler(7);
      const world = new World(store, scheduler, kind, troubles);
      const history = new History();
      await scheduler.run(async (random) => {
        await world.start("one");
        await Promise.all([0, 1].map(async (client) => writeSome(history, await world.client(), client, random, 2)));
      });
      await checkHistory(store, history.done);
      return world.counts.deaths;
    };
    let calls = 0;
    await run({
      dies: () => {
        calls++;
        return undefined;
      },
    });
    expect(calls).toBeGreaterThan(15);
    for (let at = 0; at < calls; at++) {
      for (const when of ["before", "after"] as const) {
        let call = 0;
        const deaths = await run({ dies: () => (call++ === at ? when : undefined) });
        expect(deaths, `call ${at} of ${calls}`).toBe(1);
      }
    }
  });
});
