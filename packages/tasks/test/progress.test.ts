import { type Progress, throttleProgress } from "@pcg/tasks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("passes the first and the completing report of each step, and one per interval between", () => {
  const seen: Progress[] = [];
  const report = throttleProgress((progress) => seen.push(progress), 100);
  for (let done = 0; done <= 10; done++) {
    report({ step: "a", done, total: 10 });
    if (done === 2) report({ step: "b", done: 0, total: 5 });
    vi.advanceTimersByTime(30);
  }
  expect(seen.map(({ step, done }) => `${step}${done}`)).toEqual(["a0", "b0", "a4", "a8", "a10"]);
});
