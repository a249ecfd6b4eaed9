import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Fragment,
  isVoxelSplitError,
  type RouteRequest,
  type Routing,
  routeEdges,
} from "../../src/voxel/index.ts";

const INF = Number.POSITIVE_INFINITY;
type Row = readonly [a: number, b: number, affinity: number, area?: number];

/** A row of voxels; supervoxel 5 became 51 (side 1) and 52 (side 2), 6 became 61 and 62. */
const sideOf: Readonly<Record<number, readonly [old: number, side: number]>> = {
  51: [5, 1],
  52: [5, 2],
  53: [5, 3],
  54: [5, 1],
  61: [6, 1],
  62: [6, 2],
  63: [6, 3],
  64: [6, 2],
};

function route(labels: readonly number[], rows: readonly Row[], rest: Partial<RouteRequest> = {}): Routing {
  const fragments = [...new Set(labels)]
    .filter((id) => id in sideOf)
    .map((id): Fragment => {
      const [old, side] = sideOf[id]!;
      const voxels = labels.filter((label) => label === id).length;
      return { id: BigInt(id), old: BigInt(old), side, chunk: [0, 0, 0], voxels, at: [labels.indexOf(id), 0, 0] };
    });
  return routeEdges({
    labels: BigUint64Array.from(labels, BigInt),
    size: [labels.length, 1, 1],
    offset: [0, 0, 0],
    voxelSize: [1, 1, 1],
    groups: 2,
    fragments,
    edges: BigUint64Array.from(rows.flatMap(([a, b]) => [BigInt(a), BigInt(b)])),
    affinities: Float64Array.from(rows, ([, , affinity]) => affinity),
    areas: BigUint64Array.from(rows, ([, , , area = 1]) => BigInt(area)),
    // Ids below 80 belong to the object.
    sameObject: (id) => id < 80n,
    ...rest,
  });
}

/** New rows but for those between fragments of one supervoxel. */
function rowsOf(routing: Routing): (number | bigint)[][] {
  if (routing.kind !== "routed") throw new Error(`routing ended as ${routing.kind}`);
  return Array.from(routing.affinities, (affinity, row) => [
    Number(routing.edges[2 * row]),
    Number(routing.edges[2 * row + 1]),
    affinity,
    Number(routing.areas[row]),
  ]).filter(([, , affinity]) => affinity !== 0.001);
}

describe("the table of rules", () => {
  test("an edge to another object goes to every fragment, affinity and area kept", () => {
    expect(rowsOf(route([51, 52, 90], [[90, 5, 7, 3]]))).toEqual([
      [51, 90, 7, 3],
      [52, 90, 7, 3],
    ]);
    expect(rowsOf(route([51, 52, 90], [[5, 90, INF, 3]]))).toEqual([
      [51, 90, INF, 3],
      [52, 90, INF, 3],
    ]);
  });

  test("an infinite edge to a split supervoxel joins fragments of the same side that touch", () => {
    const grid = [51, 61, 52, 62];
    const routing = route(grid, [[6, 5, INF, 4]], { size: [2, 2, 1] });
    expect(rowsOf(routing)).toEqual([
      [51, 61, INF, 4],
      [52, 62, INF, 4],
    ]);
  });

  test("an infinite edge to a split supervoxel joins the nearest of the same side where none touches", () => {
    expect(rowsOf(route([54, 0, 51, 52, 62, 61], [[5, 6, INF]]))).toEqual([
      [51, 61, INF, 1],
      [52, 62, INF, 1],
    ]);
  });

  test("an infinite edge to a whole supervoxel goes to the one fragment with most contact", () => {
    // 7 touches 51 with one voxel and 52 with two.
    expect(rowsOf(route([51, 52, 52, 7, 7, 7], [[7, 5, INF]], { size: [3, 2, 1] }))).toEqual([[7, 52, INF, 1]]);
  });

  test("an infinite edge to a whole supervoxel that touches none goes to the nearest", () => {
    expect(rowsOf(route([51, 52, 0, 0, 7], [[5, 7, INF]]))).toEqual([[7, 52, INF, 1]]);
  });

  test("of equally near fragments the same are joined whichever way the row runs", () => {
    // No side in common; 51 is as near to 64 as 54 is to 62, so that an edge of 0.001 joins the smaller ids.
    const ties = [
      [5, 6, INF],
      [6, 5, INF],
    ] as const;
    const [there, back] = ties.map((row) => route([51, 0, 64, 0, 0, 0, 54, 0, 62], [row]));
    expect(there).toMatchObject({
      edges: BigUint64Array.of(51n, 54n, 51n, 64n, 62n, 64n),
      affinities: new Float64Array(3).fill(0.001),
      areas: BigUint64Array.of(0n, 1n, 0n),
    });
    expect(back).toEqual(there);
  });

  test("a finite edge goes to all fragments in reach", () => {
    const labels = [51, 52, 7];
    expect(rowsOf(route(labels, [[5, 7, 2, 9]]))).toEqual([
      [7, 51, 2, 9],
      [7, 52, 2, 9],
    ]);
    expect(rowsOf(route(labels, [[5, 7, 2]], { reach: 1.5 }))).toEqual([[7, 52, 2, 1]]);
  });

  test("a finite edge goes to the nearest fragment when none is in reach", () => {
    expect(rowsOf(route([51, 52, 0, 0, 7], [[5, 7, 2]], { reach: 0.5 }))).toEqual([[7, 52, 2, 1]]);
  });

  test("a finite edge between two split supervoxels leaves no fragment out", () => {
    expect(rowsOf(route([51, 52, 61, 62], [[5, 6, 2]], { reach: 1.5 }))).toEqual([
      [51, 61, 2, 1],
      [52, 61, 2, 1],
      [52, 62, 2, 1],
    ]);
  });

  test("fragments of one supervoxel are joined in all pairs by 0.001 and no area", () => {
    const routing = route([51, 52, 53], []);
    expect(routing).toMatchObject({
      kind: "routed",
      edges: BigUint64Array.of(51n, 52n, 51n, 53n, 52n, 53n),
      affinities: Float64Array.of(0.001, 0.001, 0.001),
      areas: BigUint64Array.of(0n, 0n, 0n),
    });
  });

  test("rows that touch no split supervoxel stay, the others are named as replaced", () => {
    const routing = route(
      [51, 52, 7, 8],
      [
        [7, 8, 3],
        [8, 5, 3],
        [7, 90, INF],
        [5, 5, 3],
      ],
    );
    expect(routing).toMatchObject({ kind: "routed", replaced: Uint32Array.of(1, 3) });
  });
});

describe("defects of the old way", () => {
  test("distances are physical, so that a coarse axis counts", () => {
    // 52 lies seven voxels of 4 from 7, and 51 two voxels of 40.
    const block = new Array<number>(24).fill(0);
    block[0] = 52;
    block[7] = 7;
    block[7 + 16] = 51;
    const routing = route(block, [[5, 7, INF]], { size: [8, 3, 1], voxelSize: [4, 40, 40] });
    expect(rowsOf(routing)).toEqual([[7, 52, INF, 1]]);
  });

  test("a partner outside of the block is placed in the block's own frame, whatever the offset", () => {
    const boxOf = () => ({ begin: [996, 0, 0] as const, size: [4, 1, 1] as const });
    expect(rowsOf(route([51, 51, 52, 52], [[5, 7, INF]], { offset: [1000, 0, 0], boxOf }))).toEqual([[7, 51, INF, 1]]);
    const beyond = () => ({ begin: [1004, 0, 0] as const, size: [4, 1, 1] as const });
    expect(rowsOf(route([51, 51, 52, 52], [[5, 7, INF]], { offset: [1000, 0, 0], boxOf: beyond }))).toEqual([
      [7, 52, INF, 1],
    ]);
    try {
      route([51, 52], [[5, 7, INF]]);
      expect.unreachable();
    } catch (error) {
      expect(isVoxelSplitError(error, "UNKNOWN_PLACE")).toBe(true);
      expect((error as Error).message).toMatch(/supervoxel 7 has no voxel in the block/);
    }
  });

  test("parallel edges keep the affinity of each; exact repeats, also reversed, count once", () => {
    const rows: Row[] = [
      [5, 90, 4, 2],
      [90, 5, 4, 2],
      [5, 90, 6, 2],
    ];
    expect(rowsOf(route([51, 52, 90], rows)).filter(([a]) => a === 51)).toEqual([
      [51, 90, 4, 2],
      [51, 90, 6, 2],
    ]);
  });
});

describe("the proof", () => {
  test("two whole supervoxels that infinite edges tie to opposite sides and to each other ask for a cascade", () => {
    const routing = route(
      [7, 51, 52, 8],
      [
        [5, 7, INF],
        [5, 8, INF],
        [7, 8, INF],
      ],
    );
    expect(routing).toEqual({ kind: "cascade", partners: BigUint64Array.of(7n, 8n) });
  });

  test("a chain of infinite edges far from the fragments counts too, and names those tied to fragments", () => {
    const rows: Row[] = [
      [5, 7, INF],
      [5, 8, INF],
      [7, 70, INF],
      [70, 71, INF],
      [71, 8, INF],
    ];
    expect(route([7, 51, 52, 8], rows)).toEqual({ kind: "cascade", partners: BigUint64Array.of(7n, 8n) });
  });

  test("without the last link the same edges are routed", () => {
    const rows: Row[] = [
      [5, 7, INF],
      [5, 8, INF],
    ];
    expect(rowsOf(route([7, 51, 52, 8], rows))).toEqual([
      [7, 51, INF, 1],
      [8, 52, INF, 1],
    ]);
  });

  test("where the surface runs along a chunk border, an infinite edge is cut there", () => {
    // Split on both sides of the border, on one, on none.
    expect(route([51, 62], [[5, 6, INF, 4]])).toMatchObject({
      kind: "routed",
      edges: BigUint64Array.of(51n, 62n),
      affinities: Float64Array.of(0.001),
      areas: BigUint64Array.of(4n),
    });
    const whole = new Map([
      [7n, 1],
      [8n, 2],
    ]);
    const half = route([51, 54, 8], [[5, 8, INF, 4]], { whole });
    expect(half).toMatchObject({ affinities: Float64Array.of(0.001, 0.001), areas: BigUint64Array.of(4n, 0n) });
    const none = route([51, 52, 7, 8], [[7, 8, INF, 4]], { whole });
    expect(none).toMatchObject({
      edges: BigUint64Array.of(7n, 8n, 51n, 52n),
      affinities: Float64Array.of(0.001, 0.001),
      replaced: Uint32Array.of(0),
    });
    expect(route([51, 52, 7, 8], [[7, 8, INF, 4]])).toMatchObject({ replaced: new Uint32Array(0) });
  });

  test("a whole supervoxel keeps its infinite edge to the fragment of its own side, not to the one it touches most", () => {
    const grid = [51, 52, 52, 7, 7, 7];
    const rows: Row[] = [
      [5, 7, INF],
      [7, 8, INF],
    ];
    const whole = new Map([[7n, 1]]);
    expect(rowsOf(route(grid, rows, { size: [3, 2, 1], whole }))).toEqual([[7, 51, INF, 1]]);
    expect(rowsOf(route(grid, rows, { size: [3, 2, 1], whole: new Map([[7n, 3]]) }))).toEqual([[7, 52, INF, 1]]);
  });

  test("a whole supervoxel that others tie to two groups is not asked to be split again", () => {
    const rows: Row[] = [
      [5, 70, INF],
      [70, 71, INF],
      [71, 7, INF],
    ];
    const whole = new Map([[7n, 2]]);
    expect(route([51, 52, 0, 0, 0, 0, 7, 71, 70, 51], rows, { whole })).toEqual({
      kind: "cascade",
      partners: BigUint64Array.of(70n, 71n),
    });
  });

  test("leftovers that tie two groups together are refused", () => {
    // 63 is all of 6 that is left; 51 and 82 are as near to it.
    const eight = { id: 82n, old: 8n, side: 2, chunk: [0, 0, 0], voxels: 1, at: [2, 0, 0] } as const;
    const fragments = [{ ...eight, id: 51n, old: 5n, side: 1 }, { ...eight, id: 63n, old: 6n, side: 3 }, eight];
    const rows: Row[] = [
      [5, 6, INF],
      [6, 8, INF],
    ];
    expect(route([51, 63, 82], rows, { fragments })).toEqual({
      kind: "bridged",
      fragments: BigUint64Array.of(51n, 63n, 82n),
    });
  });

  test("leftovers may join any side, but not both", () => {
    expect(rowsOf(route([51, 63], [[5, 6, INF]]))).toEqual([[51, 63, INF, 1]]);
  });

  test("infinite edges of other objects prove nothing about this one", () => {
    const rows: Row[] = [[5, 90, INF]];
    expect(route([51, 52, 90], rows).kind).toBe("routed");
  });
});

test("tables that do not fit are refused with the numbers", () => {
  expect(() => route([51, 52], [], { areas: BigUint64Array.of(1n) })).toThrow(/got 0, 0 and 1/);
  expect(() => route([51, 52], [], { size: [3, 1, 1] })).toThrow(/labels has 2 elements.*has 3/);
});

test("rows in any order and direction route the same", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<number>(0, 51, 52, 53, 54, 61, 62, 63, 64, 7, 8, 90), { minLength: 6, maxLength: 18 }),
      fc.array(
        fc.tuple(
          fc.constantFrom(5, 6),
          fc.constantFrom(5, 6, 7, 8, 90),
          fc.constantFrom(INF, 2, 0),
          fc.nat(3),
          fc.boolean(),
        ),
        { maxLength: 6 },
      ),
      (labels, table) => {
        fc.pre([5, 6].every((old) => labels.some((id) => sideOf[id]?.[0] === old)));
        fc.pre([7, 8, 90].every((id) => labels.includes(id)));
        const there = table.map(([a, b, affinity, area]): Row => [a, b, affinity, area]);
        const back = table.map(
          ([a, b, affinity, area, turned]): Row => (turned ? [b, a, affinity, area] : [a, b, affinity, area]),
        );
        const { replaced: _rows, ...one } = { replaced: 0, ...route(labels, there) };
        const { replaced: _others, ...other } = { replaced: 0, ...route(labels, back.reverse()) };
        expect(other).toEqual(one);
      },
    ),
    { numRuns: 200 },
  );
});
