import { type KvStore, parseUrl } from "@pcg/kvstore";
import { requireWritable } from "./array/require-conditions.ts";
import type { Volume } from "./contract.ts";
import { VolumeError } from "./errors.ts";
import type { NewVolume } from "./new-volume.ts";
import { formatMarks, type OpenVolumeOptions, openStore, type VolumeFormat, volumeFormats } from "./open-volume.ts";
import type { OpenFormatOptions } from "./options.ts";
import { createPrecomputedVolume } from "./precomputed/create-precomputed.ts";
import { createZarrVolume } from "./zarr/create-zarr.ts";

export type CreateVolumeOptions = Omit<OpenVolumeOptions, "writable">;

/**
 * Creates a volume and opens it for writing. The URL must name the format; `zarr:` makes zarr v3. A volume that is there
 * already is opened if it is the same, and otherwise refused (`ALREADY_EXISTS`) and left alone.
 *
 * @example
 * const scales = [{ size: [512, 512, 128], resolution: [8, 8, 40] }] as const;
 * const volume = await createVolume("file:///data/out/|zarr3:", { kind: "segmentation", dataType: "uint64", scales }, { open });
 * await volume.scales[0].write({ begin: [0, 0, 0], end: [64, 64, 64] }, labels);
 */
export async function createVolume(url: string, volume: NewVolume, options: CreateVolumeOptions): Promise<Volume> {
  const { open, ...rest } = options;
  const { store, format } = await openStore(parseUrl(url), open);
  try {
    if (format === undefined) {
      const known = volumeFormats.map((name) => `|${name}:`).join(", ");
      throw new VolumeError("UNKNOWN_FORMAT", `A new volume needs a format; end the URL in one of ${known}`, {
        url: store.url,
      });
    }
    return await createVolumeIn(store, format, volume, rest);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Creates a volume at the root of a store; closing the volume closes the store. */
export async function createVolumeIn(
  store: KvStore,
  format: VolumeFormat,
  volume: NewVolume,
  options: Omit<OpenFormatOptions, "writable"> = {},
): Promise<Volume> {
  requireWritable(store);
  await refuseOtherFormats(store, format === "zarr" ? "zarr3" : format, options.signal);
  switch (format) {
    case "neuroglancer-precomputed":
      return createPrecomputedVolume(store, volume, options);
    case "zarr2":
      return createZarrVolume(store, volume, { ...options, zarrFormat: 2 });
    case "zarr":
    case "zarr3":
      return createZarrVolume(store, volume, { ...options, zarrFormat: 3 });
  }
}

async function refuseOtherFormats(
  store: KvStore,
  format: VolumeFormat,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [key, other] of formatMarks) {
    if (other === format) continue;
    if ((await store.read(key, { range: { offset: 0, length: 1 }, ...(signal && { signal }) })) === undefined) continue;
    throw new VolumeError(
      "ALREADY_EXISTS",
      `${store.url} holds a volume of format ${other} (${key}); choose another place`,
      {
        url: store.url,
        key,
      },
    );
  }
}
