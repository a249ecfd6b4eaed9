import type { KvStore } from "@pcg/kvstore";
import {
  encodeInfo,
  isPrecomputedError,
  type PrecomputedInfo,
  parseInfo,
  readInfo,
  writeInfo,
} from "neuroglancer-precomputed";
import { defaultSharding } from "neuroglancer-precomputed/sharded";
import type { DataType, Volume, Xyz } from "../contract.ts";
import { VolumeError } from "../errors.ts";
import { checkNewVolume, type NewVolume } from "../new-volume.ts";
import type { OpenFormatOptions } from "../options.ts";
import { asVolumeError } from "./errors.ts";
import { openPrecomputedVolume } from "./open-precomputed.ts";

/**
 * Creates a precomputed volume at the root of `store` and opens it for writing. If just this volume is there already, it
 * is opened.
 */
export async function createPrecomputedVolume(
  store: KvStore,
  volume: NewVolume,
  options: Omit<OpenFormatOptions, "writable"> = {},
): Promise<Volume> {
  checkNewVolume(volume);
  const call = { ...(options.signal && { signal: options.signal }) };
  try {
    const info = parseInfo(infoOf(volume));
    if (!(await exists(store, info, call))) {
      try {
        await writeInfo(store, info, { ...call, ifGeneration: null });
      } catch (error) {
        // Another process was faster; that is fine if it created the same.
        if (!isPrecomputedError(error, "CONFLICT")) throw error;
        await exists(store, info, call);
      }
    }
  } catch (error) {
    throw asVolumeError(error, store.url);
  }
  return openPrecomputedVolume(store, { ...options, writable: true });
}

/** Whether this info is there; throws when another one is. */
async function exists(store: KvStore, info: PrecomputedInfo, options: { signal?: AbortSignal }): Promise<boolean> {
  try {
    const stored = await readInfo(store, options);
    const text = (value: PrecomputedInfo): string => new TextDecoder().decode(encodeInfo(value));
    if (text(stored.info) === text(info)) return true;
  } catch (error) {
    if (isPrecomputedError(error, "NOT_FOUND")) return false;
    if (!isPrecomputedError(error, "INVALID_INFO")) throw error;
  }
  throw new VolumeError(
    "ALREADY_EXISTS",
    `info in ${store.url} exists and describes another volume; remove that volume first, or choose another place`,
    { url: store.url, key: "info" },
  );
}

function infoOf(volume: NewVolume): unknown {
  const { kind, dataType, channels = 1, precomputed = {} } = volume;
  const isWideLabel = kind === "segmentation" && (dataType === "uint32" || dataType === "uint64");
  const encoding = precomputed.encoding ?? (isWideLabel ? "compressed_segmentation" : "raw");
  const block = precomputed.compressedSegmentationBlockSize ?? ([8, 8, 8] satisfies Xyz);
  return {
    "@type": "neuroglancer_multiscale_volume",
    type: kind,
    data_type: dataType,
    num_channels: channels,
    scales: volume.scales.map((scale) => {
      const { size, resolution, voxelOffset = [0, 0, 0], chunkSize = [64, 64, 64] } = scale;
      const stored = { size, chunk_sizes: [chunkSize], encoding };
      const spec = precomputed.sharding;
      const sharding = spec === true ? shardingOf(stored, dataType, channels) : spec;
      return {
        key: scale.key ?? resolution.join("_"),
        ...stored,
        resolution,
        voxel_offset: voxelOffset,
        ...(encoding === "compressed_segmentation" && { compressed_segmentation_block_size: block }),
        ...(sharding !== undefined && { sharding }),
      };
    }),
  };
}

function shardingOf(scale: Parameters<typeof defaultSharding>[0], dataType: DataType, channels: number): unknown {
  // Types that the format has not are refused with the rest of the info.
  return isPrecomputedType(dataType) ? defaultSharding(scale, dataType, channels) : undefined;
}

function isPrecomputedType(dataType: DataType): dataType is Exclude<DataType, "int64" | "float64"> {
  return dataType !== "int64" && dataType !== "float64";
}
