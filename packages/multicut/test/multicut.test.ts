import { describe, expect, test } from "vitest";
import type { MulticutResult } from "../src/result.ts";
import { cut, ids, type Options, pairs, type Row } from "./graphs.ts";

const LINE: Row[] = [
  [1, 2, 5],
  [2, 3, 1],
  [3, 4, 5],
];
/** 1–2 and 3–4 belong together but their ways cross at 5; group one can go around by 6. */
const CROSSING: Row[] = [
  [1, 5, 10],
  [5, 2, 10],
  [3, 5, 10],
  [5, 4, 10],
  [1, 6, 2],
  [6, 2, 2],
  [6, 5, 1],
];

describe.each(["augmented", "direct"] as const)("in %s mode", (mode) => {
  test("a line is cut at its weakest edge", () => {
    const result = cut(LINE, [[1], [4]], { mode });
    expect(pairs(result)).toEqual(["2-3"]);
    expect(result).toMatchObject({ kind: "cut", flow: 1, parts: [ids(1, 2), ids(3, 4)], sides: [0, 1] });
  });

  test("parallel and reversed rows are one edge of the cut, with their sum as weight", () => {
    const result = cut([...LINE, [3, 2, 1], [2, 3, 0.5]], [[1], [4]], { mode });
    expect(pairs(result)).toEqual(["2-3"]);
    expect(result).toMatchObject({ flow: 2.5 });
  });

  test("the cut of contracted supervoxels names every row between their members", () => {
    const list: Row[] = [
      [1, 2, Infinity],
      [1, 3, 1],
      [2, 3, 1],
      [2, 4, 1],
      [3, 4, Infinity],
      [1, 5, 9],
      [4, 6, 9],
    ];
    const result = cut(list, [[5], [6]], { mode });
    expect(pairs(result)).toEqual(["1-3", "2-3", "2-4"]);
    expect(result).toMatchObject({ flow: 3, parts: [ids(1, 2, 5), ids(3, 4, 6)], vertexCounts: [2, 2] });
  });

  test("a wholly labelled object may be isolated", () => {
    expect(
      cut(
        [
          [1, 2, 5],
          [2, 3, 1],
        ],
        [[1, 2], [3]],
        { mode },
      ),
    ).toMatchObject({ kind: "cut", parts: [ids(1, 2), ids(3)] });
  });

  test("only infinite edges is a postcondition", () => {
    const result = cut(
      [
        [1, 2, Infinity],
        [2, 3, Infinity],
      ],
      [[1], [3]],
      { mode },
    );
    expect(result).toMatchObject({ kind: "rejected", code: "ONLY_INFINITE_EDGES", condition: "postcondition" });
  });

  test("no edges at all is the same", () => {
    expect(cut([], [[1], [3]], { mode })).toMatchObject({ code: "ONLY_INFINITE_EDGES" });
  });

  test("labels without edges are refused by name, whichever side they are on", () => {
    expect(cut(LINE, [[1], [4, 99]], { mode })).toMatchObject({
      kind: "rejected",
      code: "LABEL_NOT_IN_GRAPH",
      condition: "precondition",
      detail: expect.stringMatching(/Supervoxel 99 of group 1/),
    });
  });

  test("a supervoxel labelled twice over needs a supervoxel split", () => {
    expect(cut(LINE, [[2], [2, 4]], { mode })).toEqual({
      kind: "svSplitRequired",
      code: "SHARED_SUPERVOXEL",
      detail: expect.any(String),
      reps: [{ rep: 2n, members: ids(2), groups: [0, 1] }],
      remapping: { supervoxels: ids(1, 2, 3, 4), reps: ids(1, 2, 3, 4) },
    });
  });

  test("labels of several groups in one chain of infinite edges need a supervoxel split, named with its members", () => {
    const result = cut(
      [
        [7, 8, Infinity],
        [8, 9, Infinity],
        [7, 1, 1],
        [9, 2, 1],
      ],
      [[9], [7]],
      { mode },
    );
    expect(result).toMatchObject({
      kind: "svSplitRequired",
      reps: [{ rep: 7n, members: ids(7, 8, 9), groups: [0, 1] }],
      remapping: { supervoxels: ids(1, 2, 7, 8, 9), reps: ids(1, 2, 7, 7, 7) },
    });
  });

  test("where supervoxels cannot be split, that is a precondition", () => {
    const result = cut(LINE, [[2], [2, 4]], { mode, svSplit: "never" });
    expect(result).toMatchObject({ kind: "rejected", code: "SHARED_SUPERVOXEL", condition: "precondition" });
  });

  test("a group on two objects is not connected", () => {
    const result = cut([...LINE, [8, 9, 1]], [[1, 8], [4]], { mode });
    expect(result).toMatchObject({ kind: "rejected", code: "NOT_CONNECTED", condition: "precondition" });
  });

  test("a label whose supervoxel has no finite edge is not connected to its group", () => {
    const result = cut([...LINE, [8, 9, Infinity]], [[1, 8], [4]], { mode });
    expect(result).toMatchObject({ kind: "rejected", code: "NOT_CONNECTED" });
  });

  test("the source side is the smallest: of equal edges the one nearest to group 0 is cut", () => {
    expect(
      pairs(
        cut(
          [
            [1, 2, 1],
            [2, 3, 1],
            [3, 4, 1],
          ],
          [[1], [4]],
          { mode, disallowIsolating: false },
        ),
      ),
    ).toEqual(["1-2"]);
    expect(
      pairs(
        cut(
          [
            [1, 2, 1],
            [2, 3, 1],
            [3, 4, 1],
          ],
          [[4], [1]],
          { mode, disallowIsolating: false },
        ),
      ),
    ).toEqual(["3-4"]);
  });
});

test("groups on two objects: direct mode says not connected, augmented that there is nothing to cut", () => {
  const list: Row[] = [
    [1, 2, 1],
    [3, 4, 1],
  ];
  expect(cut(list, [[1], [4]], { mode: "direct" })).toMatchObject({ code: "NOT_CONNECTED", condition: "precondition" });
  expect(cut(list, [[1], [4]])).toMatchObject({ code: "EMPTY_CUT", condition: "postcondition", flow: 0 });
});

test("an isolating cut is refused in direct mode, and legal where it is allowed", () => {
  const list: Row[] = [
    [1, 2, 0.01],
    [2, 3, 0.9],
    [3, 4, 0.9],
  ];
  expect(cut(list, [[1], [4]], { mode: "direct" })).toMatchObject({
    kind: "rejected",
    code: "ISOLATING_CUT",
    condition: "precondition",
    group: 0,
    flow: 0.01,
  });
  expect(pairs(cut(list, [[1], [4]], { mode: "direct", disallowIsolating: false }))).toEqual(["1-2"]);
  const preview = cut(list, [[1], [4]], { mode: "direct", preview: true });
  expect(preview).toMatchObject({
    kind: "preview",
    legal: false,
    problems: [{ code: "ISOLATING_CUT", group: 0 }],
    parts: [ids(1), ids(2, 3, 4)],
  });
});

test("in augmented mode the check counts path vertices, and a single label has none", () => {
  const list: Row[] = [
    [1, 2, 5],
    [2, 3, 5],
    [3, 4, 0.1],
    [4, 5, 9],
    [1, 6, 0.2],
    [6, 5, 9],
  ];
  expect(cut(list, [[1, 3], [5]])).toMatchObject({ kind: "rejected", code: "ISOLATING_CUT", group: 0 });
  expect(
    cut(
      [
        [1, 2, 0.01],
        [2, 3, 0.9],
        [3, 4, 0.9],
      ],
      [[1], [4]],
    ),
  ).toMatchObject({ kind: "cut" });
});

test("direct mode refuses a cut that tears a group apart; augmented mode keeps the group's path", () => {
  // A star: 1 and 2 hang on 0 more weakly than 3 does.
  const star: Row[] = [
    [0, 1, 2],
    [0, 2, 3],
    [0, 3, 10],
  ];
  expect(cut(star, [[1, 2], [3]], { mode: "direct" })).toMatchObject({
    kind: "rejected",
    code: "GROUP_SEVERED",
    condition: "precondition",
    flow: 5,
  });
  expect(cut(star, [[1, 2], [3]], { mode: "direct", svSplit: "always" })).toMatchObject({
    kind: "svSplitRequired",
    code: "GROUP_SEVERED",
    reps: [],
  });
  expect(cut(star, [[1, 2], [3]])).toMatchObject({ kind: "cut", flow: 10, parts: [ids(0, 1, 2), ids(3)] });
});

test("a group without any path is for a split where upstream asks for one, naming what its labels lie in", () => {
  const list: Row[] = [...LINE, [8, 9, 1], [9, 10, Infinity]];
  expect(cut(list, [[4], [10, 1]], { svSplit: "always" })).toMatchObject({
    kind: "svSplitRequired",
    code: "NOT_CONNECTED",
    reps: [
      { rep: 1n, members: ids(1), groups: [1] },
      { rep: 9n, members: ids(9, 10), groups: [1] },
    ],
    remapping: { supervoxels: ids(1, 2, 3, 4, 8, 9, 10), reps: ids(1, 2, 3, 4, 8, 9, 9) },
  });
  for (const options of [{}, { svSplit: "never" }, { svSplit: "always", mode: "direct" }] as const) {
    expect(cut(list, [[4], [10, 1]], options)).toMatchObject({ kind: "rejected", code: "NOT_CONNECTED" });
  }
});

test("a group connected only across another's label needs that supervoxel split", () => {
  expect(cut(LINE, [[1, 4], [2]])).toMatchObject({
    kind: "svSplitRequired",
    code: "BLOCKED_BY_LABELS",
    reps: [{ rep: 2n, members: ids(2), groups: [0, 1] }],
  });
  expect(cut(LINE, [[1, 4], [2]], { svSplit: "never" })).toMatchObject({
    kind: "rejected",
    code: "BLOCKED_BY_LABELS",
    condition: "precondition",
    group: 0,
  });
});

/** On graphs this small the paths are whole sides, which would count as isolating them. */
function contest(list: readonly Row[], groups: readonly (readonly number[])[], options: Options = {}): MulticutResult {
  return cut(list, groups, { disallowIsolating: false, ...options });
}

describe("where the paths of groups overlap", () => {
  test("the group with shorter paths keeps its way and the other goes around", () => {
    const shorter = CROSSING.map(([a, b, w]): Row => [a, b, a === 3 || b === 4 ? 20 : w]);
    expect(
      contest(shorter, [
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ kind: "cut", parts: [ids(1, 2, 6), ids(3, 4, 5)] });
  });

  test("a tie goes to the later group", () => {
    expect(
      contest(CROSSING, [
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ kind: "cut", parts: [ids(1, 2, 6), ids(3, 4, 5)] });
  });

  test("if the loser finds no way, the winner must: once", () => {
    // Group 0 would win at 5, but group 1 has no other way.
    const list = CROSSING.map(([a, b, w]): Row => [a, b, a === 1 && b === 5 ? 30 : w]);
    expect(
      contest(list, [
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ kind: "cut", parts: [ids(1, 2, 6), ids(3, 4, 5)] });
  });

  test("if neither can go around, the points are refused", () => {
    const list = CROSSING.filter(([a, b]) => a !== 6 && b !== 6);
    expect(
      contest(list, [
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ kind: "rejected", code: "PATHS_OVERLAP", condition: "precondition" });
    expect(
      contest(
        list,
        [
          [1, 2],
          [3, 4],
        ],
        { svSplit: "always" },
      ),
    ).toMatchObject({ kind: "rejected" });
  });

  test("ladders are cut along their rungs", () => {
    const ladder: Row[] = [];
    for (let i = 0; i < 5; i++) {
      ladder.push([i, 10 + i, 1]);
      if (i < 4) ladder.push([i, i + 1, 2], [10 + i, 11 + i, 2]);
    }
    expect(
      pairs(
        contest(ladder, [
          [0, 4],
          [10, 14],
        ]),
      ),
    ).toEqual(["0-10", "1-11", "2-12", "3-13", "4-14"]);
    // Labels at opposite corners: the ways cross, one goes around.
    expect(
      contest(ladder, [
        [0, 2],
        [11, 14],
      ]),
    ).toMatchObject({ kind: "cut" });
  });

  test("two fans that share their hub are cut at the weak edge between the hubs", () => {
    const list: Row[] = [
      [1, 3, 1],
      [2, 3, 1],
      [3, 4, 0.1],
      [4, 5, 1],
      [4, 6, 1],
      [3, 7, 0.5],
      [4, 8, 0.5],
    ];
    expect(
      pairs(
        contest(list, [
          [1, 2],
          [5, 6],
        ]),
      ),
    ).toEqual(["3-4"]);
  });
});

describe("a preview", () => {
  test("is the cut, edge by edge and part by part", () => {
    const [result, preview] = [false, true].map((asPreview) =>
      contest(
        CROSSING,
        [
          [1, 2],
          [3, 4],
        ],
        { preview: asPreview },
      ),
    );
    expect({ ...preview, kind: "cut", legal: undefined, problems: undefined }).toEqual({
      ...result,
      legal: undefined,
      problems: undefined,
    });
    expect(preview).toMatchObject({ kind: "preview", legal: true, problems: [] });
  });

  test("keeps every supervoxel, groups first, representatives expanded", () => {
    const list: Row[] = [...LINE, [1, 9, Infinity], [20, 21, 1], [30, 31, Infinity]];
    const result = contest(list, [[4], [9]], { preview: true });
    expect(result).toMatchObject({
      parts: [ids(3, 4), ids(1, 2, 9), ids(20, 21), ids(30, 31)],
      labelCounts: [
        [1, 0],
        [0, 1],
        [0, 0],
        [0, 0],
      ],
    });
  });

  test("gives each group its own slot when one part holds most labels of both", () => {
    // A torn group 0: its labels are alone, in parts of their own.
    const star: Row[] = [
      [0, 1, 2],
      [0, 2, 3],
      [0, 3, 10],
    ];
    const result = cut(star, [[1, 2], [3]], { mode: "direct", preview: true });
    expect(result).toMatchObject({
      legal: false,
      parts: [ids(1), ids(0, 3), ids(2)],
      sides: [0, 1, 0],
      labelCounts: [
        [1, 0],
        [0, 1],
        [1, 0],
      ],
    });
  });

  test("says what needs a supervoxel split instead of failing", () => {
    expect(cut(LINE, [[2], [2]], { preview: true })).toMatchObject({ kind: "svSplitRequired" });
  });
});

describe("defects of upstream that are not copied", () => {
  test("a label-only vertex shifts no vertex numbers: the cut between the others is the same", () => {
    const plainCut = cut(LINE, [[1], [4]]);
    // 0 sorts before everything and has infinite edges alone.
    const withOther = cut([...LINE, [0, 90, Infinity]], [[1], [4]]);
    expect(pairs(withOther)).toEqual(pairs(plainCut));
  });

  test("a side without finite edges does not fall back to direct mode in silence", () => {
    expect(cut([...LINE, [8, 9, Infinity]], [[8], [1, 4]])).toMatchObject({ kind: "rejected", code: "EMPTY_CUT" });
  });

  test("each edge is named once, however often its rows repeat in either direction", () => {
    const twice = [...LINE, ...LINE, ...LINE.map(([a, b, w]): Row => [b, a, w])];
    const result = cut(twice, [[1], [4]]);
    expect(pairs(result)).toEqual(["2-3"]);
    expect(result).toMatchObject({ flow: 3 });
  });

  test("a preview of labels that all end up in one part has a slot for each group", () => {
    const star: Row[] = [
      [0, 1, 2],
      [0, 2, 3],
      [0, 3, 10],
    ];
    const result = cut(star, [[1, 2], [3]], { mode: "direct", preview: true });
    expect(result.kind === "preview" && result.parts.slice(0, 2).every((part) => part.length > 0)).toBe(true);
  });

  test("a preview that needs a supervoxel split or has nothing to cut is an answer, not a crash", () => {
    expect(cut(LINE, [[1, 3], [3]], { preview: true })).toMatchObject({ kind: "svSplitRequired" });
    expect(
      cut(
        [
          [1, 2, 1],
          [3, 4, 1],
        ],
        [[1], [4]],
        { preview: true },
      ),
    ).toMatchObject({ code: "EMPTY_CUT" });
  });
});
