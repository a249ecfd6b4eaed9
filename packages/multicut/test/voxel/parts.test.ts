import { DIRECTIONS, type Size } from "@pcg/kernels";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areaWeights, cutWeights } from "../../src/voxel/area-weights.ts";
import { Budget } from "../../src/voxel/budget.ts";
import { isVoxelSplitError, splitVoxels, type Xyz } from "../../src/voxel/index.ts";
import { pool, poolingFactors } from "../../src/voxel/levels.ts";
import { PointSet } from "../../src/voxel/point-set.ts";
import { snap } from "../../src/voxel/snap.ts";

describe("area weights", () => {
  test("on even voxels the crossings of any plane add up to its area within 7 percent", () => {
    const weights = areaWeights([1, 1, 1]);
    const random = new Random(5);
    for (let i = 0; i < 200; i++) {
      const normal = [random.below(2001) - 1000, random.below(2001) - 1000, random.below(2001) - 1000];
      const length = Math.hypot(...normal) || 1;
      // Per unit of area, lines along d cross |d·n| times per voxel cross-section.
      const area = DIRECTIONS.reduce(
        (sum, d, k) =>
          sum + weights[k]! * Math.abs(d.reduce((dot, part, axis) => dot + (part * normal[axis]!) / length, 0)),
        0,
      );
      expect(Math.abs(area - 1)).toBeLessThan(0.07);
    }
  });

  test("naming the axes otherwise permutes the weights exactly", () => {
    const find = (d: readonly number[]): number =>
      DIRECTIONS.findIndex(
        (e) => e.every((part, axis) => part === d[axis]) || e.every((part, axis) => part === -d[axis]!),
      );
    for (const size of [
      [4, 4, 40],
      [1, 1, 1],
      [3, 7, 11],
    ] as Xyz[]) {
      const weights = cutWeights(size);
      const turned = cutWeights([size[2], size[0], size[1]]);
      DIRECTIONS.forEach((d, k) => {
        expect(turned[find([d[2], d[0], d[1]])]).toBe(weights[k]);
      });
    }
  });
});

describe("levels", () => {
  test("fine axes are pooled first, whichever they are (upstream strode z by the factor of x)", () => {
    expect(poolingFactors([512, 512, 64], [8, 8, 40], 2 ** 19)).toEqual([
      [1, 1, 1],
      [2, 2, 1],
      [4, 4, 1],
      [8, 8, 2],
    ]);
    expect(poolingFactors([64, 512, 512], [40, 8, 8], 2 ** 19).at(-1)).toEqual([2, 8, 8]);
    expect(poolingFactors([3_000_000, 1, 1], [1, 1, 1], 2 ** 19).at(-1)).toEqual([8, 1, 1]);
  });

  test("a neck one voxel thin survives pooling, with the area it has (upstream's strides lose it)", () => {
    const size: Size = [16, 8, 8];
    const mask = new Uint8Array(1024);
    for (let x = 0; x < 16; x++) mask[x + 16 * (3 + 8 * 3)] = 1;
    const coarse = pool({ factor: [1, 1, 1], size, voxelSize: [1, 1, 1], mask }, [4, 4, 4]);
    expect([...coarse.mask.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
    expect(coarse.mask.reduce((sum, inside) => sum + inside, 0)).toBe(4);
    // Four of 64 voxels.
    expect(coarse.evidence![0]).toBe(16);
    expect(coarse.voxelSize).toEqual([4, 4, 4]);
  });
});

test("background cannot be passed at any price (upstream's outside is dear, but finite)", async () => {
  const mask = Uint8Array.of(1, 1, 0, 1, 1);
  const request = { mask, size: [5, 1, 1] as Size, voxelSize: [1, 1, 1] as Xyz };
  for (const method of ["banded", "geodesic"] as const) {
    const torn = splitVoxels({
      ...request,
      method,
      seeds: [
        [
          [0, 0, 0],
          [4, 0, 0],
        ],
        [[1, 0, 0]],
      ],
    });
    await expect(torn).rejects.toThrow(/do not touch/);
    expect([...(await splitVoxels({ ...request, method, seeds: [[[0, 0, 0]], [[1, 0, 0]]] })).sides]).toEqual([
      1, 2, 0, 3, 3,
    ]);
  }
});

test("snapping finds what trying all voxels finds", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom<Xyz>([1, 1, 1], [4, 4, 40], [0.3, 1.7, 3.1]), (seed, voxelSize) => {
      const random = new Random(seed);
      const size: Size = [random.between(1, 9), random.between(1, 9), random.between(1, 9)];
      const mask = Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (random.below(12) === 0 ? 1 : 0));
      const at: Xyz = [random.between(-3, 11), random.between(-3, 11) + 0.25, random.between(-3, 11)];
      const limit = random.pick([2, 9, 400]);
      let nearest = Number.POSITIVE_INFINITY;
      for (let voxel = 0; voxel < mask.length; voxel++) {
        if (mask[voxel] === 0) continue;
        const here = [voxel % size[0], Math.floor(voxel / size[0]) % size[1], Math.floor(voxel / (size[0] * size[1]))];
        nearest = Math.min(nearest, Math.hypot(...here.map((a, axis) => (a - at[axis]!) * voxelSize[axis]!)));
      }
      const found = snap(mask, size, voxelSize, at, limit);
      if (nearest > limit * (1 + 1e-12)) expect(found).toBeUndefined();
      else if (found !== undefined) {
        expect(mask[found.voxel]).toBe(1);
        expect(found.distance).toBeCloseTo(nearest, 9);
      } else expect(nearest).toBeGreaterThan(limit * (1 - 1e-12));
    }),
    { numRuns: 300 },
  );
});

test("distances between sets of points are those of trying all pairs", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }), (seed, n, m) => {
      const random = new Random(seed);
      const points = (count: number, shift: number): Float64Array =>
        Float64Array.from({ length: count * 3 }, () => random.below(30) + shift);
      const [a, b] = [points(n, 0), points(m, random.below(40))];
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < a.length; i += 3) {
        for (let j = 0; j < b.length; j += 3) {
          least = Math.min(least, Math.hypot(a[i]! - b[j]!, a[i + 1]! - b[j + 1]!, a[i + 2]! - b[j + 2]!));
        }
      }
      const [mine, theirs] = [new PointSet(a.slice()), new PointSet(b.slice())];
      expect(mine.distanceTo(theirs)).toBeCloseTo(least, 9);
      expect(theirs.distanceTo(mine)).toBeCloseTo(least, 9);
    }),
    { numRuns: 200 },
  );
});

test("work beyond 24 bytes per voxel is refused before it is allocated", () => {
  const budget = new Budget(4_000_000);
  expect(budget.limit).toBe(96_000_000);
  budget.take(90_000_000);
  try {
    budget.take(6_000_001);
    expect.unreachable();
  } catch (error) {
    expect(isVoxelSplitError(error, "TOO_LARGE")).toBe(true);
    expect((error as Error).message).toMatch(/96000001 bytes and may take 96000000/);
  }
  budget.give(90_000_000);
  expect(budget.peak).toBe(90_000_000);
  expect(new Budget(10).limit).toBe(32 << 20);
});
