import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkGrid, type Xyz } from "../src/index.ts";

test("chunks start at the offset and end at the volume", () => {
  const grid = new ChunkGrid({ size: [100, 64, 1], chunkSize: [64, 64, 64], voxelOffset: [10, 0, -1] });
  expect(grid.shape).toEqual([2, 1, 1]);
  expect([...grid.chunks()].map((position) => grid.chunkName(position))).toEqual([
    "10-74_0-64_-1-0",
    "74-110_0-64_-1-0",
  ]);
  expect(grid.chunkShape([1, 0, 0])).toEqual([36, 64, 1]);
});

test("names of chunks that the grid does not have are not parsed", () => {
  const grid = new ChunkGrid({ size: [100, 64, 64], chunkSize: [64, 64, 64], voxelOffset: [10, 0, 0] });
  expect(grid.parseChunkName("74-110_0-64_0-64")).toEqual([1, 0, 0]);
  for (const name of [
    "74-138_0-64_0-64",
    "0-64_0-64_0-64",
    "074-110_0-64_0-64",
    "info",
    "74-110_0-64_0-64.gz",
    "-54-10_0-64_0-64",
  ]) {
    expect(grid.parseChunkName(name), name).toBeUndefined();
  }
});

test("a position outside the grid is a RangeError that names both", () => {
  const grid = new ChunkGrid({ size: [100, 64, 64], chunkSize: [64, 64, 64] });
  expect(() => grid.chunkBox([2, 0, 0])).toThrow(
    new RangeError("chunk (2, 0, 0) is outside the grid of 2 x 1 x 1 chunks"),
  );
  expect(() => grid.chunkName([0, 0.5, 0])).toThrow(RangeError);
});

test("grids of 2^31 voxels a side count exactly", () => {
  const grid = new ChunkGrid({
    size: [2 ** 31, 2 ** 31, 2 ** 31],
    chunkSize: [1, 1, 1],
    voxelOffset: [-(2 ** 31), 0, 0],
  });
  expect(grid.chunkCount).toBe(2n ** 93n);
  expect(grid.chunkName([2 ** 31 - 1, 0, 2 ** 31 - 1])).toBe("-1-0_0-1_2147483647-2147483648");
  expect(() => new ChunkGrid({ size: [2, 1, 1], chunkSize: [1, 1, 1], voxelOffset: [2 ** 53 - 2, 0, 0] })).toThrow(
    /2\^53/,
  );
});

const axis = fc.record({
  size: fc.integer({ min: 1, max: 40 }),
  chunk: fc.integer({ min: 1, max: 17 }),
  offset: fc.integer({ min: -50, max: 50 }),
  begin: fc.integer({ min: -60, max: 100 }),
  length: fc.integer({ min: 0, max: 60 }),
});

test("every voxel is in exactly one chunk, and a box finds just the chunks it touches", () => {
  fc.assert(
    fc.property(fc.tuple(axis, axis, axis), (axes) => {
      const pick = (key: keyof (typeof axes)[0]): Xyz => [axes[0][key], axes[1][key], axes[2][key]];
      const grid = new ChunkGrid({ size: pick("size"), chunkSize: pick("chunk"), voxelOffset: pick("offset") });
      const begin = pick("begin");
      const box = { begin, end: begin.map((n, i) => n + axes[i]!.length) as unknown as Xyz };
      const found = new Set([...grid.chunks(box)].map((position) => grid.chunkName(position)));
      let voxels = 0;
      for (const position of grid.chunks()) {
        const chunk = grid.chunkBox(position);
        voxels += grid.chunkShape(position).reduce((product, n) => product * n, 1);
        expect(grid.parseChunkName(grid.chunkName(position))).toEqual(position);
        const touches = [0, 1, 2].every(
          (i) => Math.max(chunk.begin[i]!, box.begin[i]!) < Math.min(chunk.end[i]!, box.end[i]!),
        );
        expect(found.has(grid.chunkName(position))).toBe(touches);
      }
      expect(voxels).toBe(grid.size.reduce((product, n) => product * n, 1));
    }),
    { numRuns: 60 },
  );
});
