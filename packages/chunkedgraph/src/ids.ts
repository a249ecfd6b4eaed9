/**
 * Node ids: 64 bits, `[layer 8][x b][y b][z b][segment]`, as PyChunkedGraph and its clients read them.
 *
 * With N layers, b(L) = max(1, N − L) for L ≥ 3, and layers 1 and 2 share `spatialBits` ≥ max(1, N − 2). The id with
 * segment 0 names the chunk, so it sorts just before the chunk's nodes. Ids are `bigint` one by one and
 * `BigUint64Array` in bulk; the bulk functions work on the two 32-bit halves and assume a little-endian machine, as
 * every typed-array format here does.
 * @module
 */
export { halves, sortedDistinct } from "./ids/bulk.ts";
export { ChunkGrid, layerCount } from "./ids/grid.ts";
export { type ChunkCoords, IdLayout, LAYER_BITS, layerOf } from "./ids/layout.ts";
