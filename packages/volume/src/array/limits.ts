import { countOf, type Xyzc } from "../box.ts";
import type { DataType } from "../contract.ts";
import { bytesPerVoxel } from "../data-type.ts";
import { VolumeError } from "../errors.ts";

/** Bounds on memory, in bytes. */
export interface MemoryLimits {
  /** Largest box that one `read` or `write` may cover. Default 2 GiB. */
  readonly maxBoxBytes: number;
  /** Largest decoded chunk or shard that is accepted of a volume's metadata. Default 1 GiB. */
  readonly maxChunkBytes: number;
  /** Decoded chunks a single call works on at the same time, besides the box itself. Default 256 MiB. */
  readonly maxInFlightBytes: number;
}

export const defaultLimits: MemoryLimits = {
  maxBoxBytes: 2 ** 31,
  maxChunkBytes: 2 ** 30,
  maxInFlightBytes: 2 ** 28,
};

/** Requests of one call under way at the same time; more gains nothing on files and little on HTTP/2. */
const maxConcurrency = 16;

/** How many units of this extent may be in flight at once. */
export function concurrencyFor(extent: Xyzc, dataType: DataType, limits: MemoryLimits): number {
  const bytes = countOf(extent) * bytesPerVoxel(dataType);
  return Math.min(maxConcurrency, Math.max(1, Math.floor(limits.maxInFlightBytes / bytes)));
}

/** Throws `TOO_LARGE` when voxels of this extent need more than `maxBytes`. */
export function checkBytes(extent: Xyzc, dataType: DataType, maxBytes: number, what: string, remedy: string): void {
  const bytes = countOf(extent) * bytesPerVoxel(dataType);
  if (bytes <= maxBytes) return;
  const shape = extent[3] === 1 ? extent.slice(0, 3) : extent;
  throw new VolumeError(
    "TOO_LARGE",
    `${what} of ${shape.join("×")} ${dataType} voxels needs ${bytes} bytes, more than the limit of ${maxBytes}; ${remedy}`,
  );
}
