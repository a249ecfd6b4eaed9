/**
 * The roots of all supervoxels of a box, read from the graph.
 * @module
 */
import type { Box } from "@pcg/volume";
import type { GraphView } from "../contract.ts";
import { GraphError } from "../errors.ts";
import type { ChunkGrid } from "../ids.ts";
import { concatenate } from "../view/leaves.ts";

/** Plain data. */
export interface RootTable {
  /** Distinct, in no order. */
  readonly supervoxels: BigUint64Array;
  /** The root of each. */
  readonly roots: BigUint64Array;
}

/** The supervoxels of every graph chunk that overlaps the box. Memory: some 100 bytes per supervoxel while it is made. */
export async function rootTable(view: GraphView, grid: ChunkGrid, box: Box, signal: AbortSignal): Promise<RootTable> {
  const mappings: BigUint64Array[] = [];
  for (const chunk of grid.chunksIn(box, 2)) mappings.push(await view.chunkMapping(chunk, { signal }));
  const pairs = concatenate(mappings);
  const level2 = new BigUint64Array(pairs.length / 2);
  const supervoxels = new BigUint64Array(pairs.length / 2);
  for (let i = 0; i < level2.length; i++) {
    level2[i] = pairs[2 * i]!;
    supervoxels[i] = pairs[2 * i + 1]!;
  }
  const roots = await view.roots(level2, { signal });
  const lost = roots.indexOf(0n);
  if (lost >= 0) {
    const [node, supervoxel] = [level2[lost]!, supervoxels[lost]!];
    throw new GraphError(
      "corrupt-row",
      `node ${node}, the parent of supervoxel ${supervoxel}, did not exist at time ${view.time}: the row store is damaged`,
      { node: node.toString(), supervoxel: supervoxel.toString(), time: view.time.toString() },
    );
  }
  return { supervoxels, roots };
}
