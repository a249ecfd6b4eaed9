/**
 * The `info` document: what it may say, checked member by member. The objects keep the names of the JSON, so that
 * unknown members survive a round trip; only `data_type` is lower-cased, `voxel_offset` filled in and a null `sharding`
 * left out.
 * @module
 */
import type { Xyz } from "./chunk-grid.ts";
import { bytesPerVoxel, DATA_TYPES, type DataType } from "./data-type.ts";
import { PrecomputedError } from "./errors.ts";
import { fail, integer, isObject, member, numberTriple, oneOf, triple } from "./json-check.ts";
import { parseSharding, type ShardingSpec } from "./sharded/spec.ts";

/** Encodings this package reads (compresso: only reads). An info may name others: such a scale opens, but its chunks do not. */
export const ENCODINGS = ["raw", "compressed_segmentation", "png", "jpeg", "compresso"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** One entry of `scales`. Sizes and offsets in voxels, resolution in nanometres per voxel, all x, y, z. */
export interface ScaleInfo {
  /** Folder of the chunks, relative to the info. */
  readonly key: string;
  readonly size: Xyz;
  readonly resolution: Xyz;
  readonly voxel_offset: Xyz;
  /** Several sizes mean several copies of the data; the first is the one we read. */
  readonly chunk_sizes: readonly Xyz[];
  readonly encoding: Encoding | (string & {});
  readonly compressed_segmentation_block_size?: Xyz;
  /** 0 to 100. */
  readonly jpeg_quality?: number;
  /** 0 to 9. */
  readonly png_level?: number;
  readonly sharding?: ShardingSpec;
  readonly hidden?: boolean;
  readonly [member: string]: unknown;
}

/** A whole `info` document of a volume. */
export interface PrecomputedInfo {
  readonly "@type"?: "neuroglancer_multiscale_volume";
  readonly type: "image" | "segmentation";
  readonly data_type: DataType;
  readonly num_channels: number;
  /** Finest first. */
  readonly scales: readonly ScaleInfo[];
  readonly mesh?: string;
  readonly skeletons?: string;
  readonly segment_properties?: string;
  readonly [member: string]: unknown;
}

/** Largest chunk we accept, decoded: what fits a typed array in every engine. */
export const MAX_CHUNK_BYTES: number = 2 ** 31;

const VOLUME_TYPE = "neuroglancer_multiscale_volume";

/**
 * Checks a document (JSON text, its bytes, or the parsed value) and returns it as a typed object.
 *
 * @throws PrecomputedError INVALID_INFO, naming the member, its value and what it should be.
 * @example
 * const info = parseInfo('{"type":"segmentation","data_type":"uint64","num_channels":1,"scales":[…]}');
 * info.scales[0].voxel_offset; // [0, 0, 0] when the document has none
 */
export function parseInfo(document: unknown): PrecomputedInfo {
  const json = document instanceof Uint8Array || typeof document === "string" ? parseJson(document) : document;
  if (!isObject(json)) fail("", json, "must be a JSON object");
  if (json["@type"] !== undefined && json["@type"] !== VOLUME_TYPE) {
    fail(
      "@type",
      json["@type"],
      `must be "${VOLUME_TYPE}"; this is no volume (meshes and skeletons have an info of their own)`,
    );
  }
  const type = oneOf(member(json, "type"), "type", ["image", "segmentation"] as const);
  const dataType = parseDataType(member(json, "data_type"));
  const channels = integer(member(json, "num_channels"), "num_channels", 1, 65_536);
  if (type === "segmentation" && channels !== 1) fail("num_channels", channels, "must be 1 for a segmentation");
  if (type === "segmentation" && dataType === "float32")
    fail("data_type", dataType, "must be an integer type for a segmentation");
  for (const name of ["mesh", "skeletons", "segment_properties"] as const) {
    const value = json[name];
    if (value !== undefined && value !== null && typeof value !== "string")
      fail(name, value, "must be a string: a relative path");
  }
  const scales = member(json, "scales");
  if (!Array.isArray(scales) || scales.length === 0) fail("scales", scales, "must be an array of at least one scale");
  return {
    ...json,
    type,
    data_type: dataType,
    num_channels: channels,
    scales: scales.map((scale, i) => parseScale(scale, `scales[${i}]`, dataType, channels)),
  };
}

/** The document as stored: checked, UTF-8, members in their order. */
export function encodeInfo(info: PrecomputedInfo): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(parseInfo(info), null, 2)}\n`);
}

/** `info` with `scale` behind the others; pure. A key that is taken is an error. */
export function addScale(
  info: PrecomputedInfo,
  scale: Omit<ScaleInfo, "voxel_offset"> & { readonly voxel_offset?: Xyz },
): PrecomputedInfo {
  const path = `scales[${info.scales.length}]`;
  if (info.scales.some((other) => other.key === scale.key)) {
    fail(`${path}.key`, scale.key, "is the key of another scale; each scale needs its own folder");
  }
  return parseInfo({ ...info, scales: [...info.scales, scale] });
}

function parseJson(document: Uint8Array | string): unknown {
  try {
    return JSON.parse(
      typeof document === "string" ? document : new TextDecoder("utf-8", { fatal: true }).decode(document),
    );
  } catch (cause) {
    throw new PrecomputedError(
      "INVALID_INFO",
      `info is not JSON: ${(cause as Error).message}`,
      { path: "" },
      { cause },
    );
  }
}

function parseDataType(value: unknown): DataType {
  return oneOf(typeof value === "string" ? value.toLowerCase() : value, "data_type", DATA_TYPES);
}

function parseScale(value: unknown, path: string, dataType: DataType, channels: number): ScaleInfo {
  if (!isObject(value)) fail(path, value, "must be an object");
  const at = (name: string): string => `${path}.${name}`;
  const key = member(value, "key", path);
  if (typeof key !== "string" || key === "") fail(at("key"), key, 'must be a relative path such as "8_8_40"');
  const size = triple(member(value, "size", path), at("size"), 1);
  const resolution = numberTriple(member(value, "resolution", path), at("resolution"));
  const offset =
    value.voxel_offset === undefined ? ([0, 0, 0] as const) : triple(value.voxel_offset, at("voxel_offset"));
  for (const axis of [0, 1, 2] as const) {
    if (!Number.isSafeInteger(offset[axis] + size[axis])) {
      fail(at("voxel_offset"), offset, `plus the size ${JSON.stringify(size)} must stay below 2^53`);
    }
  }
  const encoding = member(value, "encoding", path);
  if (typeof encoding !== "string") fail(at("encoding"), encoding, 'must be a string such as "raw"');
  const { sharding, ...rest } = value;
  const scale = {
    ...rest,
    key,
    size,
    resolution,
    voxel_offset: offset,
    chunk_sizes: parseChunkSizes(
      member(value, "chunk_sizes", path),
      at("chunk_sizes"),
      size,
      bytesPerVoxel(dataType) * channels,
    ),
    encoding,
    ...(sharding === undefined || sharding === null ? {} : { sharding: parseSharding(sharding, at("sharding")) }),
  };
  checkEncoding(scale, path, dataType, channels);
  if (scale.sharding !== undefined && scale.chunk_sizes.length !== 1) {
    fail(at("chunk_sizes"), scale.chunk_sizes, "must hold one size when the scale is sharded");
  }
  if (value.hidden !== undefined && typeof value.hidden !== "boolean")
    fail(at("hidden"), value.hidden, "must be true or false");
  return scale;
}

function parseChunkSizes(value: unknown, path: string, size: Xyz, voxelBytes: number): Xyz[] {
  if (!Array.isArray(value) || value.length === 0) fail(path, value, "must be an array of at least one [x, y, z]");
  return value.map((item, i) => {
    const chunk = triple(item, `${path}[${i}]`, 1);
    const bytes = chunk.reduce((product, n, axis) => product * Math.min(n, size[axis]!), voxelBytes);
    if (bytes > MAX_CHUNK_BYTES) {
      fail(
        `${path}[${i}]`,
        chunk,
        `makes chunks of ${bytes} bytes; at most ${MAX_CHUNK_BYTES} can be held, choose smaller chunks`,
      );
    }
    return chunk;
  });
}

function checkEncoding(scale: Record<string, unknown>, path: string, dataType: DataType, channels: number): void {
  const at = (name: string): string => `${path}.${name}`;
  const { encoding } = scale;
  const needTypes = (types: readonly DataType[]): void => {
    if (!types.includes(dataType)) fail(at("encoding"), encoding, `cannot hold ${dataType}, only ${types.join(", ")}`);
  };
  const needChannels = (counts: readonly number[]): void => {
    if (!counts.includes(channels))
      fail(at("encoding"), encoding, `cannot hold ${channels} channels, only ${counts.join(" or ")}`);
  };
  if (encoding === "compressed_segmentation") {
    needTypes(["uint32", "uint64"]);
    const block = triple(
      member(scale, "compressed_segmentation_block_size", path),
      at("compressed_segmentation_block_size"),
      1,
    );
    if (block[0] * block[1] * block[2] > 2 ** 20) {
      fail(at("compressed_segmentation_block_size"), block, "must not exceed 2^20 voxels; 8 x 8 x 8 is usual");
    }
  } else if (encoding === "png") {
    needTypes(["uint8", "uint16"]);
    needChannels([1, 2, 3, 4]);
  } else if (encoding === "jpeg") {
    needTypes(["uint8"]);
    needChannels([1, 3]);
  } else if (encoding === "compresso") {
    needTypes(["uint8", "uint16", "uint32", "uint64"]);
    needChannels([1]);
  }
  if (scale.jpeg_quality !== undefined) integer(scale.jpeg_quality, at("jpeg_quality"), 0, 100);
  if (scale.png_level !== undefined) integer(scale.png_level, at("png_level"), 0, 9);
}
