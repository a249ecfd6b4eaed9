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

/** Throws `TOO_LARGE` when a box of this extent needs more than `maxBytes`. */
export function checkBoxBytes(extent: Xyzc, dataType: DataType, maxBytes: number): void {
  const bytes = countOf(extent) * bytesPerVoxel(dataType);
  if (bytes <= maxBytes) return;
  const shape = extent[3] === 1 ? extent.slice(0, 3) : extent;
  throw new VolumeError(
    "TOO_LARGE",
    `A box of ${shape.join("×")} ${dataType} voxels needs ${bytes} bytes, more than the limit of ${maxBytes}; ` +
      "read it in parts or raise `limits.maxBoxBytes`",
  );
}

/** Throws `TOO_LARGE` when the metadata of a scale asks for chunks of more than `maxBytes`. */
export function checkChunkBytes(key: string, bytes: number, maxBytes: number, url: string): void {
  if (bytes <= maxBytes) return;
  throw new VolumeError(
    "TOO_LARGE",
    `Chunks of scale ${JSON.stringify(key)} of ${url} have ${bytes} bytes, more than the limit of ${maxBytes}; ` +
      "raise `limits.maxChunkBytes` if that is meant",
    { url, key },
  );
}
