import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  GrowingDistances,
  geodesicBytes,
  geodesicDistances,
  geodesicDistancesSlices,
  tracePath,
} from "../src/geodesic.ts";
import { geodesicDistancesOracle } from "../src/oracle/geodesic.ts";
import type { VoxelSize } from "../src/rim.ts";
import { runSlices } from "../src/slices.ts";
import { axisOrders, masks, permuteAxes, voxelSizes } from "./masks.ts";

function pickSeeds(mask: Uint8Array, random: Random, most: number): Uint32Array {
  const inside = [...mask.keys()].filter((voxel) => mask[voxel] !== 0);
  if (inside.length === 0) return new Uint32Array(0);
  return Uint32Array.from({ length: 1 + random.below(most) }, () => random.pick(inside));
}

function pickCosts(mask: Uint8Array, random: Random, range: number): Float32Array {
  return Float32Array.from(mask, () => range ** (random.below(1000) / 1000));
}

test("distances are the oracle's, bit for bit, with and without costs of any range", () => {
  fc.assert(
    fc.property(
      masks,
      voxelSizes,
      fc.nat(),
      fc.constantFrom(0, 1, 30, 1e7),
      ({ mask, size }, voxelSize, seed, range) => {
        const random = new Random(seed);
        const seeds = pickSeeds(mask, random, 3);
        const options = { voxelSize, seeds, ...(range > 0 && { costs: pickCosts(mask, random, range) }) };
        const found = geodesicDistances(mask, size, options);
        expect(found).toEqual(geodesicDistancesOracle(mask, size, options));
        expect(geodesicDistances(mask, size, { ...options, seeds: seeds.slice().reverse() })).toEqual(found);
      },
    ),
    { numRuns: 200 },
  );
});

test("distances do not depend on how the axes are named", () => {
  fc.assert(
    fc.property(masks, voxelSizes, fc.nat(), ({ mask, size }, voxelSize, seed) => {
      const seeds = pickSeeds(mask, new Random(seed), 2);
      const costs = pickCosts(mask, new Random(seed), 100);
      const wanted = geodesicDistances(mask, size, { voxelSize, seeds, costs });
      for (const order of axisOrders) {
        const turned = permuteAxes(mask, size, order);
        const found = geodesicDistances(turned.block, turned.size, {
          voxelSize: order.map((axis) => voxelSize[axis]) as unknown as VoxelSize,
          seeds: seeds.map(turned.voxelOf),
          costs: permuteAxes(costs, size, order).block,
        });
        expect(found).toEqual(permuteAxes(wanted, size, order).block);
      }
    }),
    { numRuns: 30 },
  );
});

test("a traced path runs from neighbour to neighbour through the mask and is as long as its end's distance", () => {
  fc.assert(
    fc.property(masks, voxelSizes, fc.nat(), fc.boolean(), ({ mask, size }, voxelSize, seed, weighed) => {
      const random = new Random(seed);
      const seeds = pickSeeds(mask, random, 2);
      if (seeds.length === 0) return;
      const options = { voxelSize, seeds, ...(weighed && { costs: pickCosts(mask, random, 50) }) };
      const distances = geodesicDistances(mask, size, options);
      const end = pickSeeds(mask, random, 1)[0]!;
      const path = tracePath(distances, size, options, end);
      if (distances[end] === Number.POSITIVE_INFINITY) {
        expect(path.length).toBe(0);
        return;
      }
      expect(path[0]).toBe(end);
      expect(seeds).toContain(path.at(-1));
      const inPath = new Uint8Array(mask.length);
      for (const voxel of path) inPath[voxel] = mask[voxel]!;
      expect(geodesicDistances(inPath, size, { ...options, seeds: path.slice(-1) })[end]).toBe(distances[end]);
    }),
    { numRuns: 100 },
  );
});

test("distances from a set that grows are those of a search from all of it, bit for bit, and so are paths", () => {
  fc.assert(
    fc.property(masks, voxelSizes, fc.nat(), fc.constantFrom(0, 30, 1e7), ({ mask, size }, voxelSize, seed, range) => {
      if (mask.length === 0) return;
      const random = new Random(seed);
      const options = { voxelSize, ...(range > 0 && { costs: pickCosts(mask, random, range) }) };
      const growing = new GrowingDistances(mask, size, options);
      const open = mask.slice();
      const added: number[] = [];
      for (let round = 0; round < 4; round++) {
        // Voxels outside too: these join the mask.
        const more = Array.from({ length: random.below(3) }, () => random.below(mask.length));
        for (const voxel of more) open[voxel] = 1;
        added.push(...more);
        runSlices(growing.add(Uint32Array.from(more)));
        const seeds = Uint32Array.from(added);
        const wanted = geodesicDistances(open, size, { ...options, seeds });
        expect(Float32Array.from(mask, (_, voxel) => growing.at(voxel))).toEqual(wanted);
        const end = random.below(mask.length);
        expect(growing.path(end)).toEqual(tracePath(wanted, size, options, end));
      }
      growing.release();
    }),
    { numRuns: 100 },
  );
});

test("to add a voxel to a set that grows costs what comes nearer, not a search of the block", () => {
  const growing = new GrowingDistances(new Uint8Array(2 ** 20).fill(1), [128, 128, 64], { voxelSize: [1, 1, 1] });
  const slicesOf = (voxel: number): number => {
    const run = growing.add(Uint32Array.of(voxel));
    let slices = 0;
    while (!run.next().done) slices++;
    return slices;
  };
  expect(slicesOf(0)).toBeGreaterThanOrEqual(9);
  runSlices(growing.add(Uint32Array.from({ length: 128 * 64 }, (_, row) => row * 128)));
  // Beside the middle of the plane x = 0: what it brings nearer widens slowly.
  expect(slicesOf(1 + 128 * (64 + 128 * 32))).toBe(0);
  growing.release();
});

test("with an end to reach, the search stops early and the end is exact", () => {
  const size = [220, 200, 20] as const;
  const mask = new Uint8Array(220 * 200 * 20).fill(1);
  const seeds = Uint32Array.of(0);
  const all = geodesicDistances(mask, size, { voxelSize: [4, 4, 40], seeds });
  const end = 100 + 220 * 90;
  const some = geodesicDistances(mask, size, { voxelSize: [4, 4, 40], seeds, until: Uint32Array.of(end) });
  expect(some[end]).toBe(all[end]);
  expect(some.at(-1)).toBe(Number.POSITIVE_INFINITY);
});

test("slices are many for a large block, and the memory is 12 or 16 bytes per voxel", () => {
  const size = [128, 128, 64] as const;
  const mask = new Uint8Array(2 ** 20).fill(1);
  let slices = 0;
  const run = geodesicDistancesSlices(mask, size, { voxelSize: [1, 1, 1], seeds: Uint32Array.of(5) });
  while (!run.next().done) slices++;
  expect(slices).toBeGreaterThanOrEqual(9);
  expect(geodesicBytes(size, false) / mask.length).toBeLessThan(13.1);
  expect(geodesicBytes(size, true) / mask.length).toBeLessThan(17.3);
});

test("arguments that do not fit are refused with the numbers", () => {
  const mask = Uint8Array.of(1, 1, 0, 1);
  const options = { voxelSize: [1, 1, 1], seeds: Uint32Array.of(0) } as const;
  expect(() => geodesicDistances(mask, [4, 2, 1], options)).toThrow(/4 elements.*4×2×1.*8/);
  expect(() => geodesicDistances(mask, [4, 1, 1], { ...options, seeds: Uint32Array.of(2) })).toThrow(/voxel 2 is no/);
  expect(() => geodesicDistances(mask, [4, 1, 1], { ...options, costs: Float32Array.of(1, 0, 1, 1) })).toThrow(
    /got 0 at voxel 1/,
  );
  expect(() => geodesicDistances(new Uint8Array(0), [65535, 65535, 0], options)).toThrow(RangeError);
});
