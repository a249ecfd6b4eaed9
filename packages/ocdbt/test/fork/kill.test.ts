import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import { fsck, listForks, openFork, openOcdbt } from "../../src/index.ts";
import { collect, contents } from "../history/world.ts";
import { buildChild, runAndKill } from "../support/child.ts";

/** Rounds of kills; more by PCG_TEST_KILLS. */
const rounds = Number(process.env.PCG_TEST_KILLS ?? 2);

test("who is killed while forking and merging leaves whole forks, and a base that has all of a merge or none", async () => {
  const child = await buildChild("test/fork/kill-child.ts");
  const folder = await mkdtemp(join(tmpdir(), "ocdbt-kill-forks-"));
  const random = new Random(rounds);
  const round = (i: number): Record<string, string> => ({ [`rounds/${i}`]: `${i} `.repeat(600) });
  try {
    const maker = await openOcdbt(fileKvStore(folder));
    await maker.write("begin", new Uint8Array(0));
    await maker.close();
    let last = -1;
    for (let kill = 0; kill < rounds; kill++) {
      const printed = await runAndKill(child, [folder, String(last + 1)], 1 + random.below(3), random.below(60));
      const told = Number(printed.at(-1));
      const store = fileKvStore(folder);
      const base = await openOcdbt(store);
      const found = await contents(base);
      const made = Number(found.last);
      expect([told, told + 1]).toContain(made);
      const merged = Object.assign({}, ...Array.from({ length: made + 1 }, (_, i) => round(i)));
      expect(found).toEqual({ begin: "", last: String(made), ...merged });
      expect((await fsck(base)).isSound).toBe(true);
      for (const { id, state } of await collect(listForks(store))) {
        expect(["ready", "unfinished"]).toContain(state);
        if (state === "unfinished") continue;
        const own = await openFork(store, id);
        const number = Number(id.slice(1));
        const held = await contents(own);
        // What it wrote is there, unless it was killed before that.
        if (number <= made) expect(held).toMatchObject({ last: String(number), ...round(number) });
        await own.close();
      }
      await base.close();
      last = made;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);
