import { withCache, withRetry } from "@pcg/kvstore";
import { httpKvStore } from "@pcg/kvstore/http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serve } from "./http-server.ts";

const warnings: Error[] = [];
const record = (warning: Error): void => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", record);
});
afterEach(() => {
  process.off("warning", record);
});

test("any number of calls may share one signal, and all of them see its abort", async () => {
  const server = await serve(new Map(), { intercept: () => true });
  const stores = [withRetry(httpKvStore(server.url)), withCache(httpKvStore(server.url), { maxBytes: 1000 })];
  const controller = new AbortController();
  const { signal } = controller;
  const reads = stores.flatMap((store) => Array.from({ length: 40 }, (_, i) => store.read(`${i}`, { signal })));
  const settled = Promise.allSettled(reads);
  await expect.poll(() => server.requests.length).toBe(reads.length);
  const reason = new Error("enough");
  controller.abort(reason);
  expect((await settled).every((end) => end.status === "rejected" && end.reason === reason)).toBe(true);
  await server.close();
  expect(warnings).toEqual([]);
});
