/**
 * The tutorial tissue as a whole: grown, claimed, and painted section by section.
 * @module
 */
import { plantErrors } from "./errors.ts";
import { growNeurites } from "./neurites.ts";
import { createPainter, type Section } from "./paint.ts";
import { claimTerritory } from "./territory.ts";

export type Xyz = readonly [number, number, number];
type Triple = [number, number, number];

export interface TissueOptions {
  readonly seed: number;
  /** Voxels. */
  readonly size: Xyz;
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  readonly voxelOffset: Xyz;
  readonly neurites: number;
  /** At most so many mistakes are planted; fewer where a small volume has no place for them. */
  readonly splitErrors: number;
  readonly mergeErrors: number;
}

/** What `npm start` shows when it is given no volume. */
export const defaultTissue: TissueOptions = {
  seed: 20,
  size: [512, 512, 128],
  resolution: [8, 8, 40],
  voxelOffset: [1024, 768, 96],
  neurites: 420,
  splitErrors: 40,
  mergeErrors: 12,
};

/** A planted mistake. Positions are voxels of the volume, offset included. */
export type PlantedError =
  | {
      readonly kind: "split";
      readonly position: Xyz;
      /** A voxel well inside either part, both in one section; absent where no section near the cut shows both. */
      readonly sides?: readonly [Xyz, Xyz];
      readonly labels: readonly [string, string];
    }
  | { readonly kind: "merge"; readonly position: Xyz; readonly sides: readonly [Xyz, Xyz]; readonly label: string };

export interface Tissue {
  readonly options: TissueOptions;
  readonly errors: readonly PlantedError[];
  /** Label of segment s at index s; index 0 is background. */
  readonly labels: BigUint64Array;
  /** Paints section `z`, counted from the begin of the volume; `section` arrays hold size x × size y voxels. */
  paint(z: number, section: Section): void;
}

/** Grows the tissue (about a second for the default one); painting is left to the caller, a section at a time. */
export function growTissue(options: TissueOptions): Tissue {
  const { seed, size, resolution, voxelOffset } = options;
  const extent = size.map((voxels, axis) => voxels * resolution[axis]!) as [number, number, number];
  const balls = growNeurites(seed, extent, options.neurites);
  const territory = claimTerritory(balls, extent, [resolution[0] * 4, resolution[1] * 4, resolution[2]]);
  const wanted = { splits: options.splitErrors, merges: options.mergeErrors };
  const planted = plantErrors(seed + 1, balls, territory, extent, wanted);
  const painter = createPainter(seed + 2, balls, planted.segments, territory, size, resolution);
  const labels = spreadLabels(planted.segmentCount);

  const voxel = (nm: Xyz) =>
    nm.map((value, axis) => voxelOffset[axis]! + Math.floor(value / resolution[axis]!)) as Triple;
  const errors: PlantedError[] = [
    ...planted.splits.map(({ position, sides, segments }) => ({
      kind: "split" as const,
      position: voxel(position),
      ...(sides && { sides: [voxel(sides[0]), voxel(sides[1])] as const }),
      labels: segments.map((segment) => String(labels[segment])) as [string, string],
    })),
    ...planted.merges.map(({ sides, segment }) => {
      const [a, b] = sides.map(voxel) as [Triple, Triple];
      const position = a.map((value, axis) => (value + b[axis]!) >> 1) as Triple;
      return { kind: "merge" as const, position, sides: [a, b] as const, label: String(labels[segment]) };
    }),
  ];
  return { options, errors, labels, paint: painter.paint };
}

/** Labels as a segmentation run would have given them: 64 bits wide, in no order that tells anything. */
function spreadLabels(count: number): BigUint64Array {
  const labels = new BigUint64Array(count + 1);
  for (let segment = 1; segment <= count; segment++) {
    labels[segment] = (1n << 56n) + ((BigInt(segment) * 0x9e3779b97f4a7c15n) & 0x3fffffffffffffn);
  }
  return labels;
}
