import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { componentLabels, componentStats, connectedComponents } from "../src/components.ts";
import { componentStatsOracle, connectedComponentsOracle } from "../src/oracle/components.ts";
import type { Size } from "../src/volume.ts";
import { block, narrow, textures } from "./volumes.ts";

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 12 }),
);
const types = fc.constantFrom("u8", "u16", "u32", "u64");

test("the kernel agrees with flood fill on every dtype, texture, size and connectivity", () => {
  fc.assert(
    fc.property(
      sizes,
      types,
      fc.constantFrom(...textures),
      fc.nat(),
      fc.constantFrom(6 as const, 26 as const),
      (size, type, texture, seed, connectivity) => {
        const labels = narrow(block(texture, size, seed), type);
        const found = connectedComponents(labels, size, connectivity);
        const wanted = connectedComponentsOracle(labels, size, connectivity);
        expect(found.count).toBe(wanted.count);
        expect(found.components).toEqual(wanted.components);
        const table = componentLabels(labels, found.components, found.count);
        found.components.forEach((c, i) => {
          if (c !== 0 && table[c - 1] !== labels[i]) throw new Error(`component ${c} has another label at ${i}`);
        });
        expect(componentStats(found.components, size, found.count)).toEqual(
          componentStatsOracle(found.components, size, found.count),
        );
      },
    ),
    { numRuns: 300 },
  );
});

describe("shapes that stress the union", () => {
  test("two combs that join only in the last plane are one component", () => {
    const size: Size = [9, 3, 40];
    const labels = new Uint32Array(9 * 3 * 40);
    for (let i = 0; i < labels.length; i++) labels[i] = (i % 9) % 2 === 0 || i >= 9 * 3 * 39 ? 5 : 0;
    expect(connectedComponents(labels, size, 6).count).toBe(1);
  });

  test("voxels that meet at a corner are connected with 26 neighbours and not with 6", () => {
    const labels = new Uint8Array(8);
    labels[0] = 3;
    labels[7] = 3;
    expect(connectedComponents(labels, [2, 2, 2], 6).count).toBe(2);
    expect(connectedComponents(labels, [2, 2, 2], 26).count).toBe(1);
  });

  test("a checkerboard larger than any slab has a component per voxel", () => {
    const size: Size = [101, 100, 20];
    const labels = new BigUint64Array(101 * 100 * 20);
    for (let i = 0; i < labels.length; i++) labels[i] = BigInt(1 + (((i % 101) + Math.floor(i / 101)) % 2));
    const { count } = connectedComponents(labels, size, 6);
    expect(count).toBe(connectedComponentsOracle(labels, size, 6).count);
  });
});

test("an empty block has no components", () => {
  expect(connectedComponents(new Uint32Array(0), [0, 5, 5], 6)).toEqual({ components: new Uint32Array(0), count: 0 });
  expect(componentStats(new Uint32Array(0), [5, 0, 5], 0).voxels.length).toBe(0);
});

test("arguments that do not fit are refused with the numbers", () => {
  expect(() => connectedComponents(new Uint32Array(7), [2, 2, 2], 6)).toThrow(/7 elements.*2×2×2.*8/);
  expect(() => connectedComponents(new Uint32Array(8), [2, 2, 2], 18 as 6)).toThrow(/6 or 26, got 18/);
  expect(() => connectedComponents(new Float32Array(8) as never, [2, 2, 2], 6)).toThrow(TypeError);
  expect(() => componentStats(Uint32Array.of(1, 9), [2, 1, 1], 3)).toThrow(/component 9 .* 3 components/);
  expect(() => componentLabels(new Uint8Array(2), Uint32Array.of(1, 9), 3)).toThrow(/component 9/);
  expect(() => connectedComponents(new Uint32Array(1), [65536, 65536, 1], 6)).toThrow(/2\^32/);
});
