import { VoxelSplitError } from "./error.ts";

const BYTES_PER_VOXEL = 24;
/** Small boxes may take this much whatever their size. */
const LEAST_LIMIT = 32 << 20;

/** Keeps account of the bytes that a split holds, and refuses what would pass its bound. */
export class Budget {
  readonly limit: number;
  peak = 0;
  private held = 0;

  /** 24 bytes per voxel of the box, or 32 MiB if that is more. */
  constructor(boxVoxels: number) {
    this.limit = Math.max(LEAST_LIMIT, boxVoxels * BYTES_PER_VOXEL);
  }

  /** Whether `bytes` more would stay within the bound. */
  fits(bytes: number): boolean {
    return this.held + bytes <= this.limit;
  }

  /** Counts bytes that are about to be allocated; VoxelSplitError `TOO_LARGE` when they pass the bound. */
  take(bytes: number): void {
    const total = this.held + bytes;
    if (total > this.limit) {
      throw new VoxelSplitError(
        "TOO_LARGE",
        `splitting would take ${total} bytes and may take ${this.limit}; crop the box around the seeds`,
        { bytes: total, limit: this.limit },
      );
    }
    this.held = total;
    this.peak = Math.max(this.peak, total);
  }

  /** Counts bytes that were let go. */
  give(bytes: number): void {
    this.held -= bytes;
  }
}
