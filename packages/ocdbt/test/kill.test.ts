import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import { openOcdbt } from "../src/index.ts";
import { checkTree } from "./support/check-tree.ts";
import { buildChild, runAndKill } from "./support/child.ts";
import { contentsOf } from "./support/model.ts";

/** Rounds of kills; more by PCG_TEST_KILLS. */
const rounds = Number(process.env["PCG_TEST_KILLS"] ?? 2);

test("writers that are killed at any moment lose nothing they were told of, and leave no batch half done", async () => {
  const child = await buildChild("test/support/kill-child.ts");
  const folder = await mkdtemp(join(tmpdir(), "ocdbt-kill-"));
  const random = new Random(rounds);
  try {
    const last = [-1, -1, -1];
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        last.map(async (done, writer) => {
          const args = [folder, `w${writer}`, String(done + 1)];
          const printed = await runAndKill(child, args, 1 + random.below(6), random.below(30));
          last[writer] = Number(printed.at(-1));
        }),
      );
      const db = await openOcdbt(fileKvStore(folder), { create: false });
      const contents = await contentsOf(db);
      const expected = new Map<string, string>();
      last.forEach((acknowledged, writer) => {
        const made = Number(contents.get(`w${writer}/last`));
        // What was under way when it was killed may have been made or not.
        expect([acknowledged, acknowledged + 1]).toContain(made);
        expected.set(`w${writer}/last`, String(made));
        for (let i = 0; i <= made; i++) {
          expected.set(`w${writer}/${i}/small`, `${i}`);
          expected.set(`w${writer}/${i}/large`, `${i} `.repeat(100));
        }
        last[writer] = made;
      });
      expect(contents).toEqual(expected);
      const newest = (await db.head())!.generation;
      for (let generation = newest; generation > 0n && generation > newest - 6n; generation--) {
        await checkTree(db, (await (await db.at({ generation })).version())!);
      }
      // Each batch is one version, and there are no others.
      expect(newest).toBeLessThanOrEqual(BigInt(last.reduce((sum, made) => sum + made + 1, 0)));
      await db.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);
