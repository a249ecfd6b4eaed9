/**
 * What a person pointed at: from an id of any layer and a position to a supervoxel.
 * @module
 */
import type { Box, Xyz } from "@pcg/volume";
import type { GraphView, Pick } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { type IdLayout, layerOf, sortedDistinct } from "../ids.ts";
import { offsetIn, type Voxels } from "../voxels.ts";

/** Search radii in mean voxel sizes, as PyChunkedGraph's. */
const RADII = [4, 8, 14, 28];

/**
 * The supervoxel of each pick as of the view's time. A supervoxel id is taken as it is, if it exists. For any other id
 * it is the supervoxel at the position if it belongs to the id, else that of the id's nearest voxel within reach.
 */
export async function resolvePicks(
  view: GraphView,
  layout: IdLayout,
  voxels: Voxels,
  resolution: Xyz,
  picks: readonly Pick[],
  signal?: AbortSignal,
): Promise<BigUint64Array> {
  const reading = signal === undefined ? {} : { signal };
  const ids = BigUint64Array.from(picks, ({ id }) => (layout.isNode(id) ? id : 0n));
  const exists = await view.exist(ids, reading);
  const roots = await view.roots(ids, reading);
  const latest = await view.isLatest(roots, reading);
  const resolved = new BigUint64Array(picks.length);
  for (const [i, { id, position }] of picks.entries()) {
    const voxel = voxels.voxelOf(position);
    if (exists[i] === 0) throw new GraphError("unknown-id", `no node ${id} in this graph`, { id: id.toString() });
    if (latest[i] === 0)
      throw new GraphError("superseded", `${id} was changed by an edit and is no more: reload and pick again`, {
        id: id.toString(),
      });
    resolved[i] = layerOf(id) === 1 ? id : await nearest(view, voxels, resolution, { id, position }, voxel, signal);
  }
  return resolved;
}

async function nearest(
  view: GraphView,
  voxels: Voxels,
  resolution: Xyz,
  { id, position }: Pick,
  voxel: Xyz,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const layer = layerOf(id);
  const belongs = async (supervoxels: BigUint64Array): Promise<BigUint64Array> => {
    const options = signal === undefined ? { stopLayer: layer } : { stopLayer: layer, signal };
    const ancestors = await view.roots(supervoxels, options);
    return supervoxels.filter((_, i) => ancestors[i] === id);
  };
  const [here] = await belongs(await voxels.at([voxel], signal));
  if (here !== undefined) return here;
  const mean = (resolution[0] + resolution[1] + resolution[2]) / 3;
  for (const radius of RADII.map((r) => r * mean)) {
    const box = boxAround(voxels.grid.volume, position, resolution, radius);
    const block = await voxels.read(box, signal);
    const members = new Set(await belongs(sortedDistinct(block).filter((supervoxel) => supervoxel !== 0n)));
    const found = members.size === 0 ? 0n : nearestOf(members, box, block, position, resolution, radius);
    if (found !== 0n) return found;
  }
  const reach = RADII.at(-1)! * mean;
  throw new GraphError(
    "no-supervoxel",
    `${id} has no voxel within ${Math.round(reach)} nm of ${position.join(", ")}: pick a point on the object`,
    { id: id.toString(), position: position.map(String), reach },
  );
}

/** The voxels within `radius` nm of a position, as far as they are in the volume. */
function boxAround(volume: Box, position: Xyz, resolution: Xyz, radius: number): Box {
  const low = (axis: 0 | 1 | 2): number =>
    Math.max(volume.begin[axis], Math.floor(position[axis] - radius / resolution[axis]));
  const high = (axis: 0 | 1 | 2): number =>
    Math.min(volume.end[axis], Math.floor(position[axis] + radius / resolution[axis]) + 1);
  return { begin: [low(0), low(1), low(2)], end: [high(0), high(1), high(2)] };
}

/** The member whose voxel centre is nearest, at most `radius` nm away; ties go to the first voxel. 0: none. */
function nearestOf(
  members: ReadonlySet<bigint>,
  box: Box,
  block: BigUint64Array,
  position: Xyz,
  resolution: Xyz,
  radius: number,
): bigint {
  let best = 0n;
  let least = radius * radius;
  const away = (v: number, axis: 0 | 1 | 2): number => ((v + 0.5 - position[axis]) * resolution[axis]) ** 2;
  for (let z = box.begin[2]; z < box.end[2]; z++)
    for (let y = box.begin[1]; y < box.end[1]; y++) {
      const plane = away(z, 2) + away(y, 1);
      if (plane > least) continue;
      let at = offsetIn(box, [box.begin[0], y, z]);
      for (let x = box.begin[0]; x < box.end[0]; x++, at++) {
        const distance = plane + away(x, 0);
        if (distance > least || (best !== 0n && distance === least) || !members.has(block[at]!)) continue;
        least = distance;
        best = block[at]!;
      }
    }
  return best;
}
