import { componentLabels, connectedComponents } from "@pcg/kernels";
import type { GraphSettings } from "../contract.ts";
import { halves, sortedDistinct } from "../ids.ts";
import { IdIndex } from "../view/id-table.ts";
import type { Voxels } from "../voxels.ts";
import { GrowingU64 } from "./growing.ts";
import type { Findings } from "./report.ts";

/**
 * Every supervoxel has voxels, every voxel belongs to a supervoxel of its chunk, and each supervoxel is in one piece.
 * `supervoxels` are those alive now, ascending. Reads one chunk at a time.
 */
export async function checkVoxels(
  voxels: Voxels,
  settings: GraphSettings,
  supervoxels: BigUint64Array,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> {
  const { grid } = voxels;
  const index = new IdIndex(supervoxels);
  const found = new Uint8Array(supervoxels.length);
  for (const chunk of grid.chunksIn(grid.volume, 1)) {
    const { begin, end } = grid.chunkBox(chunk);
    const block = await voxels.read({ begin, end }, signal);
    const size = [end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]] as const;
    const { components, count } = connectedComponents(block, size, settings.connectivity);
    const pieces = new GrowingU64();
    pieces.append(componentLabels(block, components, count));
    const labels = sortedDistinct(pieces.array);
    const sorted = pieces.array.sort();
    for (let i = 1; i < sorted.length; i++)
      if (sorted[i] === sorted[i - 1]) findings.add("voxels", sorted[i]!, "is in more than one piece");
    const half = halves(labels);
    labels.forEach((label, i) => {
      const at = index.of(half[2 * i]!, half[2 * i + 1]!);
      if (at < 0) findings.add("voxels", label, `has voxels in chunk ${chunk} but is no supervoxel`);
      else if (grid.layout.chunkOf(label) !== chunk) findings.add("voxels", label, `has voxels in chunk ${chunk}`);
      else found[at] = 1;
    });
  }
  supervoxels.forEach((id, i) => {
    if (!found[i]) findings.add("voxels", id, "has no voxel");
  });
}
