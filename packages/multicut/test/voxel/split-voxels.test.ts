import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { componentLabels, connectedComponents } from "@pcg/kernels";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawShape, requestOf, shapes } from "../../scripts/shapes.mjs";
import { cutSurface, isVoxelSplitError, type SplitRequest, splitVoxels, type Xyz } from "../../src/voxel/index.ts";

/** A bar of 20 voxels along x. */
const bar: SplitRequest = {
  mask: new Uint8Array(20).fill(1),
  size: [20, 1, 1],
  voxelSize: [1, 1, 1],
  seeds: [[[2, 0, 0]], [[17, 0, 0]]],
};

const sidesOf = async (request: SplitRequest): Promise<string> => (await splitVoxels(request)).sides.join("");

describe("the object", () => {
  test("a bar is cut in its middle", async () => {
    expect(await sidesOf(bar)).toBe("11111111112222222222");
  });

  test("labels with ids give what their mask gives, in 32 and 64 bits, ids beyond 2^53 told apart", async () => {
    const { mask: _, ...rest } = bar;
    const labels = BigUint64Array.from({ length: 20 }, (_, x) => (x < 16 ? 2n ** 60n + BigInt(x % 2) : 2n ** 60n + 2n));
    const ids = BigUint64Array.of(2n ** 60n, 2n ** 60n + 1n);
    const seeds: Xyz[][] = [[[1, 0, 0]], [[14, 0, 0]]];
    expect(await sidesOf({ ...rest, labels, ids, seeds })).toBe("11111111222222220000");
    const narrow = Uint32Array.from(labels, (label) => Number(label - 2n ** 60n + 1n));
    expect(await sidesOf({ ...rest, labels: narrow, ids: BigUint64Array.of(1n, 2n), seeds })).toBe(
      "11111111222222220000",
    );
  });

  test("positions are absolute: the offset moves them all", async () => {
    const offset: Xyz = [-7, 1000, 3];
    const seeds = bar.seeds.map((group) => group.map(([x, y, z]): Xyz => [x - 7, y + 1000, z + 3]));
    const split = await splitVoxels({ ...bar, offset, seeds });
    expect(split.sides.join("")).toBe("11111111112222222222");
    expect(split.seeds).toEqual([
      { side: 1, at: [-5, 1000, 3], distance: 0 },
      { side: 2, at: [10, 1000, 3], distance: 0 },
    ]);
  });

  test("the unit of length does not matter, not even by its rounding", async () => {
    const shape = shapes.find(({ name }) => name.startsWith("balls of 40"))!;
    const request = requestOf(shape, drawShape(shape).mask);
    const { sides } = await splitVoxels(request);
    for (const unit of [1e-29, 1e-9, 1 / 3, 2 ** 40, 1e28]) {
      const voxelSize = request.voxelSize.map((side) => side * unit) as unknown as Xyz;
      expect(Buffer.compare((await splitVoxels({ ...request, voxelSize })).sides, sides)).toBe(0);
    }
    // 0.3 / 0.1 is less than 3.
    const mask = Uint8Array.from({ length: 20 }, (_, x) => (x < 5 ? 0 : 1));
    const split = await splitVoxels({ ...bar, mask, voxelSize: [0.1, 0.1, 0.1], snapDistance: 0.3 } as SplitRequest);
    expect(split.seeds[0]!.at).toEqual([5, 0, 0]);
    expect(split.seeds[0]!.distance).toBeCloseTo(0.3, 12);
  });

  test("weights draw the cut to a membrane", async () => {
    const weights = new Uint8Array(20).fill(255);
    weights[12] = 10;
    expect(await sidesOf({ ...bar, weights })).toMatch(/^1{12}[12]2{7}$/);
  });

  test("a piece that no seed can reach becomes the rest and is named, not given to the first group", async () => {
    const mask = new Uint8Array(20).fill(1);
    mask[15] = 0;
    const split = await splitVoxels({ ...bar, mask, seeds: [[[2, 0, 0]], [[12, 0, 0]]], offset: [0, 0, 0] });
    expect(split.sides.join("")).toBe("11111111222222203333");
    expect(split.rest).toBe(3);
    expect(split.leftovers).toEqual([{ at: [16, 0, 0], voxels: 4 }]);
    expect(split.voxels).toEqual([8, 7, 4]);
  });

  test("groups in parts that do not touch get a part each", async () => {
    const mask = new Uint8Array(20).fill(1);
    mask[5] = 0;
    expect(await sidesOf({ ...bar, mask })).toBe("11111022222222222222");
  });
});

describe("seeds", () => {
  test("a seed beside the object goes to the physically nearest voxel, which need not be the nearest by number", async () => {
    const mask = new Uint8Array(9 * 9 * 3);
    const at = ([x, y, z]: Xyz): number => x + 9 * (y + 9 * z);
    mask[at([4, 4, 2])] = 1; // One voxel above: 40.
    mask[at([4, 8, 1])] = 1; // Four beside: 16.
    mask[at([0, 0, 0])] = 1;
    const split = await splitVoxels({
      mask,
      size: [9, 9, 3],
      voxelSize: [4, 4, 40],
      seeds: [[[4, 4, 1]], [[0, 0, 0]]],
    });
    expect(split.seeds[0]).toEqual({ side: 1, at: [4, 8, 1], distance: 16 });
  });

  test("seeds of a group are joined by a path that no cut can part", async () => {
    // A ladder of two rails: each team holds the two ends of a rail.
    const [sx, sy] = [41, 9];
    const mask = new Uint8Array(sx * sy);
    for (let x = 0; x < sx; x++) {
      for (const y of [0, 1, 2, 6, 7, 8]) mask[x + sx * y] = 1;
      if (x % 10 === 5) for (const y of [3, 4, 5]) mask[x + sx * y] = 1;
    }
    const split = await splitVoxels({
      mask,
      size: [sx, sy, 1],
      voxelSize: [1, 1, 1],
      seeds: [
        [
          [0, 1, 0],
          [40, 1, 0],
        ],
        [
          [40, 7, 0],
          [0, 7, 0],
        ],
      ],
    });
    for (let x = 0; x < sx; x++) {
      expect(split.sides[x + sx]).toBe(1);
      expect(split.sides[x + sx * 7]).toBe(2);
    }
    expect(cutSurface(split.sides, [sx, sy, 1], [1, 1, 1]).faces).toBe(4);
  });

  test("a team whose way is barred by the first one's path goes first in a second attempt", async () => {
    // A ring with a chord: the first team would take the chord, which is the second team's only way.
    const rows = ["1111111", "1000001", "1000001", "1111111", "1000001", "1111111"];
    const mask = Uint8Array.from(rows.join(""), Number);
    const split = await splitVoxels({
      mask,
      size: [7, 6, 1],
      voxelSize: [1, 1, 1],
      seeds: [
        [
          [0, 2, 0],
          [6, 2, 0],
        ],
        [
          [2, 3, 0],
          [4, 3, 0],
        ],
      ],
    });
    expect([2, 3, 4].map((x) => split.sides[x + 7 * 3])).toEqual([2, 2, 2]);
    expect(split.sides[3]).toBe(1);
  });

  test("a fraction stands for the voxel it lies in: voxel i covers i up to, not including, i + 1", async () => {
    const at = async (x: number, begin = 0): Promise<unknown> => {
      const other = begin + (x - begin < 10 ? 17 : 2);
      const seeds: Xyz[][] = [[[other, 0.5, 0.999]], [[x, 0, 0]]];
      try {
        const split = await splitVoxels({ ...bar, offset: [begin, 0, 0], seeds });
        return [split.seeds[1]!.at[0], split.seeds[1]!.distance];
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(await at(0.99)).toEqual([0, 0]);
    expect(await at(19)).toEqual([19, 0]);
    expect(await at(19.5)).toEqual([19, 0]);
    expect(await at(20)).toBe("SEED_OUTSIDE");
    expect(await at(-0.4)).toBe("SEED_OUTSIDE");
    expect(await at(-7.5, -8)).toEqual([-8, 0]);
    expect(await at(2 ** 50 - 3.5, 2 ** 50 - 20)).toEqual([2 ** 50 - 4, 0]);
  });

  test("the same seed twice counts once", async () => {
    const [first, second] = bar.seeds as [Xyz[], Xyz[]];
    expect(await sidesOf({ ...bar, seeds: [[...first, ...first], second] })).toBe("11111111112222222222");
  });
});

describe("refusals", () => {
  const empty = new Uint8Array(20);
  const gap = new Uint8Array(20).fill(1);
  gap[9] = 0;
  const cases: [string, Partial<SplitRequest>, RegExp][] = [
    ["EMPTY_MASK", { mask: empty } as Partial<SplitRequest>, /no voxel of the 20×1×1 box/],
    ["NO_SEEDS", { seeds: [[[2, 0, 0]], []] }, /seeds\[1\] is empty/],
    ["SEED_OUTSIDE", { seeds: [[[2, 0, 0]], [[20, 0, 0]]] }, /seeds\[1\]\[0\], \(20, 0, 0\)/],
    ["SEED_OUTSIDE", { offset: [3, 0, 0] }, /seeds\[0\]\[0\].*\(3, 0, 0\) to \(23, 1, 1\)/],
    ["SEED_TOO_FAR", { mask: Uint8Array.from(empty, (_, x) => (x > 12 ? 1 : 0)), snapDistance: 9 }, /farther than 9/],
    ["SEED_CONFLICT", { seeds: [[[2, 0, 0]], [[2, 0, 0]]] }, /groups 0 and 1 both fall on voxel \(2, 0, 0\)/],
    [
      "TEAM_DISCONNECTED",
      {
        mask: gap,
        seeds: [
          [
            [2, 0, 0],
            [12, 0, 0],
          ],
          [[17, 0, 0]],
        ],
      },
      /group 0 lie in parts of the object that do not touch/,
    ],
    [
      "TEAMS_CROSS",
      {
        seeds: [
          [
            [2, 0, 0],
            [12, 0, 0],
          ],
          [[7, 0, 0]],
        ],
      },
      /group 0 can only be connected through/,
    ],
  ];
  test.each(cases)("%s", async (code, change, message) => {
    const refusal = await splitVoxels({ ...bar, ...change } as SplitRequest).catch((error: unknown) => error);
    expect(isVoxelSplitError(refusal, code as "NO_SEEDS")).toBe(true);
    expect((refusal as Error).message).toMatch(message);
  });
});

test("which refusal it is does not depend on the order of seeds", async () => {
  // One seed too far, and two groups on one voxel.
  const mask = Uint8Array.from({ length: 20 }, (_, x) => (x < 4 ? 1 : 0));
  const [near, far]: Xyz[] = [
    [1, 0, 0],
    [19, 0, 0],
  ];
  for (const group of [
    [near!, far!],
    [far!, near!],
  ]) {
    const work = splitVoxels({ ...bar, mask, seeds: [[near!], group], snapDistance: 9 });
    await expect(work).rejects.toMatchObject({ code: "SEED_TOO_FAR", fields: { group: 1, seed: group.indexOf(far!) } });
  }
});

test("on any object, sides cover what seeds reach, each is one 26-component around its seeds, memory stays in bounds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 9 })),
      fc.nat(),
      fc.constantFrom(0.35, 0.6, 0.9),
      fc.integer({ min: 2, max: 4 }),
      fc.constantFrom("banded" as const, "geodesic" as const),
      async (size, seed, density, groups, method) => {
        const random = new Random(seed);
        const mask = Uint8Array.from({ length: size[0] * size[1] * size[2] }, () =>
          random.below(1000) < density * 1000 ? 1 : 0,
        );
        const position = (): Xyz => [random.below(size[0]), random.below(size[1]), random.below(size[2])];
        const seeds = Array.from({ length: groups }, () => Array.from({ length: random.between(1, 2) }, position));
        const request: SplitRequest = {
          mask,
          size,
          voxelSize: random.pick([
            [1, 1, 1],
            [4, 4, 40],
          ]) as Xyz,
          seeds,
          method,
        };
        const split = await splitVoxels(request).catch((error: unknown) => {
          if (
            !isVoxelSplitError(error, "EMPTY_MASK", "SEED_CONFLICT", "SEED_TOO_FAR", "TEAM_DISCONNECTED", "TEAMS_CROSS")
          )
            throw error;
        });
        if (split === undefined) return;
        split.sides.forEach((side, voxel) => {
          if ((side === 0) !== (mask[voxel] === 0)) throw new Error(`voxel ${voxel} has side ${side}`);
        });
        expect(onePiecePerSide(split.sides, size, groups)).toBe(true);
        for (const { side, at } of split.seeds)
          expect(split.sides[at[0] + size[0] * (at[1] + size[1] * at[2])]).toBe(side);
        expect(split.voxels.at(-1)).toBe(split.leftovers.reduce((sum, { voxels }) => sum + voxels, 0));
      },
    ),
    { numRuns: 150 },
  );
});

function onePiecePerSide(sides: Uint8Array, size: Xyz, groups: number): boolean {
  const { components, count } = connectedComponents(sides, size, 26);
  const seen = componentLabels(sides, components, count).filter((side) => side <= groups);
  return seen.length === groups && new Set(seen).size === groups;
}

describe("hundreds of seeds", () => {
  const size: Xyz = [40, 20, 20];
  const random = new Random(5);
  const seeds = [0, 1].map((group) =>
    Array.from({ length: 300 }, (): Xyz => [random.below(19) + 21 * group, random.below(20), random.below(20)]),
  );
  const request: SplitRequest = { mask: new Uint8Array(16_000).fill(1), size, voxelSize: [8, 8, 40], seeds };

  test("each that is joined is a place to stop, although all of it takes less than one slice of a search", async () => {
    const abort = new AbortController();
    let steps = 0;
    const onProgress: SplitRequest["onProgress"] = ({ phase }) => {
      if (phase === "connect" && ++steps === 100) abort.abort(new Error("enough"));
    };
    await expect(splitVoxels({ ...request, signal: abort.signal, onProgress })).rejects.toThrow("enough");
    expect(steps).toBe(100);
  });

  test("in any order they give the same sides", async () => {
    const { sides, seeds: used } = await splitVoxels(request);
    const reversed = seeds.map((group) => [...group].reverse());
    expect(Buffer.compare((await splitVoxels({ ...request, seeds: reversed })).sides, sides)).toBe(0);
    for (const { side, at } of used) expect(sides[at[0] + 40 * (at[1] + 20 * at[2])]).toBe(side);
  });
});

describe("large boxes", () => {
  const shape = shapes.find(({ name }) => name === "two balls, large")!;
  const { mask } = drawShape(shape);

  test("memory, by account, stays below 24 bytes per voxel of the box", async () => {
    const request = {
      ...requestOf(shape, mask),
      seeds: shape.seeds.map(([seed]) => [seed!, [seed![0], seed![1] + 9, seed![2] - 7] as Xyz]),
    };
    for (const method of ["banded", "geodesic"] as const) {
      const { peakBytes } = await splitVoxels({ ...request, method });
      expect(peakBytes).toBeLessThanOrEqual(24 * mask.length);
      expect(peakBytes).toBeGreaterThan(2 * mask.length);
    }
  });

  test("four groups in a solid box hold less than 24 bytes per voxel that anything can count", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { Memory } = WebAssembly;
    const memories = new Set<WeakRef<WebAssembly.Memory>>();
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        memories.add(new WeakRef(this));
      }
    };
    const size: Xyz = [160, 160, 40];
    const mask = new Uint8Array(160 * 160 * 40).fill(1);
    const corners = [15, 145].flatMap((x) => [15, 145].map((y): Xyz[] => [[x, y, 20]]));
    let most = 0;
    let last = -1;
    try {
      collect();
      const before = process.memoryUsage().arrayBuffers;
      await splitVoxels({
        mask,
        size,
        voxelSize: [8, 8, 40],
        seeds: corners,
        onProgress: ({ done }) => {
          if (done < last + 0.01) return;
          last = done;
          collect();
          let bytes = process.memoryUsage().arrayBuffers - before;
          for (const memory of memories) bytes += memory.deref()?.buffer.byteLength ?? 0;
          most = Math.max(most, bytes);
        },
      });
    } finally {
      WebAssembly.Memory = Memory;
    }
    expect(memories.size).toBeLessThan(8);
    expect(most / mask.length).toBeGreaterThan(2);
    expect(most / mask.length).toBeLessThan(24);
  });

  test("progress never falls, names the phases in order, and other events run meanwhile", async () => {
    const seen: { phase: string; done: number }[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await splitVoxels({ ...requestOf(shape, mask), onProgress: (progress) => seen.push(progress) });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1]!.done)).toBe(true);
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(["read", "distances", "cut", "refine", "clean-up"]);
  });

  test("an abort ends the work at the next slice with the signal's reason", async () => {
    const abort = new AbortController();
    const phases: string[] = [];
    const work = splitVoxels({
      ...requestOf(shape, mask),
      signal: abort.signal,
      onProgress: ({ phase }) => {
        phases.push(phase);
        if (phase === "cut") abort.abort(new Error("enough"));
      },
    });
    await expect(work).rejects.toThrow("enough");
    expect(phases.filter((phase) => phase === "cut").length).toBe(1);
    await expect(splitVoxels({ ...bar, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });
});
