/**
 * How the volume is dealt out: stored objects of the target, and parts of several of them for one task each.
 * @module
 */
import type { Box, Xyz } from "@pcg/volume";

/** The cells of a grid of `step` voxels that begins at the box's first corner, clipped to the box; x fastest. */
export function* cellsOf({ begin, end }: Box, step: Xyz): Generator<Box> {
  for (let z = begin[2]; z < end[2]; z += step[2])
    for (let y = begin[1]; y < end[1]; y += step[1])
      for (let x = begin[0]; x < end[0]; x += step[0])
        yield {
          begin: [x, y, z],
          end: [Math.min(x + step[0], end[0]), Math.min(y + step[1], end[1]), Math.min(z + step[2], end[2])],
        };
}

/** How many {@link cellsOf} gives. */
export function cellCount({ begin, end }: Box, step: Xyz): number {
  const along = (axis: 0 | 1 | 2): number => Math.ceil((end[axis] - begin[axis]) / step[axis]);
  return along(0) * along(1) * along(2);
}

/** Voxels of a part: as many whole stored objects as a graph chunk has room for, so that its roots are looked up once. */
export function partSize(storedSize: Xyz, graphChunkSize: Xyz): Xyz {
  const along = (axis: 0 | 1 | 2): number =>
    storedSize[axis] * Math.max(1, Math.floor(graphChunkSize[axis] / storedSize[axis]));
  return [along(0), along(1), along(2)];
}
