/** Why a supervoxel cannot be split as asked, stable across releases: callers switch on it, never on the message. */
export type VoxelSplitErrorCode =
  /** An argument is not what it has to be, or does not fit the others; nothing was computed. Fields: `argument`. */
  | "INVALID_ARGUMENT"
  /** The mask has no voxel, or none of the ids occurs. */
  | "EMPTY_MASK"
  /** A group has no seed. Fields: `group`. */
  | "NO_SEEDS"
  /** A seed lies outside of the box. Fields: `group`, `seed`. */
  | "SEED_OUTSIDE"
  /** No voxel of the mask is near enough to a seed. Fields: `group`, `seed`, `limit`. */
  | "SEED_TOO_FAR"
  /** Seeds of two groups fall on the same voxel (absolute). Fields: `group`, `other`, `x`, `y`, `z`. */
  | "SEED_CONFLICT"
  /** Seeds of one group lie in parts of the mask that do not touch. Fields: `group`. */
  | "TEAM_DISCONNECTED"
  /** Seeds of one group can only be connected through those of another. Fields: `group`. */
  | "TEAMS_CROSS"
  /** The work would take more memory than its bound. Fields: `bytes`, `limit`. */
  | "TOO_LARGE"
  /** `mint` gave too few ids, zero, or an id that is taken. Fields: `id` or `wanted` and `given`. */
  | "BAD_IDS"
  /** An edge's partner has neither voxels in the block nor a place from `boxOf`. Fields: `partner`. */
  | "UNKNOWN_PLACE";

/** A supervoxel cannot be split as asked; nothing was changed. */
export class VoxelSplitError extends Error {
  override readonly name = "VoxelSplitError";
  readonly code: VoxelSplitErrorCode;
  /** The values of the message. Groups and seeds count from 0, as in the request's `seeds`; group 0 is side 1. */
  readonly fields: Readonly<Record<string, string | number | bigint>>;

  constructor(
    code: VoxelSplitErrorCode,
    message: string,
    fields: Readonly<Record<string, string | number | bigint>> = {},
  ) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Whether `error` is a {@link VoxelSplitError}, with one of `codes` if any are given. Goes by name and code, so that it also
 * holds across two installed copies of this package.
 */
export function isVoxelSplitError(error: unknown, ...codes: VoxelSplitErrorCode[]): error is VoxelSplitError {
  if (!(error instanceof Error) || error.name !== "VoxelSplitError") return false;
  return codes.length === 0 || codes.includes((error as VoxelSplitError).code);
}
