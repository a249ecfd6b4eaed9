/**
 * Weights that make a cut between voxels weigh as much as the surface between them.
 *
 * By the Cauchy-Crofton formula the area of a surface is the number of crossings with straight lines, averaged over all lines.
 * A voxel grid has thirteen families of lines, one per pair of opposite neighbours; the lines of family k pierce a plane across
 * them once per V/|e| of area (V the voxel's volume, |e| the step). Each family stands for the directions nearer to it
 * than to any other, so that its weight is their solid angle times V/(π|e|) (after Boykov and Kolmogorov, "Computing geodesics
 * and minimal surfaces via graph cuts", 2003). Anisotropic voxels need no other treatment.
 * @module
 */
import { DIRECTIONS, MOST_WEIGHT, type VoxelSize } from "@pcg/kernels";

/** Samples per edge of the cube on which directions are counted. */
const SAMPLES = 32;

/** The physical area that each of the thirteen pairs of opposite neighbours stands for. */
export function areaWeights(voxelSize: VoxelSize): Float64Array {
  // Octants are mirror images, so one suffices: seven families, by which axes they step along.
  const units = new Float64Array(21);
  const lengths = new Float64Array(7);
  for (let family = 0; family < 7; family++) {
    const step = [0, 1, 2].map((axis) => (((family + 1) >> axis) & 1) * voxelSize[axis]!);
    lengths[family] = norm(step[0]!, step[1]!, step[2]!);
    for (let axis = 0; axis < 3; axis++) units[family * 3 + axis] = step[axis]! / lengths[family]!;
  }
  const angles = new Float64Array(7);
  const cosines = new Float64Array(7);
  const point = new Float64Array(3);
  for (let sample = 0; sample < 3 * SAMPLES ** 2; sample++) {
    const face = sample % 3;
    const at = (sample - face) / 3;
    point[face] = 1;
    point[(face + 1) % 3] = ((at % SAMPLES) + 0.5) / SAMPLES;
    point[(face + 2) % 3] = (Math.floor(at / SAMPLES) + 0.5) / SAMPLES;
    let most = 0;
    for (let family = 0; family < 7; family++) {
      const at = family * 3;
      cosines[family] = units[at]! * point[0]! + units[at + 1]! * point[1]! + units[at + 2]! * point[2]!;
      if (cosines[family]! > most) most = cosines[family]!;
    }
    // Directions as near to several families count for each in part.
    let ties = 0;
    for (let family = 0; family < 7; family++) if (cosines[family]! >= most * (1 - 1e-9)) ties++;
    const angle = 1 / (SAMPLES ** 2 * norm(point[0]!, point[1]!, point[2]!) ** 3 * ties);
    for (let family = 0; family < 7; family++) if (cosines[family]! >= most * (1 - 1e-9)) angles[family]! += angle;
  }
  const volume = voxelSize[0] * voxelSize[1] * voxelSize[2];
  return Float64Array.from(DIRECTIONS, (direction) => {
    const family = direction.reduce((sum, d, axis) => sum + (d === 0 ? 0 : 1 << axis), 0) - 1;
    // Eight octants over the family's two, four or eight signed directions.
    const angle = (8 * angles[family]!) / 2 ** direction.filter((d) => d !== 0).length;
    return (angle * volume) / (Math.PI * lengths[family]!);
  });
}

/** {@link areaWeights} as the cut kernel takes them: whole numbers, the largest 32767. */
export function cutWeights(voxelSize: VoxelSize): Uint16Array {
  const areas = areaWeights(voxelSize);
  const most = Math.max(...areas);
  // Sums in another order differ in the last bits: these must not decide a rounding.
  return Uint16Array.from(areas, (area) =>
    Math.max(1, Math.round(Number(((area / most) * MOST_WEIGHT).toPrecision(10)))),
  );
}

function norm(x: number, y: number, z: number): number {
  return Math.sqrt(x * x + y * y + z * z);
}
