import type { KvStore } from "@pcg/kvstore";
import { openPrecomputed } from "neuroglancer-precomputed";
import { defaultLimits } from "../array/limits.ts";
import { requireWritable } from "../array/require-conditions.ts";
import type { Volume } from "../contract.ts";
import type { OpenFormatOptions } from "../options.ts";
import { ChunkedScale } from "../scale.ts";
import { asVolumeError } from "./errors.ts";
import { PrecomputedArray } from "./precomputed-array.ts";

/** Opens the volume whose `info` is in `store`; closing the volume closes the store. */
export async function openPrecomputedVolume(store: KvStore, options: OpenFormatOptions = {}): Promise<Volume> {
  if (options.writable) requireWritable(store);
  const limits = { ...defaultLimits, ...options.limits };
  const url = options.url ?? `${store.url}|neuroglancer-precomputed:`;
  try {
    const { info, scales } = await openPrecomputed(store, { ...(options.signal && { signal: options.signal }) });
    return {
      url,
      kind: info.type,
      scales: scales.map((scale) => {
        const array = new PrecomputedArray(store, info, scale, limits);
        const { resolution, voxel_offset: voxelOffset } = scale.info;
        return new ChunkedScale(array, { resolution, voxelOffset, writable: options.writable ?? false, limits, url });
      }),
      close: () => store.close(),
    };
  } catch (error) {
    throw asVolumeError(error, store.url);
  }
}
