import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeCellKey } from "../src/cell-key.ts";
import { CommitQueue, type Write } from "../src/lmdb/commit-queue.ts";
import { acquireEnvironment, releaseEnvironment } from "../src/lmdb/environment.ts";
import { ReadPlan } from "../src/lmdb/read-plan.ts";

const folder = await mkdtemp(join(tmpdir(), "pcg-rowstore-"));
const environment = await acquireEnvironment(folder);
afterAll(async () => {
  await releaseEnvironment(environment);
  await rm(folder, { recursive: true });
});

const row = (name: string) => new TextEncoder().encode(name);
const column = { family: "f", qualifier: row("") };
const put = (name: string): string => {
  void environment.cells.put(encodeCellKey({ row: row(name), ...column, timestamp: 0n }), row(name));
  return name;
};
const has = (name: string) => {
  environment.cells.resetReadTxn();
  return environment.reader.readCells(row(name), new ReadPlan({})).length === 1;
};
const writeOf = (run: () => string): Write<string> => ({ cells: 1, bytes: 1, blind: false, run });

test("a write that fails half-way is rolled back, and those grouped with it are committed", async () => {
  let runs = 0;
  const outcomes = await Promise.allSettled([
    environment.writes.submit(writeOf(() => put("before"))),
    environment.writes.submit(
      writeOf(() => {
        runs++;
        put("half");
        throw new Error("the map is full");
      }),
    ),
    environment.writes.submit(writeOf(() => put("after"))),
  ]);
  expect(outcomes).toMatchObject([
    { value: "before" },
    { reason: { code: "WRITE_FAILED", cause: { message: "the map is full" } } },
    { value: "after" },
  ]);
  expect(runs).toBe(2); // Once in the group and once alone, so they were in one group indeed.
  expect(["before", "half", "after"].map(has)).toEqual([true, false, true]);
});

test("writes share commits, and each learns its own result", async () => {
  const before = environment.root.getStats() as { lastTxnId: number };
  const results = await Promise.all(
    Array.from({ length: 500 }, (_, i) => environment.writes.submit(writeOf(() => put(`w${i}`)))),
  );
  expect(results).toEqual(Array.from({ length: 500 }, (_, i) => `w${i}`));
  const after = environment.root.getStats() as { lastTxnId: number };
  expect(after.lastTxnId - before.lastTxnId).toBeLessThan(10);
});

test("a write that could fill the disk is refused before it is begun, and accepted once there is room", async () => {
  let free = 1e6;
  const queue = new CommitQueue(environment.cells, () => free);
  await expect(queue.submit(writeOf(() => put("crowded")))).rejects.toMatchObject({
    code: "WRITE_FAILED",
    details: { free: 1e6 },
  });
  await expect(queue.submit(writeOf(() => put("crowded")))).rejects.toThrow(/make room/);
  expect(has("crowded")).toBe(false);
  free = 1e9;
  expect(await queue.submit(writeOf(() => put("crowded")))).toBe("crowded");
  expect(has("crowded")).toBe(true);
});
