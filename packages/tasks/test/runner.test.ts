import { isTaskError, type TaskRunner } from "@pcg/tasks";
import { afterEach, describe, expect, test } from "vitest";
import { closedGate, openGate, runners } from "./runners.ts";

describe.each(Object.entries(runners))("%s runner", (_, open) => {
  let runner: TaskRunner;
  afterEach(() => runner.close());

  test("runs a task by name with 64-bit values intact", async () => {
    runner = open({});
    const values = BigUint64Array.of(2n ** 63n, 5n);
    expect(await runner.run("sum", { values })).toBe(2n ** 63n + 5n);
    expect(await runner.run("echo", { values, nested: [new Map([[1n, "a"]])] })).toEqual({
      values,
      nested: [new Map([[1n, "a"]])],
    });
  });

  test("copies the payload, so that what the handler keeps is not the caller's", async () => {
    runner = open({});
    const payload = { bytes: Uint8Array.of(1, 2, 3) };
    const result = await runner.run<typeof payload>("echo", payload);
    expect(result).toEqual(payload);
    expect(result.bytes.buffer).not.toBe(payload.bytes.buffer);
    expect(payload.bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("moves the buffers it is told to, both ways", async () => {
    runner = open({});
    const bytes = Uint8Array.of(9, 9);
    expect(await runner.run("echo", bytes, { transfer: [bytes.buffer] })).toEqual(Uint8Array.of(9, 9));
    expect(bytes.byteLength).toBe(0);
    expect(await runner.run("fill", { length: 3, value: 7 })).toEqual({ bytes: Uint8Array.of(7, 7, 7), byteLength: 3 });
  });

  test("keeps the name, message, code, fields and cause of a handler's error", async () => {
    runner = open({});
    const error = await runner.run("fail", null).catch((e: unknown) => e as Error & Record<string, unknown>);
    expect(error).toMatchObject({ name: "TypeError", message: "cannot decode", code: "bad-chunk", field: { x: 1 } });
    expect((error as Error).cause).toMatchObject({
      name: "RangeError",
      message: "chunk 3 is short",
      code: "corrupt",
      offset: 7n,
    });
    expect((error as Error).stack).toContain("handlers.mjs");
  });

  test("rejects with whatever a handler throws", async () => {
    runner = open({});
    await expect(runner.run("failWith", { thrown: "text" })).rejects.toBe("text");
    await expect(runner.run("failWith", { thrown: undefined })).rejects.toBe(undefined);
    const many = await runner.run("failMany", null).catch((e: unknown) => e as AggregateError);
    expect(many).toBeInstanceOf(AggregateError);
    expect((many as AggregateError).errors.map((e: Error) => `${e.name}: ${e.message}`)).toEqual([
      "Error: one",
      "RangeError: two",
    ]);
  });

  test("names the handlers it has when asked for another", async () => {
    runner = open({});
    const error = await runner.run("nope", null).catch((e: unknown) => e);
    expect(isTaskError(error, "unknown-task")).toBe(true);
    expect(error).toMatchObject({ task: "nope", message: expect.stringContaining("echo, thread") });
    await expect(runner.run("toString", null)).rejects.toMatchObject({ code: "unknown-task" });
  });

  test("refuses payloads and results that are not plain data", async () => {
    runner = open({});
    await expect(runner.run("echo", () => 1)).rejects.toMatchObject({
      name: "TaskError",
      code: "failed",
      task: "echo",
    });
    await expect(runner.run("notPlain", null)).rejects.toMatchObject({ code: "failed", task: "notPlain" });
    expect(await runner.run("echo", 1)).toBe(1);
  });

  test("refuses a task that needs more than the whole budget", async () => {
    runner = open({ maxBytes: 100 });
    const error = await runner.run("echo", 1, { bytes: 101 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "TaskError", code: "too-large", task: "echo" });
    expect((error as Error).message).toContain("101 bytes are more than the whole budget of 100 bytes");
    expect(await runner.run("echo", 1, { bytes: 100 })).toBe(1);
  });

  test("rejects with the signal's reason, before, while waiting and while running", async () => {
    runner = open({ maxBytes: 10 });
    const reason = new Error("changed my mind");
    await expect(runner.run("echo", 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const holder = new AbortController();
    const gate = closedGate();
    const holding = runner.run("hold", { gate }, { bytes: 10, signal: holder.signal });
    const waiter = new AbortController();
    const waiting = runner.run("echo", 1, { bytes: 10, signal: waiter.signal });
    waiter.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    holder.abort(reason);
    openGate(gate);
    await expect(holding).rejects.toBe(reason);
    expect(await runner.run("echo", 2, { bytes: 10 })).toBe(2);
  });

  test("close ends what runs and refuses what comes", async () => {
    runner = open({});
    const gate = closedGate();
    const running = runner.run("hold", { gate });
    const settled = expect(running).rejects.toMatchObject({ name: "TaskError", code: "closed", task: "hold" });
    const closed = runner.close();
    openGate(gate);
    await closed;
    await settled;
    await expect(runner.run("echo", 1)).rejects.toMatchObject({ code: "closed", task: "echo" });
  });
});
