/**
 * What a new volume should be, in terms that all formats share, and the parts that one format alone has.
 * @module
 */
import type { ScaleInfo } from "neuroglancer-precomputed";
import type { DataType, Volume, Xyz } from "./contract.ts";
import { isDataType } from "./data-type.ts";

/** One level of a new volume. */
export interface NewScale {
  /** Default: the resolution, as in `8_8_40`, in precomputed; the number of the level in zarr. */
  readonly key?: string;
  /** Voxels. */
  readonly size: Xyz;
  /** Default 0, 0, 0. */
  readonly voxelOffset?: Xyz;
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  /** Voxels of a chunk. Default 64, 64, 64. */
  readonly chunkSize?: Xyz;
}

/** How a precomputed volume stores its chunks. */
export interface PrecomputedStorage {
  /** Default: `compressed_segmentation` for 32- and 64-bit segmentations, else `raw`. */
  readonly encoding?: ScaleInfo["encoding"];
  /** Default 8, 8, 8. */
  readonly compressedSegmentationBlockSize?: Xyz;
  /** `true`: few large shards, as `defaultSharding` of the format package deals them. Default: a file for each chunk. */
  readonly sharding?: NonNullable<ScaleInfo["sharding"]> | true;
}

/** How a zarr volume stores its chunks. */
export interface ZarrStorage {
  /** Default `zstd`, which all readers of the field have. */
  readonly compressor?: "zstd" | "gzip" | "blosc" | "none";
  /** Voxels of a shard, a multiple of the chunk; zarr v3 only. Default: no shards. */
  readonly shardSize?: Xyz;
  /** Value of voxels that are not written. Default 0. */
  readonly fillValue?: number | bigint;
}

export interface NewVolume {
  readonly kind: Volume["kind"];
  readonly dataType: DataType;
  /** Default 1. */
  readonly channels?: number;
  /** Finest first. */
  readonly scales: readonly NewScale[];
  /** For people; only OME-NGFF has a place for it. */
  readonly name?: string;
  readonly precomputed?: PrecomputedStorage;
  readonly zarr?: ZarrStorage;
}

/** Throws a RangeError or TypeError naming the member that is wrong. */
export function checkNewVolume(volume: NewVolume): void {
  if (!isDataType(volume.dataType)) throw new TypeError(`dataType ${JSON.stringify(volume.dataType)} is unknown`);
  if (volume.scales.length === 0) throw new RangeError("A volume needs at least one scale");
  const channels = volume.channels ?? 1;
  if (!Number.isSafeInteger(channels) || channels < 1) {
    throw new RangeError(`channels is ${channels}; it must be a whole number of at least 1`);
  }
  const keys = new Set<string>();
  volume.scales.forEach((scale, level) => {
    const { key } = scale;
    if (key?.split("/").some((part) => part === "" || part === "." || part === "..")) {
      throw new RangeError(`scales[${level}].key is ${JSON.stringify(key)}; expected a path inside the volume`);
    }
    if (key !== undefined && keys.size === keys.add(key).size) {
      throw new RangeError(`scales[${level}].key ${JSON.stringify(key)} is the key of another scale`);
    }
    checkTriple(scale.size, `scales[${level}].size`, (n) => Number.isSafeInteger(n) && n >= 1, "whole numbers ≥ 1");
    checkTriple(scale.voxelOffset ?? [0, 0, 0], `scales[${level}].voxelOffset`, Number.isSafeInteger, "whole numbers");
    const isPositive = (n: number): boolean => Number.isFinite(n) && n > 0;
    checkTriple(scale.resolution, `scales[${level}].resolution`, isPositive, "numbers above 0 (nanometres)");
    const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
    checkTriple(scale.chunkSize ?? [64, 64, 64], `scales[${level}].chunkSize`, isCount, "whole numbers ≥ 1");
  });
}

function checkTriple(value: Xyz, name: string, isGood: (n: number) => boolean, expected: string): void {
  if (value.length === 3 && value.every(isGood)) return;
  throw new RangeError(`${name} is ${JSON.stringify(value)}; expected three ${expected}, in x, y, z order`);
}
