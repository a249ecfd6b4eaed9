import type { TaskRunner } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
import { afterEach, expect, test, vi } from "vitest";
import { closedGate, module, openGate } from "./runners.ts";

let runner: TaskRunner;
afterEach(() => runner.close());

/** Two counters a task and the test share. */
const sharedFlag = () => new Int32Array(new SharedArrayBuffer(8));
const started = (flag: Int32Array) =>
  vi.waitFor(() => expect(Atomics.load(flag, 0)).toBe(1), { interval: 2, timeout: 10_000 });

test("a loop that never awaits sees the abort through its signal, and its thread lives on", async () => {
  runner = poolRunner({ module, parallelism: 1, graceMs: 60_000 });
  const thread = await runner.run("thread", null);
  const flag = sharedFlag();
  const controller = new AbortController();
  const running = runner.run("spin", { flag }, { signal: controller.signal });
  await started(flag);
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect(await runner.run("thread", null)).toBe(thread);
});

test("a task that waits gets the abort as an event", async () => {
  runner = poolRunner({ module, parallelism: 1, graceMs: 60_000 });
  const flag = sharedFlag();
  const controller = new AbortController();
  const running = runner.run("listen", { flag }, { signal: controller.signal });
  await started(flag);
  controller.abort("stop");
  await expect(running).rejects.toBe("stop");
  expect(flag[1]).toBe(1);
});

test("a task that does not listen is killed with its thread after the grace time, and nothing of it runs on", async () => {
  runner = poolRunner({ module, parallelism: 1, graceMs: 50 });
  const flag = sharedFlag();
  const controller = new AbortController();
  const running = runner.run("deaf", { flag }, { signal: controller.signal });
  await started(flag);
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
  const before = Atomics.load(flag, 1);
  expect(await runner.run("echo", 1)).toBe(1);
  expect(Atomics.load(flag, 1)).toBe(before);
});

test("a thread that cannot even start fails its task", async () => {
  runner = poolRunner({ module, parallelism: 2, heapMiB: 1 });
  for (let i = 0; i < 2; i++) await expect(runner.run("echo", 1)).rejects.toMatchObject({ code: "oom", task: "echo" });
});

test("running out of heap is reported as oom and the pool goes on", async () => {
  runner = poolRunner({ module, parallelism: 2, heapMiB: 32 });
  const gate = closedGate();
  const other = runner.run("hold", { gate });
  await expect(runner.run("outOfMemory", null)).rejects.toMatchObject({
    name: "TaskError",
    code: "oom",
    task: "outOfMemory",
    cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
  });
  openGate(gate);
  await other;
  expect(await runner.run("echo", 1)).toBe(1);
});

test.each([0, 7])("process.exit(%i) in a task is a crash of that task only", async (code) => {
  runner = poolRunner({ module, parallelism: 2 });
  const gate = closedGate();
  const other = runner.run("hold", { gate });
  await expect(runner.run("exit", { code })).rejects.toMatchObject({
    name: "TaskError",
    code: "crashed",
    task: "exit",
  });
  openGate(gate);
  await other;
  expect(await runner.run("echo", 1)).toBe(1);
});

test("an uncaught error elsewhere in the thread is a crash with that error as cause", async () => {
  runner = poolRunner({ module, parallelism: 1 });
  await expect(runner.run("throwLater", null)).rejects.toMatchObject({
    code: "crashed",
    cause: { message: "outside of the task" },
  });
  expect(await runner.run("echo", 1)).toBe(1);
});

test("a module without handlers, or that does not exist, fails its tasks with the reason", async () => {
  runner = poolRunner({ module: new URL("./not-handlers.mjs", import.meta.url), parallelism: 1 });
  await expect(runner.run("echo", 1)).rejects.toThrow('does not export an object named "handlers"');
  await runner.close();
  runner = poolRunner({ module: new URL("./missing.mjs", import.meta.url), parallelism: 1 });
  await expect(runner.run("echo", 1)).rejects.toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
});

test("uses as many threads as it has tasks, up to its parallelism", async () => {
  runner = poolRunner({ module, parallelism: 2 });
  const gate = closedGate();
  const threads = await Promise.all([1, 2, 3, 4].map(() => runner.run("meet", { gate, count: 2 })));
  expect(new Set(threads).size).toBe(2);
});

test("tasks share the byte budget: what does not fit waits, whatever threads are free", async () => {
  runner = poolRunner({ module, parallelism: 2, maxBytes: 100 });
  await Promise.all([runner.run("echo", 1), runner.run("echo", 2)]);
  const gate = closedGate();
  const big = runner.run("hold", { gate }, { bytes: 80 });
  const small = runner.run("peek", { gate }, { bytes: 30 });
  // Time enough for the free thread to take it, if it would.
  const other = poolRunner({ module, parallelism: 1 });
  for (let i = 0; i < 5; i++) await other.run("echo", i);
  await other.close();
  openGate(gate);
  await big;
  expect(await small, "the gate was open when it began").toBe(1);
});
