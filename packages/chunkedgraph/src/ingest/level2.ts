/**
 * Level 2 of one chunk: supervoxels joined by active edges inside the chunk become one node.
 * @module
 */
import type { IdLayout } from "../ids.ts";
import type { Joins } from "./joins.ts";
import { CrossEdgeList, type NodeTable } from "./node-table.ts";
import type { FaceLinks } from "./scratch.ts";
import type { SupervoxelCount } from "./supervoxel-count.ts";

/** A neighbour over a face and the pairs of supervoxel numbers over it, the lower chunk's first. */
export interface Face {
  /** Ordinal of the neighbour. */
  readonly neighbour: number;
  /** Whether the neighbour is the upper chunk of the two. */
  readonly upper: boolean;
  readonly pairs: FaceLinks[number];
}

export interface Level2Chunk {
  /** The level-2 number (1, 2, …) of each supervoxel: element n − 1 is that of supervoxel n. */
  readonly numbers: Uint32Array;
  /** All level-2 nodes of the chunk. */
  readonly table: NodeTable;
}

/** @param chunkId layer-2 id of the chunk with an ordinal. */
export function buildLevel2(
  ordinal: number,
  faces: readonly Face[],
  joins: Joins,
  count: SupervoxelCount,
  layout: IdLayout,
  chunkId: (ordinal: number) => bigint,
): Level2Chunk {
  const start = count.start(ordinal);
  const numbers = joins.level2Numbers(ordinal);
  const chunk = chunkId(ordinal);
  const ids: bigint[] = [];
  const firstSupervoxels: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] !== ids.length + 1) continue;
    firstSupervoxels.push(start + i);
    ids.push(layout.nodeId(chunk, BigInt(numbers[i]!)));
  }
  const edges = new CrossEdgeList();
  for (const { neighbour, upper, pairs } of faces) {
    const otherChunk = chunkId(neighbour);
    const otherNumbers = joins.level2Numbers(neighbour);
    const layer = layout.crossLayer(chunk, otherChunk);
    for (let i = 0; i < pairs.length; i += 2) {
      const own = pairs[upper ? i : i + 1]!;
      const other = pairs[upper ? i + 1 : i]!;
      edges.add(numbers[own - 1]! - 1, layer, layout.nodeId(otherChunk, BigInt(otherNumbers[other - 1]!)));
    }
  }
  const join = (own: number, other: number): void => {
    const otherOrdinal = count.chunkOf(other);
    if (otherOrdinal === ordinal) return;
    const otherChunk = chunkId(otherOrdinal);
    const number = joins.level2Numbers(otherOrdinal)[other - count.start(otherOrdinal)]!;
    edges.add(
      numbers[own - start]! - 1,
      layout.crossLayer(chunk, otherChunk),
      layout.nodeId(otherChunk, BigInt(number)),
    );
  };
  const from = joins.from(ordinal);
  for (let i = 0; i < from.length; i += 2) join(from[i]!, from[i + 1]!);
  const into = joins.into(ordinal);
  for (let i = 0; i < into.length; i += 2) join(into[i + 1]!, into[i]!);
  return {
    numbers,
    table: {
      ids: BigUint64Array.from(ids),
      firstSupervoxels: Uint32Array.from(firstSupervoxels),
      edges: edges.finish(),
    },
  };
}
