import type { Size, VoxelSize } from "@pcg/kernels";

/** A position in voxels: x, y, z. Voxel i covers the positions from i up to, not including, i + 1 (as in Neuroglancer). */
export type Xyz = readonly [x: number, y: number, z: number];

/** What to split: a mask, or the labels of a block and which of them belong to the object. */
export type SplitObject =
  /** Per voxel of the box: not 0 inside of the object. */
  | { readonly mask: Uint8Array; readonly labels?: undefined; readonly ids?: undefined }
  /** Per voxel a label; the object is all voxels with one of `ids`. */
  | { readonly labels: BigUint64Array | Uint32Array; readonly ids: BigUint64Array; readonly mask?: undefined };

/** What {@link splitVoxels} is asked. Axis order is x, y, z everywhere; blocks are dense with x fastest. */
export type SplitRequest = SplitObject & {
  /** Voxels of the box along x, y, z. */
  readonly size: Size;
  /**
   * Two or more groups of positions, absolute, each standing for the voxel it lies in; group g becomes side g+1. Order within a
   * group does not matter.
   */
  readonly seeds: readonly (readonly Xyz[])[];
  /**
   * Physical length of a voxel per axis, e.g. nanometres: 1e-30 to 1e30, no side more than 100 times as long as another. All distances
   * are in this unit; sides do not depend on it.
   */
  readonly voxelSize: VoxelSize;
  /** Absolute position of the box's first voxel. The box must lie from -2^50 to 2^50. Default 0, 0, 0. */
  readonly offset?: Xyz;
  /**
   * `banded` (default): the smallest surface near the middle between the groups. `geodesic`: equal arrival of fronts that
   * slow down in necks, as PyChunkedGraph cuts; the surface lies where fronts meet, not at the waist.
   */
  readonly method?: "banded" | "geodesic";
  /**
   * Per voxel how dear it is to cut there: 255 is full area, 0 nearly free. The intensities of an electron micrograph with
   * dark membranes can be given as they are. Only `banded` heeds it.
   */
  readonly weights?: Uint8Array;
  /** How far a seed may lie from the object, as a physical length. Default: 16 times the longest voxel side. */
  readonly snapDistance?: number;
  /**
   * The share of the way between groups, above 0 and below 1, in which the surface may lie (`banded`): a voxel is free to take either side
   * while |D₁−D₂|/(D₁+D₂) is below it. Default 0.6.
   */
  readonly band?: number;
  readonly signal?: AbortSignal;
  /** Called between slices of work. */
  readonly onProgress?: (progress: SplitProgress) => void;
};

export interface SplitProgress {
  readonly phase: SplitPhase;
  /** Share of all work, 0 to 1; never falls. */
  readonly done: number;
}

export type SplitPhase = "read" | "connect" | "distances" | "cut" | "refine" | "clean-up";

/** A seed as it was used. */
export interface SnappedSeed {
  /** 1 for the first group. */
  readonly side: number;
  /** The voxel of the object nearest to the seed, absolute. */
  readonly at: Xyz;
  /** Physical distance to it from the voxel that the seed lies in; 0 for a seed on the object. */
  readonly distance: number;
}

/** A part of the object that could not be given to a side. */
export interface Leftover {
  /** One of its voxels (the first in the block), absolute. */
  readonly at: Xyz;
  readonly voxels: number;
}

/** A split. */
export interface VoxelSplit {
  /** Per voxel of the box: 0 outside of the object, g+1 for group g, and `rest` for {@link leftovers}. */
  readonly sides: Uint8Array;
  /** The side of leftovers: the number of groups plus 1. */
  readonly rest: number;
  /** In the order of the request, group by group. */
  readonly seeds: readonly SnappedSeed[];
  /** Parts of the object that touch no voxel of any side: pieces without seeds. Every side itself is one 26-component. */
  readonly leftovers: readonly Leftover[];
  /** Voxels per side, side 1 first, `rest` last. */
  readonly voxels: readonly number[];
  /** The pooling factors at which the surface was sought and refined, coarsest first. */
  readonly levels: readonly Xyz[];
  /** The most bytes that were held at once beside the request, the result included. */
  readonly peakBytes: number;
}
