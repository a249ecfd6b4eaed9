import type { KvStore } from "@pcg/kvstore";
import type { Volume, Xyz } from "../contract.ts";
import { bytesPerVoxel, integerRange } from "../data-type.ts";
import { VolumeError } from "../errors.ts";
import { checkNewVolume, type NewScale, type NewVolume } from "../new-volume.ts";
import { buildMultiscales, type NgffAxis } from "../ngff/multiscales.ts";
import { datasetOf, mapAxes } from "../ngff/placement.ts";
import type { OpenFormatOptions } from "../options.ts";
import { parseArrayV2, parseArrayV3 } from "./array-metadata.ts";
import { parseExactJson, stringifyExactJson } from "./exact-json.ts";
import { fillValueToJson } from "./fill-value.ts";
import { openZarrVolume } from "./open-zarr.ts";

export interface CreateZarrOptions extends Omit<OpenFormatOptions, "writable"> {
  /** 2 with OME-NGFF 0.4, or 3 with OME-NGFF 0.5. */
  readonly zarrFormat: 2 | 3;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Creates an OME-NGFF volume at the root of `store` and opens it for writing. The group's metadata is written last, so
 * that a reader finds a whole description or none. If just this volume is there already, it is opened.
 *
 * Arrays are (z, y, x), or (channel, z, y, x) with several channels, little-endian, `/` between the parts of keys.
 */
export async function createZarrVolume(store: KvStore, volume: NewVolume, options: CreateZarrOptions): Promise<Volume> {
  checkNewVolume(volume);
  if (volume.zarr?.shardSize !== undefined && options.zarrFormat === 2) {
    throw new RangeError("zarr v2 has no shards; leave out `zarr.shardSize` or use zarr v3");
  }
  const entries = options.zarrFormat === 2 ? entriesV2(volume) : entriesV3(volume);
  checkReadable(volume, entries);
  await refuseDifferent(store, entries, options.signal);
  for (const [key, json] of entries) await put(store, key, json, options.signal);
  return openZarrVolume(store, { ...options, writable: true });
}

/** Metadata objects by key; the last one makes them a volume. */
function entriesV2(volume: NewVolume): [string, Json][] {
  const arrays = volume.scales.map((scale, level): [string, Json] => [
    `${pathOf(scale, level)}/.zarray`,
    {
      zarr_format: 2,
      shape: shapeOf(scale.size, volume),
      chunks: chunkShapeOf(scale.chunkSize, volume),
      dtype: `${bytesPerVoxel(volume.dataType) === 1 ? "|" : "<"}${kindLetter(volume)}${bytesPerVoxel(volume.dataType)}`,
      compressor: compressorV2(volume),
      fill_value: fillValueOf(volume),
      order: "C",
      filters: null,
      dimension_separator: "/",
    },
  ]);
  return [...arrays, [".zgroup", { zarr_format: 2 }], [".zattrs", attributes(volume, "0.4")]];
}

function entriesV3(volume: NewVolume): [string, Json][] {
  const arrays = volume.scales.map((scale, level): [string, Json] => {
    const chunk = chunkShapeOf(scale.chunkSize, volume);
    const shard = volume.zarr?.shardSize && chunkShapeOf(volume.zarr.shardSize, volume);
    return [
      `${pathOf(scale, level)}/zarr.json`,
      {
        zarr_format: 3,
        node_type: "array",
        shape: shapeOf(scale.size, volume),
        data_type: volume.dataType,
        chunk_grid: { name: "regular", configuration: { chunk_shape: shard ?? chunk } },
        chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
        fill_value: fillValueOf(volume),
        codecs: shard === undefined ? codecsV3(volume) : [shardingCodec(chunk, volume)],
        dimension_names: axesOf(volume).map((axis) => axis.name),
        attributes: {},
      },
    ];
  });
  return [...arrays, ["zarr.json", { zarr_format: 3, node_type: "group", attributes: attributes(volume, "0.5") }]];
}

function attributes(volume: NewVolume, version: "0.4" | "0.5"): Json {
  const axes = axesOf(volume);
  const datasets = volume.scales.map((scale, level) => {
    const { resolution, voxelOffset = [0, 0, 0] } = scale;
    return datasetOf(pathOf(scale, level), { resolution, voxelOffset }, axes);
  });
  return buildMultiscales({ name: volume.name, axes, datasets, isLabel: volume.kind === "segmentation" }, version);
}

function axesOf(volume: NewVolume): readonly NgffAxis[] {
  const space = ["z", "y", "x"].map((name): NgffAxis => ({ name, type: "space", unit: "nanometer" }));
  return (volume.channels ?? 1) > 1 ? [{ name: "c", type: "channel" }, ...space] : space;
}

function pathOf(scale: NewScale, level: number): string {
  return scale.key ?? String(level);
}

function shapeOf([x, y, z]: Xyz, { channels = 1 }: NewVolume): readonly number[] {
  return channels > 1 ? [channels, z, y, x] : [z, y, x];
}

/** Each channel is stored by itself, so that one can be read alone. */
function chunkShapeOf([x, y, z]: Xyz = [64, 64, 64], { channels = 1 }: NewVolume): readonly number[] {
  return channels > 1 ? [1, z, y, x] : [z, y, x];
}

function kindLetter({ dataType }: NewVolume): string {
  return dataType.startsWith("uint") ? "u" : dataType.startsWith("int") ? "i" : "f";
}

function fillValueOf({ dataType, zarr }: NewVolume): number | bigint | string {
  const value = zarr?.fillValue ?? 0;
  const range = integerRange(dataType);
  if (range === undefined) return fillValueToJson(Number(value));
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`fillValue ${value} is no exact whole number; give it as a bigint`);
  }
  const exact = BigInt(value);
  if (exact < range[0] || exact > range[1]) {
    throw new RangeError(`fillValue ${exact} is outside ${dataType}, ${range[0]} to ${range[1]}`);
  }
  return exact;
}

function compressorV2({ dataType, zarr }: NewVolume): Json | null {
  switch (zarr?.compressor ?? "zstd") {
    case "none":
      return null;
    case "gzip":
      return { id: "gzip", level: 5 };
    case "zstd":
      return { id: "zstd", level: 3 };
    case "blosc":
      return { id: "blosc", cname: "zstd", clevel: 5, shuffle: bytesPerVoxel(dataType) === 1 ? 0 : 1, blocksize: 0 };
  }
}

function codecsV3({ dataType, zarr }: NewVolume): readonly Json[] {
  const width = bytesPerVoxel(dataType);
  const bytes = { name: "bytes", ...(width > 1 && { configuration: { endian: "little" } }) };
  switch (zarr?.compressor ?? "zstd") {
    case "none":
      return [bytes];
    case "gzip":
      return [bytes, { name: "gzip", configuration: { level: 5 } }];
    case "zstd":
      return [bytes, { name: "zstd", configuration: { level: 3, checksum: false } }];
    case "blosc": {
      const shuffle = width === 1 ? "noshuffle" : "shuffle";
      const configuration = { typesize: width, cname: "zstd", clevel: 5, shuffle, blocksize: 0 };
      return [bytes, { name: "blosc", configuration }];
    }
  }
}

function shardingCodec(chunkShape: readonly number[], volume: NewVolume): Json {
  return {
    name: "sharding_indexed",
    configuration: {
      chunk_shape: chunkShape,
      codecs: codecsV3(volume),
      index_codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }],
      index_location: "end",
    },
  };
}

/** What we could not open again (shards that chunks do not divide, say) is refused before anything is written. */
function checkReadable(volume: NewVolume, entries: readonly [string, Json][]): void {
  const axes = axesOf(volume);
  for (const [key, json] of entries) {
    if (!("shape" in json)) continue;
    const exact = parseExactJson(stringifyExactJson(json));
    const metadata = json.zarr_format === 2 ? parseArrayV2(exact, {}, key) : parseArrayV3(exact, key);
    metadata.codec(mapAxes(axes, metadata.shape, key));
  }
}

/** Looks before anything is written, so that a refusal leaves no trace. */
async function refuseDifferent(
  store: KvStore,
  entries: readonly [string, Json][],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const [key, json] of entries) {
    const stored = await store.read(key, { ...(signal && { signal }) });
    if (stored !== undefined && !sameJson(stored.value, json)) throw different(store, key);
  }
}

async function put(store: KvStore, key: string, json: Json, signal: AbortSignal | undefined): Promise<void> {
  const bytes = new TextEncoder().encode(`${stringifyExactJson(json)}\n`);
  const result = await store.write(key, bytes, { ifGeneration: null, ...(signal && { signal }) });
  if (result.written) return;
  const stored = await store.read(key, { ...(signal && { signal }) });
  if (stored === undefined || !sameJson(stored.value, json)) throw different(store, key);
}

function different(store: KvStore, key: string): VolumeError {
  return new VolumeError(
    "ALREADY_EXISTS",
    `${key} in ${store.url} exists and describes another volume; remove that volume first, or choose another place`,
    { url: store.url, key },
  );
}

function sameJson(bytes: Uint8Array, json: Json): boolean {
  try {
    const stored = parseExactJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return canonical(stored) === canonical(parseExactJson(stringifyExactJson(json)));
  } catch {
    // What is no JSON is certainly another content.
    return false;
  }
}

/** JSON text with members in order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
