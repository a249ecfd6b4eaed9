import { expect, test } from "vitest";
import { distanceTransform, geodesicDistances, gridCut } from "../src/index.ts";

test("kernels that run one after the other take one memory, and nothing of the one before shows", () => {
  const { Memory } = WebAssembly;
  let made = 0;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      made++;
    }
  };
  const mask = (size: number): Uint8Array => new Uint8Array(size ** 3).fill(1);
  const weights = new Uint16Array(13).fill(5);
  const run = (size: number): unknown => {
    const states = mask(size);
    states[0] = 2;
    states[size ** 3 - 1] = 3;
    const walls = mask(size).map((_, i) => (i % 7 === 0 ? 0 : 1));
    return [
      gridCut({ states, size: [size, size, size], weights }),
      geodesicDistances(mask(size), [size, size, size], { voxelSize: [1, 1, 1], seeds: Uint32Array.of(0) }),
      distanceTransform(walls, [size, size, size], [1, 1, 1]),
    ];
  };
  try {
    const sizes = [9, 21, 5, 13];
    const results = sizes.map(run);
    expect(made).toBe(1);
    expect(sizes.map(run).reverse()).toEqual([...results].reverse());
    expect(sizes.reverse().map(run)).toEqual([...results].reverse());
    expect(made).toBe(1);
  } finally {
    WebAssembly.Memory = Memory;
  }
});
