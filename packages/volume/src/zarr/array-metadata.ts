/**
 * Metadata of one zarr array, version 2 and 3, from JSON to the facts that reading and writing need.
 * @module
 */
import type { DataType } from "../contract.ts";
import { isDataType } from "../data-type.ts";
import { asArray, asObject, asOneOf, asShape, at, bad, type JsonObject, unsupported } from "./checks.ts";
import { type AxisMap, type ChunkCodec, chunkCodecOfV2, chunkCodecOfV3 } from "./chunk-codec.ts";
import { parseFillValue } from "./fill-value.ts";

/** An array's facts; shapes by dimension, as in the JSON. */
export interface ArrayMetadata {
  readonly zarrFormat: 2 | 3;
  readonly shape: readonly number[];
  /** Of one stored object: a chunk, or a shard. */
  readonly chunkShape: readonly number[];
  readonly dataType: DataType;
  readonly fillValue: number | bigint;
  readonly dimensionNames: readonly (string | null)[] | undefined;
  readonly attributes: JsonObject;
  /** Key of the stored object at a cell of the chunk grid, relative to the array. */
  chunkKey(cell: readonly number[]): string;
  /** The codec chain, once it is known which dimension is which. */
  codec(axes: AxisMap): ChunkCodec;
}

const maxDimensions = 5;

const v2Types: Readonly<Record<string, DataType>> = {
  u1: "uint8",
  i1: "int8",
  u2: "uint16",
  i2: "int16",
  u4: "uint32",
  i4: "int32",
  u8: "uint64",
  i8: "int64",
  f4: "float32",
  f8: "float64",
};

/**
 * Metadata of a zarr v2 array.
 * @param json content of `.zarray`, by `parseExactJson`
 * @param attributes content of `.zattrs`
 * @param key of the metadata, for messages
 */
export function parseArrayV2(json: unknown, attributes: JsonObject, key: string): ArrayMetadata {
  const members = asObject(json, at(key, "(all)"));
  if (members.zarr_format !== 2) throw bad(members.zarr_format, at(key, "zarr_format"), "2");
  const shape = parseShape(members.shape, at(key, "shape"));
  const chunkShape = asShape(members.chunks, at(key, "chunks"), 1, shape.length);
  const match = /^([<>|])([uif][1248])$/.exec(String(members.dtype));
  const dataType = match === null ? undefined : v2Types[match[2]!];
  if (match === null || dataType === undefined) {
    throw unsupported(`dtype ${JSON.stringify(members.dtype)}`, key, "u1 to u8, i1 to i8, f4, f8, either byte order");
  }
  const separator = asOneOf(members.dimension_separator ?? ".", [".", "/"], at(key, "dimension_separator"));
  const options = {
    order: asOneOf(members.order, ["C", "F"], at(key, "order")),
    bigEndian: match[1] === ">",
    filters: asArray(members.filters ?? [], at(key, "filters")),
    compressor: members.compressor ?? null,
  };
  return {
    zarrFormat: 2,
    shape,
    chunkShape,
    dataType,
    fillValue: parseFillValue(members.fill_value, dataType, key),
    // xarray's convention, from before arrays could name their dimensions.
    dimensionNames: parseDimensionNames(attributes._ARRAY_DIMENSIONS, shape.length),
    attributes,
    chunkKey: (cell) => (cell.length === 0 ? "0" : cell.join(separator)),
    codec: (axes) => chunkCodecOfV2(chunkShape, options, { dataType, axes, key }),
  };
}

const v3Members = [
  "zarr_format",
  "node_type",
  "shape",
  "data_type",
  "chunk_grid",
  "chunk_key_encoding",
  "fill_value",
  "codecs",
  "attributes",
  "dimension_names",
  "storage_transformers",
];

/** Metadata of a zarr v3 array: `zarr.json`, by `parseExactJson`. */
export function parseArrayV3(json: unknown, key: string): ArrayMetadata {
  const members = asObject(json, at(key, "(all)"));
  if (members.zarr_format !== 3) throw bad(members.zarr_format, at(key, "zarr_format"), "3");
  if (members.node_type !== "array") throw bad(members.node_type, at(key, "node_type"), '"array"');
  refuseUnknown(members, key);
  const shape = parseShape(members.shape, at(key, "shape"));
  const [gridName, grid] = named(members.chunk_grid, key, "chunk_grid");
  if (gridName !== "regular") throw unsupported(`chunk_grid "${gridName}"`, key, "regular");
  const chunkShape = asShape(grid.chunk_shape, at(key, "chunk_shape"), 1, shape.length);
  const [typeName] = named(members.data_type, key, "data_type");
  if (!isDataType(typeName))
    throw unsupported(`data_type "${typeName}"`, key, "uint8 to uint64, int8 to int64, float32, float64");
  const transformers = asArray(members.storage_transformers ?? [], at(key, "storage_transformers"));
  if (transformers.length > 0) throw unsupported("A storage transformer", key, "none");
  if (!("fill_value" in members)) throw bad(undefined, at(key, "fill_value"), "a number");
  if (members.fill_value === null) throw bad(null, at(key, "fill_value"), "a number");
  const codecs = members.codecs;
  return {
    zarrFormat: 3,
    shape,
    chunkShape,
    dataType: typeName,
    fillValue: parseFillValue(members.fill_value, typeName, key),
    dimensionNames: parseDimensionNames(members.dimension_names, shape.length),
    attributes: asObject(members.attributes ?? {}, at(key, "attributes")),
    chunkKey: parseKeyEncoding(members.chunk_key_encoding, key),
    codec: (axes) => chunkCodecOfV3(chunkShape, codecs, { dataType: typeName, axes, key }),
  };
}

/** The specification: a reader must fail on members it does not know, unless they say that it need not. */
function refuseUnknown(members: JsonObject, key: string): void {
  for (const [name, value] of Object.entries(members)) {
    if (v3Members.includes(name)) continue;
    const optional = typeof value === "object" && value !== null && (value as JsonObject).must_understand === false;
    if (!optional)
      throw unsupported(`Member "${name}"`, key, `${v3Members.join(", ")}, and what says must_understand: false`);
  }
}

function parseKeyEncoding(value: unknown, key: string): (cell: readonly number[]) => string {
  const [name, configuration] = named(value, key, "chunk_key_encoding");
  const separatorOr = (standard: "." | "/"): string =>
    asOneOf(configuration.separator ?? standard, [".", "/"], at(key, "separator"));
  if (name === "default") {
    const separator = separatorOr("/");
    return (cell) => ["c", ...cell].join(separator);
  }
  if (name === "v2") {
    const separator = separatorOr(".");
    return (cell) => (cell.length === 0 ? "0" : cell.join(separator));
  }
  throw unsupported(`chunk_key_encoding "${name}"`, key, "default, v2");
}

/** An extension point: `{name, configuration}`, or its name alone. */
function named(value: unknown, key: string, member: string): [string, JsonObject] {
  if (typeof value === "string") return [value, {}];
  const object = asObject(value, at(key, member));
  if (typeof object.name !== "string") throw bad(object.name, at(key, `name of ${member}`), "a string");
  return [object.name, asObject(object.configuration ?? {}, at(key, `configuration of ${member}`))];
}

function parseShape(value: unknown, where: { key: string; member: string }): readonly number[] {
  const shape = asShape(value, where, 0);
  if (shape.length < 2 || shape.length > maxDimensions) {
    throw unsupported(`An array of ${shape.length} dimensions`, where.key, `2 to ${maxDimensions}`);
  }
  return shape;
}

/** Names are a help, not a promise: anything but a list of the right length is taken as none. */
function parseDimensionNames(value: unknown, rank: number): readonly (string | null)[] | undefined {
  if (!Array.isArray(value) || value.length !== rank) return undefined;
  return value.map((name: unknown) => (typeof name === "string" ? name : null));
}
