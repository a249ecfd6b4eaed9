import type { KvStore } from "@pcg/kvstore";
import { defaultLimits } from "../array/limits.ts";
import { requireWritable } from "../array/require-conditions.ts";
import type { DataType, Scale, Volume } from "../contract.ts";
import { VolumeError } from "../errors.ts";
import { type Multiscales, type NgffAxis, parseMultiscales } from "../ngff/multiscales.ts";
import { mapAxes, placeDataset } from "../ngff/placement.ts";
import type { OpenFormatOptions } from "../options.ts";
import { ChunkedScale } from "../scale.ts";
import { type ArrayMetadata, parseArrayV2, parseArrayV3 } from "./array-metadata.ts";
import { asObject, at, type JsonObject } from "./checks.ts";
import { readJson } from "./json-object.ts";
import { ZarrArray } from "./zarr-array.ts";

export interface OpenZarrOptions extends OpenFormatOptions {
  /** Version of the format. Default: 3 if there is a `zarr.json`, else 2. */
  readonly zarrFormat?: 2 | 3;
}

/** What is at the root of a store: a single array, or a group with its attributes. */
type Root =
  | { readonly node: "array"; readonly metadata: ArrayMetadata }
  | { readonly node: "group"; readonly zarrFormat: 2 | 3; readonly key: string; readonly attributes: JsonObject };

/**
 * Opens the zarr array, or the OME-NGFF group of arrays, at the root of `store`; closing the volume closes the store.
 *
 * A single array has no place in space: its resolution is 1 nm and its offset 0. Its dimensions are (z, y, x), with
 * channel and then time before them if there are more, unless it names them otherwise.
 */
export async function openZarrVolume(store: KvStore, options: OpenZarrOptions = {}): Promise<Volume> {
  if (options.writable) requireWritable(store);
  const root = await readRoot(store, options.zarrFormat, options.signal);
  const zarrFormat = root.node === "array" ? root.metadata.zarrFormat : root.zarrFormat;
  const url = options.url ?? `${store.url}|zarr${zarrFormat}:`;
  const multiscales = root.node === "array" ? undefined : multiscalesOf(root, store);
  const open = root.node === "array" ? [openSingle(store, root.metadata, url, options)] : [];
  for (const dataset of multiscales?.datasets ?? []) {
    const { metadata, key } = await readArray(store, dataset.path, zarrFormat, options.signal);
    const map = mapAxes(multiscales!.axes, metadata.shape, key);
    const place = placeDataset(dataset, multiscales!.axes, map, key);
    open.push(openScale(store, dataset.path, metadata, map, place, url, options));
  }
  const kind = multiscales?.isLabel ? "segmentation" : kindOf(open[0]!.dataType);
  return { url, kind, scales: open, close: () => store.close() };
}

function openSingle(store: KvStore, metadata: ArrayMetadata, url: string, options: OpenZarrOptions): Scale {
  const map = mapAxes(axesOfArray(metadata), metadata.shape, "the array");
  const place = { resolution: [1, 1, 1], voxelOffset: [0, 0, 0] } as const;
  return openScale(store, "", metadata, map, place, url, options);
}

function openScale(
  store: KvStore,
  path: string,
  metadata: ArrayMetadata,
  map: ReturnType<typeof mapAxes>,
  place: ReturnType<typeof placeDataset>,
  url: string,
  options: OpenZarrOptions,
): Scale {
  const limits = { ...defaultLimits, ...options.limits };
  const array = new ZarrArray(store, path, metadata, map, limits.maxChunkBytes);
  return new ChunkedScale(array, { ...place, writable: options.writable ?? false, limits, url });
}

async function readRoot(store: KvStore, zarrFormat: 2 | 3 | undefined, signal?: AbortSignal): Promise<Root> {
  if (zarrFormat !== 2) {
    const json = await readJson(store, "zarr.json", signal);
    if (json !== undefined) {
      const members = asObject(json, at("zarr.json", "(all)"));
      if (members.node_type !== "group") return { node: "array", metadata: parseArrayV3(json, "zarr.json") };
      const attributes = asObject(members.attributes ?? {}, at("zarr.json", "attributes"));
      return { node: "group", zarrFormat: 3, key: "zarr.json", attributes };
    }
  }
  if (zarrFormat !== 3) {
    const attributes = await readJson(store, ".zattrs", signal);
    const array = await readJson(store, ".zarray", signal);
    const members = asObject(attributes ?? {}, at(".zattrs", "(all)"));
    if (array !== undefined) return { node: "array", metadata: parseArrayV2(array, members, ".zarray") };
    if (attributes !== undefined || (await readJson(store, ".zgroup", signal)) !== undefined) {
      return { node: "group", zarrFormat: 2, key: ".zattrs", attributes: members };
    }
  }
  const v2 = ".zarray, .zattrs, .zgroup (zarr v2)";
  const looked = zarrFormat === 2 ? v2 : zarrFormat === 3 ? "zarr.json (zarr v3)" : `zarr.json (zarr v3), ${v2}`;
  throw new VolumeError("NOT_FOUND", `No zarr volume in ${store.url}: looked for ${looked}`, { url: store.url });
}

async function readArray(
  store: KvStore,
  path: string,
  zarrFormat: 2 | 3,
  signal: AbortSignal | undefined,
): Promise<{ metadata: ArrayMetadata; key: string }> {
  const key = `${path}/${zarrFormat === 3 ? "zarr.json" : ".zarray"}`;
  const json = await readJson(store, key, signal);
  if (json === undefined) {
    throw new VolumeError("NOT_FOUND", `${store.url} lists a level at "${path}", but has no ${key}`, {
      url: store.url,
      key,
    });
  }
  return { metadata: zarrFormat === 3 ? parseArrayV3(json, key) : parseArrayV2(json, {}, key), key };
}

function multiscalesOf(root: Root & { node: "group" }, store: KvStore): Multiscales {
  const multiscales = parseMultiscales(root.attributes, root.key);
  if (multiscales !== undefined) return multiscales;
  const ome = (root.attributes.ome ?? root.attributes) as JsonObject;
  const labels = Array.isArray(ome.labels) ? `; it lists the label volumes ${ome.labels.join(", ")}` : "";
  throw new VolumeError(
    "NOT_FOUND",
    `The zarr group in ${store.url} has no OME-NGFF "multiscales"${labels}; open one of its arrays or groups instead`,
    { url: store.url, key: root.key },
  );
}

const standardAxes: readonly Pick<NgffAxis, "name" | "type">[] = [
  { name: "t", type: "time" },
  { name: "c", type: "channel" },
  { name: "z", type: "space" },
  { name: "y", type: "space" },
  { name: "x", type: "space" },
];

function axesOfArray({ shape, dimensionNames }: ArrayMetadata): readonly Pick<NgffAxis, "name" | "type">[] {
  const standard = standardAxes.slice(-shape.length);
  return standard.map((axis, dimension) => {
    const name = dimensionNames?.[dimension];
    if (name === null || name === undefined) return axis;
    const type = /^(t|time)$/i.test(name) ? "time" : /^(c|channel|channels)$/i.test(name) ? "channel" : "space";
    return { name, type };
  });
}

/** Without a mark, wide integers are taken for labels and everything else for intensities. */
function kindOf(dataType: DataType): Volume["kind"] {
  return /^u?int(32|64)$/.test(dataType) ? "segmentation" : "image";
}
