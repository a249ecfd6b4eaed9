/**
 * From a URL to a volume: which store, which format.
 * @module
 */
import { formatUrl, type KvStore, type ParsedUrl, parseUrl, withPrefix } from "@pcg/kvstore";
import type { Volume } from "./contract.ts";
import { VolumeError } from "./errors.ts";
import type { OpenFormatOptions } from "./options.ts";
import { openPrecomputedVolume } from "./precomputed/open-precomputed.ts";
import { openZarrVolume } from "./zarr/open-zarr.ts";

/** Formats by the name of their stage in a pipeline URL. */
export const volumeFormats = ["neuroglancer-precomputed", "zarr2", "zarr3", "zarr"] as const;
export type VolumeFormat = (typeof volumeFormats)[number];

/** Opens the store that a URL without its format stage names; an app composes it from the drivers it has. */
export type OpenStore = (url: string) => KvStore | Promise<KvStore>;

export interface OpenVolumeOptions extends Omit<OpenFormatOptions, "url"> {
  readonly open: OpenStore;
}

/** Stages that name volumes of formats that are known, but not to us. */
const otherFormats = ["n5", "graphene", "nifti", "zip", "boss", "dvid", "nggraph"];

/**
 * Opens a volume: `file:///data/seg/|neuroglancer-precomputed:`, `…|zarr:` (also `zarr2:`, `zarr3:`), the older
 * `precomputed://…` and `zarr://…`, or the bare address of a volume whose format is found by looking.
 *
 * @example
 * const drivers = { ...fileDriver(), ...httpDriver() };
 * const volume = await openVolume("/data/seg", { open: (url) => openKvStore(url, drivers) });
 * const labels = await volume.scales[0].readLabels({ begin: [0, 0, 0], end: [64, 64, 64] });
 */
export async function openVolume(url: string, options: OpenVolumeOptions): Promise<Volume> {
  const { open, ...rest } = options;
  const { store, format } = await openStore(parseUrl(url), open);
  try {
    return await openVolumeIn(store, format, rest);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Opens the volume at the root of a store; without a format, finds it by looking. Closing the volume closes the store. */
export async function openVolumeIn(
  store: KvStore,
  format: VolumeFormat | undefined,
  options: OpenFormatOptions = {},
): Promise<Volume> {
  switch (format ?? (await detectFormat(store, options.signal))) {
    case "neuroglancer-precomputed":
      return openPrecomputedVolume(store, options);
    case "zarr":
      return openZarrVolume(store, options);
    case "zarr2":
      return openZarrVolume(store, { ...options, zarrFormat: 2 });
    case "zarr3":
      return openZarrVolume(store, { ...options, zarrFormat: 3 });
  }
}

/** The store of a volume's URL, and the format that the URL names, if it does. */
export async function openStore(
  url: ParsedUrl,
  open: OpenStore,
): Promise<{ store: KvStore; format: VolumeFormat | undefined }> {
  const last = url.stages.at(-1);
  if (last !== undefined && otherFormats.includes(last.scheme)) {
    throw new VolumeError(
      "UNKNOWN_FORMAT",
      `Volumes of format "${last.scheme}:" cannot be opened; known: ${volumeFormats.join(", ")}`,
      {
        url: formatUrl(url),
      },
    );
  }
  const format = volumeFormats.find((name) => name === last?.scheme);
  const stages = format === undefined ? url.stages : url.stages.slice(0, -1);
  const store = await open(formatUrl({ base: url.base, stages }));
  const path = format === undefined ? "" : last!.path.replace(/^\/+|\/+$/g, "");
  return { store: path === "" ? store : withPrefix(store, `${path}/`), format };
}

/** Keys that show that a volume is there, and of which format. */
export const formatMarks: readonly (readonly [string, VolumeFormat])[] = [
  ["info", "neuroglancer-precomputed"],
  ["zarr.json", "zarr3"],
  [".zarray", "zarr2"],
  [".zattrs", "zarr2"],
  [".zgroup", "zarr2"],
];

async function detectFormat(store: KvStore, signal: AbortSignal | undefined): Promise<VolumeFormat> {
  for (const [key, format] of formatMarks) {
    if ((await store.read(key, { range: { offset: 0, length: 1 }, ...(signal && { signal }) })) !== undefined)
      return format;
  }
  const looked = formatMarks.map(([key, format]) => `${key} (${format})`).join(", ");
  throw new VolumeError(
    "NOT_FOUND",
    `No volume in ${store.url}: looked for ${looked}. The address must be the folder that holds one of these; ` +
      "its format can also be named, as in …|neuroglancer-precomputed: or …|zarr:",
    { url: store.url },
  );
}
