import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gridCut, gridCutBytes, gridCutSlices } from "../src/grid-cut.ts";
import { gridCutOracle } from "../src/oracle/grid-cut.ts";
import { DIRECTIONS } from "../src/rim.ts";
import { masks } from "./masks.ts";

/** States with terminals among the mask's voxels. */
function statesOf(mask: Uint8Array, random: Random, terminals: number): Uint8Array {
  return mask.map((inside) => (inside === 0 ? 0 : random.below(100) < terminals ? 2 + random.below(2) : 1));
}

test("flow and sides are the oracle's, with and without evidence", () => {
  fc.assert(
    fc.property(
      masks,
      fc.nat(),
      fc.constantFrom(3, 10, 60),
      fc.boolean(),
      fc.constantFrom(3, 400, 32767),
      ({ mask, size }, seed, terminals, weighed, most) => {
        const random = new Random(seed);
        const states = statesOf(mask, random, terminals);
        const weights = Uint16Array.from({ length: 13 }, () => random.below(most + 1));
        const evidence = weighed ? { evidence: mask.map(() => random.below(256)) } : {};
        const graph = { states, size, weights, ...evidence };
        expect(gridCut(graph)).toEqual(gridCutOracle(graph));
      },
    ),
    { numRuns: 150 },
  );
});

test("a large block is cut at its waist, in slices", () => {
  const size = [120, 40, 40] as const;
  const states = new Uint8Array(120 * 40 * 40);
  for (let voxel = 0; voxel < states.length; voxel++) {
    const [x, y, z] = [voxel % 120, Math.floor(voxel / 120) % 40, Math.floor(voxel / 4800)];
    // A waist of 10 × 10 voxels at x = 70.
    const half = 5 + Math.min(15, Math.abs(x - 70) / 2);
    if (Math.abs(y - 19.5) < half && Math.abs(z - 19.5) < half) states[voxel] = x < 5 ? 2 : x > 114 ? 3 : 1;
  }
  const faces = Uint16Array.from(DIRECTIONS, (direction) => (direction.filter((d) => d !== 0).length === 1 ? 1 : 0));
  const slices = gridCutSlices({ states, size, weights: faces });
  let step = slices.next();
  let count = 0;
  for (; !step.done; step = slices.next()) count++;
  expect(count).toBeGreaterThan(1);
  expect(step.value.flow).toBe(100);
});

test("memory is 4 or 5 bytes per voxel and 48 per free voxel", () => {
  expect(gridCutBytes([126, 126, 126], 0, false)).toBeLessThan(128 ** 3 * 4 + 1024);
  expect(gridCutBytes([126, 126, 126], 1000, true)).toBeLessThan(128 ** 3 * 5 + 48_000 + 1024);
});

test("without a sink nothing flows, and arguments that do not fit are refused", () => {
  const weights = new Uint16Array(13).fill(1);
  expect(gridCut({ states: Uint8Array.of(2, 1, 0), size: [3, 1, 1], weights })).toEqual({
    sides: Uint8Array.of(1, 1, 0),
    flow: 0,
  });
  expect(gridCut({ states: new Uint8Array(0), size: [0, 1, 1], weights }).flow).toBe(0);
  const states = Uint8Array.of(2, 1, 4);
  expect(() => gridCut({ states, size: [3, 1, 1], weights })).toThrow(/0 to 3, got 4 at voxel 2/);
  expect(() => gridCut({ states, size: [2, 1, 1], weights })).toThrow(/3 elements/);
  expect(() => gridCut({ states, size: [3, 1, 1], weights: weights.fill(40000) })).toThrow(/0 to 32767/);
});
