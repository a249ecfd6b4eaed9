import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkGrid, halves, IdLayout, layerCount, layerOf, sortedDistinct } from "../src/ids.ts";

const layouts = fc
  .integer({ min: 2, max: 20 })
  .chain((layers) => fc.tuple(fc.constant(layers), fc.integer({ min: Math.max(1, layers - 2), max: 18 })))
  .map(([layers, bits]) => new IdLayout(layers, bits));

describe("the id layout", () => {
  test("an id reads as layer, coordinates and segment in the bits PyChunkedGraph gives them", () => {
    const layout = new IdLayout(6, 10);
    expect(layout.chunkId(1, [1, 2, 3])).toBe((1n << 56n) | (1n << 46n) | (2n << 36n) | (3n << 26n));
    expect(layout.nodeId(layout.chunkId(1, [1, 2, 3]), 5n)).toBe(
      (1n << 56n) | (1n << 46n) | (2n << 36n) | (3n << 26n) | 5n,
    );
    expect([1, 2, 3, 4, 5, 6].map((l) => layout.bits(l))).toEqual([10, 10, 3, 2, 1, 1]);
    expect(layout.segmentLimit(1)).toBe(2n ** 26n - 1n);
    expect(layout.segmentLimit(6)).toBe(2n ** 53n - 1n);
  });

  test("layer, coordinates and segment come back from every id of every layout", () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: 0 }), (layout, seed) => {
        const random = new Random(seed);
        const layer = random.between(1, layout.layers);
        const side = 2 ** layout.bits(layer);
        const coords = [random.below(side), random.below(side), random.below(side)] as const;
        const segment = (random.uint64() % layout.segmentLimit(layer)) + 1n;
        const chunk = layout.chunkId(layer, coords);
        const id = layout.nodeId(chunk, segment);
        expect(layerOf(id)).toBe(layer);
        expect(layout.coordsOf(id)).toEqual(coords);
        expect(layout.segmentOf(id)).toBe(segment);
        expect(layout.chunkOf(id)).toBe(chunk);
        expect(layout.isNode(id)).toBe(true);
        expect(layout.isNode(chunk)).toBe(false);
        expect(chunk < id && id <= layout.lastOf(chunk)).toBe(true);
      }),
    );
  });

  test("the parent chunk of (2, 3, 1) is (1, 1, 0), and layers 1 and 2 share one grid", () => {
    const layout = new IdLayout(5, 10);
    const chunk = layout.chunkId(2, [2, 3, 1]);
    expect(layout.coordsOf(layout.parentChunk(chunk))).toEqual([1, 1, 0]);
    expect(layout.coordsOf(layout.parentChunk(layout.chunkId(1, [2, 3, 1])))).toEqual([2, 3, 1]);
    expect(layout.ancestorChunk(chunk, 5)).toBe(layout.chunkId(5, [0, 0, 0]));
  });

  test("an edge's layer is where its chunks differ below one parent, also for far chunks and in bulk", () => {
    const layout = new IdLayout(6, 10);
    const sv = (x: number, y: number, z: number, s = 1n): bigint => layout.nodeId(layout.chunkId(1, [x, y, z]), s);
    expect(layout.crossLayer(sv(0, 0, 0), sv(0, 0, 0, 2n))).toBe(1);
    expect(layout.crossLayer(sv(0, 0, 0), sv(1, 0, 0))).toBe(2);
    expect(layout.crossLayer(sv(1, 0, 0), sv(2, 0, 0))).toBe(3);
    expect(layout.crossLayer(sv(7, 0, 0), sv(8, 0, 0))).toBe(5);
    expect(layout.crossLayer(sv(0, 0, 0), sv(15, 15, 15))).toBe(5);
  });

  test("bulk edge layers equal counting the layers on which ancestor chunks differ", () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: 0 }), (layout, seed) => {
        const random = new Random(seed);
        const side = 2 ** (layout.layers - 2);
        const coords = (): [number, number, number] => [random.below(side), random.below(side), random.below(side)];
        const pairs = new BigUint64Array(40).map(() => layout.nodeId(layout.chunkId(1, coords()), 1n));
        const bulk = layout.crossLayers(pairs);
        for (let e = 0; e < 20; e++) {
          const [a, b] = [pairs[2 * e]!, pairs[2 * e + 1]!];
          let expected = 1;
          for (let l = 2; l < layout.layers; l++)
            if (layout.ancestorChunk(a, l) !== layout.ancestorChunk(b, l)) expected++;
          expect(bulk[e]).toBe(expected);
          expect(layout.crossLayer(a, b)).toBe(expected);
        }
      }),
    );
  });

  test("a layout that cannot hold its layers, coordinates or segments is refused with the limits", () => {
    expect(() => new IdLayout(1, 10)).toThrow("layers must be an integer of at least 2, not 1");
    expect(() => new IdLayout(13, 10)).toThrow("from 11 (for 13 layers) to 18, not 10");
    expect(() => new IdLayout(5, 19)).toThrow("not 19");
    const layout = new IdLayout(5, 4);
    expect(() => layout.chunkId(2, [16, 0, 0])).toThrow("chunk coordinate 16 of layer 2 is outside 0..15 (4 bits)");
    expect(() => layout.chunkId(6, [0, 0, 0])).toThrow("layer 6 is outside 1..5");
    expect(() => layout.nodeId(layout.chunkId(2, [0, 0, 0]), layout.segmentLimit(2) + 1n)).toThrow("has no more ids");
    expect(() => layout.nodeId(layout.chunkId(2, [0, 0, 0]), 0n)).toThrow("outside 1..");
    for (const wrong of [0n, 5n, -1n, 1n << 64n, 1n << 63n, layout.chunkId(2, [1, 1, 1])])
      expect(layout.isNode(wrong)).toBe(false);
  });
});

describe("the chunk grid", () => {
  const layout = new IdLayout(5, 10);
  const grid = new ChunkGrid(layout, { voxelOffset: [100, -7, 3], size: [130, 64, 9], chunkSize: [32, 32, 4] });

  test("layers follow from the longest axis in chunks", () => {
    const layers = (chunks: number): number => layerCount([chunks, 1, 1], [1, 1, 1]);
    expect([1, 2, 3, 4, 5, 8, 9, 1024, 1025].map(layers)).toEqual([2, 3, 4, 4, 5, 5, 6, 12, 13]);
    expect(layerCount([130, 64, 9], [32, 32, 4])).toBe(5);
  });

  test("chunks start at the volume's offset, double in size per layer and end with the volume", () => {
    expect(grid.counts(1)).toEqual([5, 2, 3]);
    expect(grid.counts(2)).toEqual([5, 2, 3]);
    expect(grid.counts(4)).toEqual([2, 1, 1]);
    expect(grid.counts(5)).toEqual([1, 1, 1]);
    expect(grid.chunkBox(layout.chunkId(2, [4, 1, 2]))).toEqual({ begin: [228, 25, 11], end: [230, 57, 12] });
    expect(grid.chunkBox(layout.chunkId(3, [1, 0, 0]))).toEqual({ begin: [164, -7, 3], end: [228, 57, 11] });
    expect(grid.chunkAt([131, -7, 11])).toEqual([0, 0, 2]);
    expect(grid.holds(layout.chunkId(2, [4, 1, 2]))).toBe(true);
    expect(grid.holds(layout.chunkId(2, [5, 0, 0]))).toBe(false);
  });

  test("a box selects exactly the chunks it overlaps, clipped to the volume", () => {
    const coords = (begin: [number, number, number], end: [number, number, number]) =>
      grid.chunksIn({ begin, end }, 2).map((c) => layout.coordsOf(c));
    expect(coords([131, -7, 3], [133, -6, 4])).toEqual([
      [0, 0, 0],
      [1, 0, 0],
    ]);
    expect(coords([131, -7, 3], [132, -6, 4])).toEqual([[0, 0, 0]]);
    expect(coords([-1e9, -1e9, -1e9], [1e9, 1e9, 1e9])).toHaveLength(30);
    expect(coords([500, 0, 0], [600, 1, 1])).toEqual([]);
    expect(coords([132, 0, 4], [132, 1, 5])).toEqual([]);
  });
});

test("distinct ids come back sorted, and the halves of an id are its low and high 32 bits", () => {
  const ids = BigUint64Array.of(5n, 1n << 40n, 5n, 3n, (1n << 40n) + 1n, 3n);
  expect(sortedDistinct(ids)).toEqual(BigUint64Array.of(3n, 5n, 1n << 40n, (1n << 40n) + 1n));
  expect(ids[0]).toBe(5n);
  expect(sortedDistinct(new BigUint64Array())).toEqual(new BigUint64Array());
  expect(halves(BigUint64Array.of(0x1234_5678_9abc_def0n))).toEqual(Uint32Array.of(0x9abcdef0, 0x12345678));
});
