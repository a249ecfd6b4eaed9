import { expect, test } from "vitest";
import { RecentRefusals } from "../src/edit/refusals.ts";
import { GraphError } from "../src/index.ts";

const picks = [
  { id: 1n, position: [0, 0, 0] },
  { id: 2n, position: [5, 5, 5] },
] as const;
const request = { user: "ann", picks } as const;
const same = new GraphError("same-object", "both points are in one object");

test("a refusal counts as repeated for ten seconds after the last time, for the same user, points and reason", () => {
  const refusals = new RecentRefusals();
  expect(refusals.isRepeated(request, same, 0)).toBe(false);
  expect(refusals.isRepeated(request, same, 9_000)).toBe(true);
  expect(refusals.isRepeated(request, same, 18_000)).toBe(true);
  expect(refusals.isRepeated(request, same, 28_001)).toBe(false);
  expect(refusals.isRepeated({ ...request, user: "bob" }, same, 28_002)).toBe(false);
  expect(refusals.isRepeated({ ...request, picks: [picks[1], picks[0]] }, same, 28_003)).toBe(false);
  expect(refusals.isRepeated(request, new GraphError("too-far", "too far"), 28_004)).toBe(false);
});

test("memory of refusals is bounded: the oldest are forgotten", () => {
  const refusals = new RecentRefusals();
  for (let i = 0; i < 3000; i++) refusals.isRepeated({ ...request, user: `user ${i}` }, same, i);
  expect(refusals.isRepeated({ ...request, user: "user 2999" }, same, 3001)).toBe(true);
  expect(refusals.isRepeated({ ...request, user: "user 0" }, same, 3002)).toBe(false);
});
