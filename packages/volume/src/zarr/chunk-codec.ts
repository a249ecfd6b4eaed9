/**
 * The codec chain of an array: how the voxels of a chunk become the bytes of a stored object. A chain either ends in
 * plain bytes or in a shard of smaller chunks, which have a chain of their own. Transpositions are folded into strides
 * here, at parse time, so that decoding never moves a voxel for their sake.
 * @module
 */
import type { Xyzc } from "../box.ts";
import type { DataType } from "../contract.ts";
import { bytesPerVoxel } from "../data-type.ts";
import { type BytesCodec, bytesCodecOfV2, bytesCodecOfV3 } from "./bytes-codecs.ts";
import { asArray, asObject, asOneOf, asShape, asString, at, bad, type JsonObject, unsupported } from "./checks.ts";

/** Which dimension of a zarr array is x, y, z and channel; -1 where the array has none. */
export type AxisMap = readonly [number, number, number, number];

/** A chunk stored as one run of voxels. */
export interface PlainCodec {
  readonly kind: "plain";
  /** Voxels along x, y, z, channel. */
  readonly size: Xyzc;
  /** All voxels, also those along further dimensions. */
  readonly length: number;
  readonly strides: Xyzc;
  readonly bigEndian: boolean;
  /** In order of encoding. */
  readonly bytesCodecs: readonly BytesCodec[];
}

/** A chunk stored as a grid of smaller chunks and an index of them. */
export interface ShardCodec {
  readonly kind: "shard";
  readonly size: Xyzc;
  /** Size of the chunks inside. */
  readonly chunkSize: Xyzc;
  readonly inner: ChunkCodec;
  /** Entries of the index, and entries from chunk to chunk along x, y, z, channel. */
  readonly entries: number;
  readonly entryStrides: Xyzc;
  readonly indexAtStart: boolean;
  readonly indexBigEndian: boolean;
  readonly indexChecksum: boolean;
  /** Applied to the whole shard; then it can only be read as a whole. */
  readonly bytesCodecs: readonly BytesCodec[];
}

export type ChunkCodec = PlainCodec | ShardCodec;

/** Entries of a shard index that we accept; 2^22 entries are an index of 64 MiB. */
const maxShardEntries = 2 ** 22;

const depthLimit = 4;

/** Everything that the parts of a chain need to know. */
interface Context {
  readonly dataType: DataType;
  readonly axes: AxisMap;
  readonly key: string;
}

/** The chain of a zarr v2 array: memory order, filters, compressor. */
export function chunkCodecOfV2(
  shape: readonly number[],
  options: {
    readonly order: "C" | "F";
    readonly bigEndian: boolean;
    readonly filters: readonly unknown[];
    readonly compressor: unknown;
  },
  context: Context,
): ChunkCodec {
  const dimensions = shape.map((_, dimension) => dimension);
  const configs = options.compressor === null ? options.filters : [...options.filters, options.compressor];
  return {
    kind: "plain",
    ...plainLayout(shape, options.order === "C" ? dimensions : dimensions.reverse(), context.axes),
    bigEndian: options.bigEndian,
    bytesCodecs: configs.map((config) => bytesCodecOfV2(config, context.key)),
  };
}

/** The chain of a zarr v3 array. */
export function chunkCodecOfV3(shape: readonly number[], codecs: unknown, context: Context): ChunkCodec {
  const identity = shape.map((_, dimension) => dimension);
  return parseChain(shape, identity, codecs, context, 0);
}

/** @param order dimension of the array that each dimension of what the codecs get is. */
function parseChain(
  shape: readonly number[],
  outerOrder: readonly number[],
  value: unknown,
  context: Context,
  depth: number,
): ChunkCodec {
  const { key } = context;
  if (depth > depthLimit) throw unsupported(`Sharding ${depth} levels deep`, key, `${depthLimit} levels`);
  const codecs = asArray(value, at(key, "codecs")).map((codec) => parseCodec(codec, key));
  let order = outerOrder;
  let position = 0;
  for (; codecs[position]?.name === "transpose"; position++) {
    order = permute(order, codecs[position]!.configuration.order, key);
  }
  const serializer = codecs[position];
  const bytesCodecs = codecs
    .slice(position + 1)
    .map(({ name, configuration }) => bytesCodecOfV3(name, configuration, key));
  if (serializer?.name === "bytes") {
    const layout = plainLayout(shape, order, context.axes);
    return { kind: "plain", ...layout, bigEndian: isBigEndian(serializer.configuration, context), bytesCodecs };
  }
  if (serializer?.name === "sharding_indexed") {
    return { ...parseSharding(shape, order, serializer.configuration, context, depth), bytesCodecs };
  }
  throw unsupported(
    `Codec ${JSON.stringify(serializer?.name ?? "(none)")} to make bytes`,
    key,
    "bytes, sharding_indexed",
  );
}

function parseSharding(
  shape: readonly number[],
  order: readonly number[],
  configuration: JsonObject,
  context: Context,
  depth: number,
): Omit<ShardCodec, "bytesCodecs"> {
  const { key, axes } = context;
  const stored = asShape(configuration.chunk_shape, at(key, "sharding_indexed chunk_shape"), 1, shape.length);
  const chunkShape = shape.map(() => 1);
  order.forEach((dimension, i) => {
    chunkShape[dimension] = stored[i]!;
  });
  const grid = shape.map((size, dimension) => size / chunkShape[dimension]!);
  if (!grid.every(Number.isInteger)) {
    throw bad(
      stored,
      at(key, "sharding_indexed chunk_shape"),
      `a divisor of the shard shape ${order.map((d) => shape[d])}`,
    );
  }
  const entries = product(grid);
  if (entries > maxShardEntries) {
    throw unsupported(`A shard of ${entries} chunks`, key, `up to ${maxShardEntries} chunks in a shard`);
  }
  const index = parseIndexCodecs(configuration.index_codecs, context);
  const location = configuration.index_location ?? "end";
  return {
    kind: "shard",
    size: pick(shape, axes, 1),
    chunkSize: pick(chunkShape, axes, 1),
    inner: parseChain(chunkShape, order, configuration.codecs, context, depth + 1),
    entries,
    entryStrides: pick(stridesOf(grid, order), axes, 0),
    indexAtStart: asOneOf(location, ["start", "end"], at(key, "index_location")) === "start",
    ...index,
  };
}

/** The index must have one length whatever it holds, so only byte order and a checksum are possible. */
function parseIndexCodecs(value: unknown, context: Context): { indexBigEndian: boolean; indexChecksum: boolean } {
  const { key } = context;
  const codecs = asArray(value, at(key, "index_codecs")).map((codec) => parseCodec(codec, key));
  const names = codecs.map((codec) => codec.name).join(", ");
  if (names !== "bytes" && names !== "bytes, crc32c")
    throw unsupported(`index_codecs "${names}"`, key, "bytes; bytes, crc32c");
  const bigEndian = isBigEndian(codecs[0]!.configuration, { ...context, dataType: "uint64" });
  return { indexBigEndian: bigEndian, indexChecksum: codecs.length === 2 };
}

function parseCodec(value: unknown, key: string): { name: string; configuration: JsonObject } {
  if (typeof value === "string") return { name: value, configuration: {} };
  const codec = asObject(value, at(key, "codecs"));
  const name = asString(codec.name, at(key, "codec name"));
  return { name, configuration: asObject(codec.configuration ?? {}, at(key, `configuration of codec ${name}`)) };
}

function isBigEndian(configuration: JsonObject, { dataType, key }: Context): boolean {
  const endian = configuration.endian ?? (bytesPerVoxel(dataType) === 1 ? "little" : undefined);
  return asOneOf(endian, ["little", "big"], at(key, "endian")) === "big";
}

function permute(order: readonly number[], value: unknown, key: string): readonly number[] {
  const where = at(key, "transpose order");
  // "C" and "F" were allowed by drafts of the format, and TensorStore still reads them.
  if (value === "C") return order;
  if (value === "F") return [...order].reverse();
  const permutation = asShape(value, where, 0, order.length);
  if (new Set(permutation).size !== order.length || permutation.some((dimension) => dimension >= order.length)) {
    throw bad(value, where, `a permutation of 0 to ${order.length - 1}`);
  }
  return permutation.map((dimension) => order[dimension]!);
}

function plainLayout(
  shape: readonly number[],
  order: readonly number[],
  axes: AxisMap,
): { size: Xyzc; length: number; strides: Xyzc } {
  return { size: pick(shape, axes, 1), length: product(shape), strides: pick(stridesOf(shape, order), axes, 0) };
}

/** Strides by dimension of the array, when its dimensions are stored in this order, the last one fastest. */
function stridesOf(shape: readonly number[], order: readonly number[]): readonly number[] {
  const strides = shape.map(() => 0);
  let stride = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    strides[order[i]!] = stride;
    stride *= shape[order[i]!]!;
  }
  return strides;
}

/** Values by dimension as values by x, y, z, channel. */
export function pick(values: readonly number[], axes: AxisMap, absent: number): Xyzc {
  const value = (axis: number): number => (axes[axis]! < 0 ? absent : values[axes[axis]!]!);
  return [value(0), value(1), value(2), value(3)];
}

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}
