import { describe, expect, test } from "vitest";
import {
  cutSurface,
  isVoxelSplitError,
  type RelabelRequest,
  type RouteRequest,
  relabelChunks,
  routeEdges,
  type SplitRequest,
  splitVoxels,
} from "../../src/voxel/index.ts";

type Change = Record<string, unknown>;
type Case = [what: string, change: Change, argument: string, message: RegExp];

const bar = {
  mask: new Uint8Array(20).fill(1),
  size: [20, 1, 1],
  voxelSize: [1, 1, 1],
  seeds: [[[2, 0, 0]], [[17, 0, 0]]],
} satisfies SplitRequest;
const labels = new BigUint64Array(20).fill(5n);
const labelled = { mask: undefined, labels, ids: BigUint64Array.of(5n) };

function expectRefusal(error: unknown, argument: string, message: RegExp): void {
  expect((error as Error).message).toMatch(message);
  expect(isVoxelSplitError(error, "INVALID_ARGUMENT")).toBe(true);
  expect(error).toMatchObject({ fields: { argument } });
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("the call did not throw");
}

describe("splitVoxels refuses by name", () => {
  const cases: Case[] = [
    ["an unknown method", { method: "watershed" }, "method", /"banded" or "geodesic", got "watershed"/],
    ["a method of another case", { method: "Banded" }, "method", /got "Banded"/],
    [
      "seeds a level too flat",
      {
        seeds: [
          [2, 0, 0],
          [17, 0, 0],
        ],
      },
      "seeds[0]",
      /list of positions \[x, y, z\], got the number 2/,
    ],
    ["no seeds", { seeds: undefined }, "seeds", /list of 2 or more groups.*got undefined/],
    ["one group", { seeds: [[[2, 0, 0]]] }, "seeds", /2 to 254 groups, got 1/],
    ["255 groups", { seeds: Array.from({ length: 255 }, () => [[2, 0, 0]]) }, "seeds", /got 255/],
    ["a group that is no list", { seeds: [[[2, 0, 0]], null] }, "seeds[1]", /got null/],
    [
      "a seed of two numbers",
      { seeds: [[[2, 0, 0]], [[17, 0]]] },
      "seeds[1][0]",
      /three finite numbers.*got \[17, 0\]/,
    ],
    ["a seed that is NaN", { seeds: [[[2, 0, 0]], [[Number.NaN, 0, 0]]] }, "seeds[1][0]", /finite.*got \[NaN, 0, 0\]/],
    [
      "an infinite seed",
      {
        seeds: [
          [
            [2, 0, 0],
            [0, Infinity, 0],
          ],
          [[1, 0, 0]],
        ],
      },
      "seeds[0][1]",
      /got \[0, Infinity, 0\]/,
    ],
    ["a seed of bigints", { seeds: [[[2n, 0n, 0n]], [[1, 0, 0]]] }, "seeds[0][0]", /got \[2, 0, 0\]/],
    ["no size", { size: undefined }, "size", /three whole numbers above 0.*got undefined/],
    ["a size of two", { size: [20, 1] }, "size", /got \[20, 1\]/],
    ["half a voxel", { size: [2.5, 1, 8] }, "size", /got \[2.5, 1, 8\]/],
    ["an empty box", { size: [0, 1, 1] }, "size", /above 0/],
    ["a box beyond 2^31 voxels", { size: [2 ** 16, 2 ** 16, 1] }, "size", /fewer than 2\^31.*got 65536×65536×1/],
    ["a mask of another size", { size: [21, 1, 1] }, "mask", /mask has 20 elements.*21×1×1 voxels has 21/],
    ["a flat voxel", { voxelSize: [1, 0, 1] }, "voxelSize", /finite lengths above 0.*got \[1, 0, 1\]/],
    ["no voxel size", { voxelSize: undefined }, "voxelSize", /got undefined/],
    ["one number for a voxel size", { voxelSize: 4 }, "voxelSize", /got 4/],
    ["half an offset", { offset: [0.5, 0, 0] }, "offset", /three whole numbers.*got \[0.5, 0, 0\]/],
    ["a box that ends beyond 2^50", { offset: [2 ** 50 - 19, 0, 0] }, "offset", /-2\^50 to 2\^50.*a box of 20×1×1/],
    ["a box that begins before −2^50", { offset: [0, -(2 ** 51), 0] }, "offset", /shift the frame.*got \[0, -22517998/],
    ["voxels far too small", { voxelSize: [8e-165, 8e-165, 4e-164] }, "voxelSize", /1e-30 to 1e\+30.*got \[8e-165/],
    ["voxels far too large", { voxelSize: [1, 1, 1e37] }, "voxelSize", /choose another unit/],
    ["voxels too flat", { voxelSize: [1, 3, 101] }, "voxelSize", /differ by 100 times at most.*by 101\.0 times/],
    ["a misspelt option", { weight: new Uint8Array(20) }, "weight", /no argument "weight"; it takes mask.*weights/],
    ["a signal that is a controller", { signal: new AbortController() }, "signal", /an AbortSignal, got a/],
    ["progress that is no function", { onProgress: true }, "onProgress", /a function of the progress, got true/],
    ["a mask that is a list", { mask: Array(20).fill(1) }, "mask", /a Uint8Array, got an array/],
    ["mask and labels", { labels, ids: BigUint64Array.of(5n) }, "mask", /given alone.*got mask and labels/],
    ["mask and ids", { ids: BigUint64Array.of(5n) }, "mask", /got mask and ids/],
    ["neither mask nor labels", { mask: undefined }, "mask", /given, or else labels and ids, got neither/],
    ["labels without ids", { ...labelled, ids: undefined }, "ids", /a BigUint64Array.*got undefined/],
    ["ids as numbers", { ...labelled, ids: [5] }, "ids", /a BigUint64Array.*got an array/],
    ["background among ids", { ...labelled, ids: BigUint64Array.of(5n, 0n) }, "ids", /without 0/],
    [
      "labels of 16 bits",
      { ...labelled, labels: new Uint16Array(20) },
      "labels",
      /BigUint64Array or Uint32Array, got a Uint16Array/,
    ],
    ["weights of another size", { weights: new Uint8Array(3) }, "weights", /weights has 3 elements/],
    ["weights of another kind", { weights: new Float32Array(20) }, "weights", /a Uint8Array, got a Float32Array/],
    ["a band too wide", { band: 1.5 }, "band", /above 0 and below 1, got 1.5/],
    ["a band in words", { band: "0.5" }, "band", /got "0.5"/],
    ["a negative snap distance", { snapDistance: -1 }, "snapDistance", /0 or more, got -1/],
    ["a snap distance that is NaN", { snapDistance: Number.NaN }, "snapDistance", /got NaN/],
  ];
  test.each(cases)("%s", async (_, change, argument, message) => {
    const request = { ...bar, ...change } as unknown as SplitRequest;
    expectRefusal(await splitVoxels(request).catch((error: unknown) => error), argument, message);
  });

  test.each([undefined, null, 3])("%s for a request", async (request) => {
    const error = await splitVoxels(request as unknown as SplitRequest).catch((thrown: unknown) => thrown);
    expectRefusal(error, "the argument of splitVoxels", /must be an object that holds the arguments by name/);
  });

  test("groups and seeds are counted from 0 in messages and fields, as in the request", async () => {
    const seeds: SplitRequest["seeds"] = [
      [[2, 0, 0]],
      [
        [17, 0, 0],
        [40, 0, 0],
      ],
    ];
    await expect(splitVoxels({ ...bar, seeds })).rejects.toMatchObject({
      code: "SEED_OUTSIDE",
      message: expect.stringContaining("seeds[1][1], (40, 0, 0)"),
      fields: { group: 1, seed: 1 },
    });
    await expect(splitVoxels({ ...bar, seeds: [[[2, 0, 0]], []] })).rejects.toMatchObject({ fields: { group: 1 } });
    await expect(splitVoxels({ ...bar, seeds: [[[2, 0, 0]], [[2, 0, 0]]] })).rejects.toMatchObject({
      code: "SEED_CONFLICT",
      fields: { group: 1, other: 0, x: 2, y: 0, z: 0 },
    });
  });

  test("positions and sizes may be typed arrays, as image libraries give them", async () => {
    const request = { ...bar, size: Uint32Array.of(20, 1, 1), voxelSize: Float32Array.of(1, 1, 1) };
    const { sides } = await splitVoxels(request as unknown as SplitRequest);
    expect(sides.join("")).toBe("11111111112222222222");
  });
});

describe("relabelChunks refuses by name", () => {
  const good = {
    labels,
    sides: Uint8Array.from({ length: 20 }, (_, x) => (x < 9 ? 1 : 2)),
    size: [20, 1, 1],
    chunkSize: [20, 1, 1],
    mint: () => BigUint64Array.of(7n, 8n),
  } satisfies RelabelRequest;
  const cases: Case[] = [
    ["labels of 32 bits", { labels: new Uint32Array(20) }, "labels", /a BigUint64Array, got a Uint32Array/],
    ["no sides", { sides: undefined }, "sides", /got undefined/],
    ["sides of another size", { sides: new Uint8Array(3) }, "sides", /sides has 3 elements/],
    ["an empty chunk", { chunkSize: [0, 1, 1] }, "chunkSize", /above 0.*got \[0, 1, 1\]/],
    ["half an offset", { offset: [0, 0.5, 0] }, "offset", /got \[0, 0.5, 0\]/],
    ["a box that ends beyond 2^50", { offset: [2 ** 53 - 5, 0, 0] }, "offset", /2\^50.*a box of 20×1×1/],
    [
      "an origin beyond 2^50",
      { chunkOrigin: [0, 2 ** 53 - 1, 0] },
      "chunkOrigin",
      /2\^50.*got \[0, 9007199254740991, 0\]/,
    ],
    ["a misspelt option", { chunksize: [4, 4, 4] }, "chunksize", /no argument "chunksize"; it takes labels.*chunkSize/],
    ["half an origin", { chunkOrigin: [0, Number.NaN, 0] }, "chunkOrigin", /got \[0, NaN, 0\]/],
    ["no mint", { mint: undefined }, "mint", /a function/],
    [
      "a voxel without a side",
      { sides: Uint8Array.from({ length: 20 }, (_, x) => (x === 3 ? 0 : x < 9 ? 1 : 2)) },
      "sides",
      /sides\[3\] is 0, but supervoxel 5/,
    ],
  ];
  test.each(cases)("%s", (_, change, argument, message) => {
    const request = { ...good, ...change } as unknown as RelabelRequest;
    expectRefusal(
      thrownBy(() => relabelChunks(request)),
      argument,
      message,
    );
  });

  test("ids that are numbers", () => {
    const mint = (() => [7, 8]) as unknown as RelabelRequest["mint"];
    expect(() => relabelChunks({ ...good, mint })).toThrow(/mint must give a BigUint64Array, got an array/);
  });
});

describe("routeEdges refuses by name", () => {
  const good = {
    edges: BigUint64Array.of(5n, 6n),
    affinities: Float64Array.of(1),
    areas: BigUint64Array.of(1n),
    fragments: [],
    groups: 2,
    labels,
    size: [20, 1, 1],
    offset: [0, 0, 0],
    voxelSize: [1, 1, 1],
    sameObject: () => true,
  } satisfies RouteRequest;
  const cases: Case[] = [
    ["an odd table", { areas: new BigUint64Array(2) }, "edges, affinities and areas", /2, 1 and 1.*got 2, 1 and 2/],
    ["edges as numbers", { edges: [5, 6] }, "edges", /a BigUint64Array, got an array/],
    ["affinities of 32 bits", { affinities: Float32Array.of(1) }, "affinities", /a Float64Array, got a Float32Array/],
    ["an affinity that is NaN", { affinities: Float64Array.of(Number.NaN) }, "affinities[0]", /got NaN/],
    ["a box that ends beyond 2^50", { offset: [0, 2 ** 50, 0] }, "offset", /2\^50.*a box of 20×1×1/],
    ["a misspelt option", { boxof: () => undefined }, "boxof", /no argument "boxof"; it takes edges.*boxOf/],
    ["no offset", { offset: undefined }, "offset", /got undefined/],
    ["no voxel size", { voxelSize: [1, 1] }, "voxelSize", /got \[1, 1\]/],
    ["labels of another size", { size: [4, 1, 1] }, "labels", /labels has 20 elements/],
    ["one group", { groups: 1 }, "groups", /2 or more, got 1/],
    ["sides in a list", { whole: [[5n, 1]] }, "whole", /the map that relabelChunks gave, got an array/],
    ["no sameObject", { sameObject: undefined }, "sameObject", /a function/],
    ["a negative reach", { reach: -1 }, "reach", /got -1/],
    ...(
      [
        ["a place without a size", { begin: [0, 0, 0] }, "boxOf(9).size", /three whole numbers above 0.*got undefined/],
        ["a place that is a corner", [0, 0, 0], "boxOf(9).size", /got undefined/],
        ["a place beyond 2^50", { begin: [2 ** 50, 0, 0], size: [1, 1, 1] }, "boxOf(9).begin", /2\^50/],
      ] as const
    ).map(([what, place, argument, message]): Case => {
      const fragment = { id: 5n, old: 50n, side: 1, chunk: [0, 0, 0], voxels: 20, at: [0, 0, 0] };
      return [
        what,
        { fragments: [fragment], edges: BigUint64Array.of(50n, 9n), boxOf: () => place },
        argument,
        message,
      ];
    }),
    [
      "a fragment without a voxel",
      {
        fragments: [{ id: 70n, old: 5n, side: 1, chunk: [0, 0, 0], voxels: 1, at: [0, 0, 0] }],
        edges: BigUint64Array.of(5n, 9n),
        labels: new BigUint64Array(20).fill(9n),
      },
      "fragments",
      /fragments names 70, which has no voxel in labels/,
    ],
  ];
  test.each(cases)("%s", (_, change, argument, message) => {
    const request = { ...good, ...change } as unknown as RouteRequest;
    expectRefusal(
      thrownBy(() => routeEdges(request)),
      argument,
      message,
    );
  });
});

test("cutSurface refuses sides of another size by name", () => {
  expectRefusal(
    thrownBy(() => cutSurface(new Uint8Array(3), [2, 2, 2], [1, 1, 1])),
    "sides",
    /sides has 3 elements/,
  );
});
