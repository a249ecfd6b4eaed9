import { mapConcurrent } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closedGate, module, openGate, runners } from "./runners.ts";

const warnings: Error[] = [];
const record = (warning: Error): void => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", record);
});
afterEach(() => {
  process.off("warning", record);
});

test("any number of tasks may share one signal, and all of them see its abort", async () => {
  const reason = new Error("enough");
  for (const runner of [runners.inline!({}), poolRunner({ module, parallelism: 2, graceMs: 1 })]) {
    const gate = closedGate();
    const controller = new AbortController();
    const { signal } = controller;
    const results = Array.from({ length: 60 }, () => runner.run("hold", { gate }, { signal }));
    controller.abort(reason);
    openGate(gate);
    const ends = await Promise.allSettled(results);
    expect(ends.every((end) => end.status === "rejected" && end.reason === reason)).toBe(true);
    await runner.close();
  }
  const controller = new AbortController();
  const maps = Array.from({ length: 30 }, () => mapConcurrent([1, 2], 1, (n) => n, { signal: controller.signal }));
  await Promise.all(maps.map((results) => results.next()));
  controller.abort(reason);
  const ends = await Promise.allSettled(maps.map((results) => results.next()));
  expect(ends.every((end) => end.status === "rejected" && end.reason === reason)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});
