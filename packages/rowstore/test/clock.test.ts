import { expect, test } from "vitest";
import { createSystemClock } from "../src/clock.ts";

test("times within one millisecond differ and rise", () => {
  const clock = createSystemClock(() => 1_000);
  const times = Array.from({ length: 1000 }, clock);
  expect(times[0]).toBe(1_000_000n);
  expect(new Set(times).size).toBe(1000);
  expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
});

test("a clock that is set back is followed, a jitter of a few milliseconds is not", () => {
  let wall = 10_000;
  const clock = createSystemClock(() => wall);
  expect(clock()).toBe(10_000_000n);
  wall = 9_995;
  expect(clock()).toBe(10_000_001n);
  wall = 5_000;
  expect(clock()).toBe(5_000_000n);
  expect(clock()).toBe(5_000_001n);
});
