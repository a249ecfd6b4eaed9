/**
 * Opening a volume: its info, and a {@link PrecomputedScale} for each scale.
 * @module
 */
import { type Generation, type KvStore, withPrefix } from "@pcg/kvstore";
import type { PrecomputedInfo } from "./info.ts";
import { readInfo } from "./info-store.ts";
import { PrecomputedScale, type ScaleOptions } from "./scale.ts";

export interface PrecomputedVolume {
  readonly info: PrecomputedInfo;
  /** Version of the info, as a condition for `writeInfo`. */
  readonly generation: Generation | null;
  /** Finest first, as in the info. */
  readonly scales: readonly PrecomputedScale[];
}

export interface OpenPrecomputedOptions extends ScaleOptions {
  /** Folder of the info inside the store. Only needed when scale keys lead out of it by `..`. */
  readonly path?: string;
  readonly signal?: AbortSignal;
}

/**
 * Opens the volume whose `info` lies in `store`. The store stays the caller's to close.
 *
 * @example
 * const { scales } = await openPrecomputed(store);
 * const labels = await scales[0].readChunk([0, 0, 0]); // undefined when absent
 */
export async function openPrecomputed(
  store: KvStore,
  options: OpenPrecomputedOptions = {},
): Promise<PrecomputedVolume> {
  const path = options.path ?? "";
  const folder = path === "" || path.endsWith("/") ? path : `${path}/`;
  const { info, generation } = await readInfo(folder === "" ? store : withPrefix(store, folder), options);
  const scales = info.scales.map((scale) => new PrecomputedScale(store, folder, info, scale, options));
  return { info, generation, scales };
}
