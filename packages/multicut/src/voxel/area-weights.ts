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
const SAMPLES = 48;

/** The physical area that each of the thirteen pairs of opposite neighbours stands for. */
export function areaWeights(voxelSize: VoxelSize): Float64Array {
  // Octants are mirror images, so one suffices: seven families, by which axes they step along.
  const families = Array.from({ length: 7 }, (_, bits) => {
    const step = [0, 1, 2].map((axis) => (((bits + 1) >> axis) & 1) * voxelSize[axis]!);
    const length = norm(step);
    return { unit: step.map((part) => part / length), length, angle: 0 };
  });
  for (let face = 0; face < 3; face++) {
    for (let i = 0; i < SAMPLES; i++) {
      for (let j = 0; j < SAMPLES; j++) {
        const point = [0, 0, 0];
        point[face] = 1;
        point[(face + 1) % 3] = (i + 0.5) / SAMPLES;
        point[(face + 2) % 3] = (j + 0.5) / SAMPLES;
        const angle = 1 / (SAMPLES ** 2 * norm(point) ** 3);
        const cosines = families.map(({ unit }) => dot(unit, point));
        const most = Math.max(...cosines) * (1 - 1e-9);
        const nearest = families.filter((_, k) => cosines[k]! >= most);
        for (const family of nearest) family.angle += angle / nearest.length;
      }
    }
  }
  const volume = voxelSize[0] * voxelSize[1] * voxelSize[2];
  return Float64Array.from(DIRECTIONS, (direction) => {
    const bits = direction.reduce((sum, d, axis) => sum + (d === 0 ? 0 : 1 << axis), 0);
    const { length, angle } = families[bits - 1]!;
    // Eight octants over the family's two, four or eight signed directions; a pair of them counts twice.
    const signed = 2 ** direction.filter((d) => d !== 0).length;
    return (((2 * 8 * angle) / signed) * volume) / (2 * Math.PI * length);
  });
}

/** {@link areaWeights} as the cut kernel takes them: whole numbers, the largest 32767. */
export function cutWeights(voxelSize: VoxelSize): Uint16Array {
  const areas = areaWeights(voxelSize);
  const most = Math.max(...areas);
  return Uint16Array.from(areas, (area) => Math.max(1, Math.round((area / most) * MOST_WEIGHT)));
}

/** Sums in ascending order, so that naming the axes otherwise changes nothing. */
function norm(vector: readonly number[]): number {
  const squares = vector.map((part) => part * part).sort((a, b) => a - b);
  return Math.sqrt(squares[0]! + squares[1]! + squares[2]!);
}

function dot(a: readonly number[], b: readonly number[]): number {
  const parts = a.map((part, axis) => part * b[axis]!).sort((p, q) => p - q);
  return parts[0]! + parts[1]! + parts[2]!;
}
