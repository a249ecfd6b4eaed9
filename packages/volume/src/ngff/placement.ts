/**
 * Where an array lies in space: the one place that turns OME transformations into resolution and voxel offset, and back.
 *
 * OME does not say which point of a voxel its coordinates name. We take, and write, the lowest corner: a translation is
 * `voxelOffset × resolution`, which keeps offsets whole numbers and volumes of all formats congruent. Neuroglancer takes
 * the centre, so there a zarr volume appears half a voxel lower. Writers that mean centres give coarser levels a
 * translation of (F−1)/2 fine voxels, less than half a coarse one; rounding to the nearest whole offset, halves
 * downwards, gives these levels the corner they meant. A translation that is no multiple of the voxel for another reason
 * is off by at most half a voxel after that.
 * @module
 */
import type { Xyz } from "../contract.ts";
import { at, bad, unsupported } from "../zarr/checks.ts";
import type { AxisMap } from "../zarr/chunk-codec.ts";
import type { NgffAxis, NgffDataset } from "./multiscales.ts";
import { nanometresPerUnit } from "./units.ts";

export interface Placement {
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  readonly voxelOffset: Xyz;
}

/**
 * Which dimension is x, y, z and channel. Names decide; space axes with other names count by position, the last being x.
 * @param shape of the array: dimensions that are none of these must have size 1
 */
export function mapAxes(
  axes: readonly Pick<NgffAxis, "name" | "type">[],
  shape: readonly number[],
  key: string,
): AxisMap {
  if (axes.length !== shape.length) {
    throw bad(
      shape,
      at(key, "shape"),
      `${axes.length} dimensions, one for each axis (${axes.map((axis) => axis.name)})`,
    );
  }
  const space = axes.flatMap((axis, dimension) => (axis.type === "space" ? [dimension] : []));
  if (space.length < 2 || space.length > 3) throw unsupported(`${space.length} space axes`, key, "2 or 3 space axes");
  const channels = axes.flatMap((axis, dimension) => (axis.type === "channel" ? [dimension] : []));
  if (channels.length > 1) throw unsupported(`${channels.length} channel axes`, key, "one channel axis");
  axes.forEach((axis, dimension) => {
    if (axis.type === "time" && shape[dimension] !== 1) {
      throw unsupported(`Axis ${axis.name} with ${shape[dimension]} times`, key, "one time");
    }
  });
  const named = ["x", "y", "z"].map(
    (name) => space.find((dimension) => axes[dimension]!.name.toLowerCase() === name) ?? -1,
  );
  const known = named.filter((dimension) => dimension >= 0).length === space.length;
  const [x, y, z] = known ? named : [space.at(-1), space.at(-2), space.at(-3)];
  return [x ?? -1, y ?? -1, z ?? -1, channels[0] ?? -1];
}

/** Resolution and offset of a level. */
export function placeDataset(dataset: NgffDataset, axes: readonly NgffAxis[], map: AxisMap, key: string): Placement {
  const resolution = [1, 1, 1];
  const offset = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const dimension = map[axis]!;
    if (dimension < 0) continue;
    const scale = dataset.scale[dimension]!;
    const translation = dataset.translation[dimension]!;
    resolution[axis] = tidy(scale * nanometresPerUnit(axes[dimension]!.unit));
    offset[axis] = roundHalfDown(translation / scale);
    if (!Number.isSafeInteger(offset[axis])) {
      throw bad(translation, at(key, "translation"), `a position within 2^53 voxels of ${scale}`);
    }
  }
  return { resolution: triple(resolution), voxelOffset: triple(offset) };
}

/** The transformation of a level, by dimension of an array with these axes; in nanometres. */
export function datasetOf(path: string, placement: Placement, axes: readonly NgffAxis[]): NgffDataset {
  const axisOf = (name: string): number => ["x", "y", "z"].indexOf(name);
  return {
    path,
    scale: axes.map(({ name }) => placement.resolution[axisOf(name)] ?? 1),
    translation: axes.map(({ name }) => {
      const axis = axisOf(name);
      return axis < 0 ? 0 : tidy(placement.voxelOffset[axis]! * placement.resolution[axis]!);
    }),
  };
}

/** Within a millionth of a half counts as a half, as scales are often rounded decimals. */
function roundHalfDown(value: number): number {
  return Math.ceil(value - 0.5 - 1e-6) + 0;
}

/** Without the noise of binary fractions: 0.004 µm is 4 nm. */
function tidy(value: number): number {
  return Number(value.toPrecision(15));
}

function triple(values: readonly number[]): Xyz {
  return [values[0]!, values[1]!, values[2]!];
}
