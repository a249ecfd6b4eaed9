import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";
import { fsck, openOcdbt } from "../../src/index.ts";
import { buildChild, runAndKill } from "../support/child.ts";
import { contentsOf, latin1 } from "../support/model.ts";

/** Rounds of kills; more by PCG_TEST_KILLS. */
const rounds = Number(process.env["PCG_TEST_KILLS"] ?? 1);
const ways = ["coordinated", "coordinated", "coordinated", "direct"];

test("processes with a coordinator that is killed, and are killed themselves, lose nothing and do nothing twice", {
  timeout: 30_000 * rounds,
}, async () => {
  const [client, coordinator] = await Promise.all([
    buildChild("test/coordinator/processes/client.ts"),
    buildChild("test/coordinator/processes/coordinator.ts"),
  ]);
  const folder = await mkdtemp(join(tmpdir(), "ocdbt-coordinated-"));
  const sockets = await mkdtemp(join(tmpdir(), "pcg-"));
  const random = new Random(rounds);
  const last = ways.map(() => -1);
  try {
    for (let round = 0; round < rounds; round++) {
      let isOver = false;
      const coordinators = (async () => {
        while (!isOver) {
          await runAndKill(coordinator, [folder, `unix:${join(sockets, `${round}.sock`)}`], 1, random.below(250));
        }
      })();
      await Promise.all(
        last.map(async (done, writer) => {
          const args = [folder, `w${writer}`, String(done + 1), ways[writer]!];
          const printed = await runAndKill(client, args, 8 + random.below(12), random.below(30));
          last[writer] = Number(printed.at(-1));
        }),
      );
      isOver = true;
      await coordinators;
      await check(folder, last);
    }
  } finally {
    await rm(folder, { recursive: true });
    await rm(sockets, { recursive: true });
  }
});

/** Sets `last` to what was made, which may be one more than was acknowledged. */
async function check(folder: string, last: number[]): Promise<void> {
  const db = await openOcdbt(fileKvStore(folder), { create: false });
  const contents = await contentsOf(db);
  const expected = new Map<string, string>();
  for (const [writer, acknowledged] of last.entries()) {
    const made = Number(contents.get(`w${writer}/last`));
    expect([acknowledged, acknowledged + 1]).toContain(made);
    expected.set(`w${writer}/last`, String(made));
    for (let i = 0; i <= made; i++) {
      expected.set(`w${writer}/${i}/small`, `${i}`);
      expected.set(`w${writer}/${i}/large`, `${i} `.repeat(100));
    }
    last[writer] = made;
  }
  expect(contents).toEqual(expected);
  // A batch that was made twice, or out of order, would set a counter back or leave it where it was in a version of its own.
  const newest = (await db.head())!.generation;
  const before = last.map(() => -1);
  for (let generation = 1n; generation <= newest; generation++) {
    const view = await db.at({ generation });
    const counters = await Promise.all(last.map((_, writer) => view.read(`w${writer}/last`)));
    let moved = false;
    for (const [writer, found] of counters.entries()) {
      const counter = found === undefined ? -1 : Number(latin1(found.value));
      expect([before[writer], before[writer]! + 1]).toContain(counter);
      moved ||= counter > before[writer]!;
      before[writer] = counter;
    }
    expect(moved, `generation ${generation}`).toBe(true);
  }
  const report = await fsck(db);
  expect(report.isSound).toBe(true);
  await db.close();
}
