import fc from "fast-check";
import type { VoxelSize } from "../src/rim.ts";
import type { Size } from "../src/volume.ts";

/** Masks of all densities, thin blocks among them. */
export const masks: fc.Arbitrary<{ mask: Uint8Array; size: Size }> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 7 }))
  .chain((size) =>
    fc
      .tuple(fc.constantFrom(0.05, 0.3, 0.6, 0.95, 1), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })))
      .map(([density, stream]) => ({
        mask: Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (stream.next().value < density ? 1 : 0)),
        size,
      })),
  );

/** Even, as in electron microscopy, ten to one, and with no common measure. */
export const voxelSizes: fc.Arbitrary<VoxelSize> = fc.constantFrom<VoxelSize>(
  [1, 1, 1],
  [8, 8, 40],
  [40, 4, 4],
  [0.3, 1.7, Math.PI],
);

/** The block with axis `order[k]` as its axis k. */
export function permuteAxes<A extends Uint8Array | Float32Array>(
  block: A,
  size: Size,
  order: Size,
): { block: A; size: Size; voxelOf: (voxel: number) => number } {
  const permuted: Size = [size[order[0]]!, size[order[1]]!, size[order[2]]!];
  const voxelOf = (voxel: number): number => {
    const at = [voxel % size[0], Math.floor(voxel / size[0]) % size[1], Math.floor(voxel / (size[0] * size[1]))];
    return at[order[0]]! + permuted[0] * (at[order[1]]! + permuted[1] * at[order[2]]!);
  };
  const out = block.slice() as A;
  block.forEach((value, voxel) => {
    out[voxelOf(voxel)] = value;
  });
  return { block: out, size: permuted, voxelOf };
}

/** All six ways to name the axes. */
export const axisOrders: readonly Size[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
