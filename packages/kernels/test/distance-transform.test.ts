import fc from "fast-check";
import { expect, test } from "vitest";
import { distanceTransform } from "../src/distance-transform.ts";
import { distanceTransformOracle } from "../src/oracle/distance-transform.ts";
import { masks, voxelSizes } from "./masks.ts";

test("distances agree with trying all background voxels, on every mask and voxel size", () => {
  fc.assert(
    fc.property(masks, voxelSizes, ({ mask, size }, voxelSize) => {
      const found = distanceTransform(mask, size, voxelSize);
      distanceTransformOracle(mask, size, voxelSize).forEach((wanted, voxel) => {
        if (wanted === Number.POSITIVE_INFINITY) expect(found[voxel]).toBe(wanted);
        else expect(Math.abs(found[voxel]! - wanted)).toBeLessThanOrEqual(wanted * 2e-7);
      });
    }),
    { numRuns: 200 },
  );
});

test("whole distances come out exact", () => {
  expect([...distanceTransform(Uint8Array.of(0, 1, 1, 1, 1), [5, 1, 1], [3, 1, 1])]).toEqual([0, 3, 6, 9, 12]);
  const mask = new Uint8Array(400 * 301).fill(1);
  mask[0] = 0;
  expect(distanceTransform(mask, [400, 301, 1], [1, 1, 1])[400 * 301 - 1 - 399 + 225]).toBe(375);
});

test("a mask without background is infinitely far from it", () => {
  expect(distanceTransform(new Uint8Array(60).fill(1), [5, 4, 3], [1, 1, 1]).every((d) => d === Infinity)).toBe(true);
  expect(distanceTransform(new Uint8Array(0), [0, 4, 3], [1, 1, 1]).length).toBe(0);
});

test("arguments that do not fit are refused with the numbers", () => {
  expect(() => distanceTransform(new Uint8Array(7), [2, 2, 2], [1, 1, 1])).toThrow(/7 elements.*2×2×2.*8/);
  expect(() => distanceTransform(new Uint8Array(8), [2, 2, 2], [1, 0, 1])).toThrow(/above 0, got 1×0×1/);
});
