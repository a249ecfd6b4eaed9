import type { Size } from "@pcg/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { drawShape, requestOf, shapes, turnShape } from "../../scripts/shapes.mjs";
import { splitVoxels, type VoxelSplit } from "../../src/voxel/index.ts";
import { type Quality, qualityOf } from "./quality.ts";

/** Ways to name the axes, in turn for one shape after the other. */
const orders: readonly Size[] = [
  [1, 2, 0],
  [2, 1, 0],
  [0, 2, 1],
  [2, 0, 1],
  [1, 0, 2],
];

describe.each(shapes.map((shape, number) => ({ ...shape, number })))("$name", (shape) => {
  const { mask, best } = drawShape(shape);
  const { size, voxelSize, seeds, number } = shape;
  const groups = seeds.length;
  let split: VoxelSplit;
  let quality: Quality;
  beforeAll(async () => {
    split = await splitVoxels(requestOf(shape, mask));
    quality = qualityOf(split.sides, best, size, voxelSize, groups);
  });

  test("the cut is as small as the best one, lies where it lies, and every side is one piece", () => {
    expect(quality.area).toBeLessThanOrEqual(quality.bestArea * 1.02);
    expect(quality.mean).toBeLessThanOrEqual(shape.within);
    expect(quality.pieces).toEqual(new Array(groups).fill(1));
  });

  test("sides cover the object and nothing else, and every seed is on its own side", () => {
    expect(split.leftovers).toEqual([]);
    expect(split.sides.every((side, voxel) => (side === 0) === (mask[voxel] === 0))).toBe(true);
    expect(split.voxels.reduce((sum, voxels) => sum + voxels, 0)).toBe(mask.reduce((sum, inside) => sum + inside, 0));
    seeds.forEach((group, g) => {
      for (const [x, y, z] of group) expect(split.sides[x + size[0] * (y + size[1] * z)]).toBe(g + 1);
    });
  });

  // Large shapes take the same way at one level more.
  test.skipIf(mask.length > 200_000)("seeds in another order give the same sides", async () => {
    const reversed = seeds.map((group) => [...group].reverse());
    const again = await splitVoxels({ ...requestOf(shape, mask), seeds: reversed });
    expect(Buffer.compare(again.sides, split.sides)).toBe(0);
  });

  test.skipIf(mask.length > 200_000)("axes named otherwise give the same number of faces and voxels", async () => {
    const turned = turnShape(shape, orders[number % orders.length]!);
    const drawn = drawShape(turned);
    const found = await splitVoxels(requestOf(turned, drawn.mask));
    expect(found.voxels).toEqual(split.voxels);
    const there = qualityOf(found.sides, drawn.best, turned.size, turned.voxelSize, groups);
    expect(there.faces).toBe(quality.faces);
    expect(there.mean).toBeCloseTo(quality.mean, 4);
  });
});

test("fronts alone cut where they meet and not at the waist", async () => {
  const shape = shapes[0]!;
  const { mask, best } = drawShape(shape);
  const split = await splitVoxels({ ...requestOf(shape, mask), method: "geodesic" });
  const quality = qualityOf(split.sides, best, shape.size, shape.voxelSize, 2);
  expect(quality.pieces).toEqual([1, 1]);
  expect(quality.faces).toBeGreaterThan(4 * quality.bestFaces);
  expect(quality.mean).toBeGreaterThan(5);
});
