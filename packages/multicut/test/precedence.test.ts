import { expect, test } from "vitest";
import { multicut } from "../src/multicut.ts";
import { ids, rows } from "./graphs.ts";

const line = rows([
  [1, 2, 5],
  [2, 3, 1],
  [7, 8, 1],
]);

test("of several labels without an edge the smallest is named, in whatever order they are given", () => {
  const named = [ids(1, 60, 50, 70), ids(70, 50, 1, 60)].map((group) => multicut({ ...line, groups: [group, ids(3)] }));
  expect(named[0]).toEqual(named[1]);
  expect(named[0]).toMatchObject({
    code: "LABEL_NOT_IN_GRAPH",
    detail: expect.stringContaining("Supervoxel 50 of group 0"),
  });
});

test("a group that nothing connects is named before one that another's labels block: splitting would not help", () => {
  // Group 0 is blocked by 2; group 1 lies on two pieces.
  expect(multicut({ ...line, groups: [ids(1, 3), ids(2, 8)] })).toMatchObject({
    kind: "rejected",
    code: "NOT_CONNECTED",
    group: 1,
  });
  expect(multicut({ ...line, groups: [ids(1, 3), ids(2)] })).toMatchObject({
    kind: "svSplitRequired",
    code: "BLOCKED_BY_LABELS",
  });
});
