/**
 * From stored bytes to voxels: single chunks, whose way may lead through the indexes of shards, and whole objects.
 * @module
 */
import { copyBox } from "../array/copy-box.ts";
import type { ChunkVoxels, Layout } from "../array/layout.ts";
import { cellBox, cellsOf, extentOf, map4, type Xyzc } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import { bytesPerVoxel, viewVoxels } from "../data-type.ts";
import { VolumeError } from "../errors.ts";
import { swapBytes } from "./byte-order.ts";
import { type ByteSource, memorySource, sliceSource } from "./byte-source.ts";
import type { ChunkCodec, PlainCodec, ShardCodec } from "./chunk-codec.ts";
import { ShardIndex, shardIndexLength } from "./shard-index.ts";
import type { ShardIndexCache } from "./shard-index-cache.ts";
import { limitsOf, maxPlainLength } from "./stored-length.ts";

export interface DecodeContext {
  readonly dataType: DataType;
  readonly indexes: ShardIndexCache;
  /**
   * Whether equal content has equal generations. Some web servers name no version at all; there, a shard whose index is the
   * same before and after a chunk was read counts as the same shard.
   */
  readonly exactGenerations: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The codec of the smallest chunks. */
export function innermost(codec: ChunkCodec): PlainCodec {
  return codec.kind === "plain" ? codec : innermost(codec.inner);
}

/**
 * Reads one of the smallest chunks. Its voxels may be a view of what the store handed out, so they are to be copied.
 * @param cell its place among the smallest chunks of `source`
 * @returns `undefined` when it is not stored
 */
export async function readChunk(
  codec: ChunkCodec,
  source: ByteSource,
  cell: Xyzc,
  context: DecodeContext,
): Promise<ChunkVoxels | undefined> {
  if (codec.kind === "plain") {
    const stored = await source.read(undefined, context.signal);
    return stored && decodePlain(codec, context.dataType, stored.value, source.name);
  }
  const shard = codec.bytesCodecs.length === 0 ? source : await unwrap(codec, source, context);
  const loaded = shard && (await context.indexes.load(codec, shard));
  if (shard === undefined || loaded === undefined) return undefined;
  context.signal?.throwIfAborted();
  const smallest = innermost(codec).size;
  const place = map4((axis) => Math.floor((cell[axis]! * smallest[axis]!) / codec.chunkSize[axis]!));
  const rest = map4((axis) => cell[axis]! - (place[axis]! * codec.chunkSize[axis]!) / smallest[axis]!);
  const entry = loaded.index.entry(entryNumber(codec, place));
  const { index, generation } = loaded;
  const confirm = context.exactGenerations ? undefined : () => context.indexes.confirm(codec, shard, index);
  if (entry === undefined) {
    // A byte of the shard tells whether it is still the one that a remembered index is of.
    if (!loaded.fresh) await sliceSource(shard, 0, 1, generation, confirm).read(undefined, context.signal);
    return undefined;
  }
  return readChunk(codec.inner, sliceSource(shard, entry.offset, entry.length, generation, confirm), rest, context);
}

/** A shard that is compressed as a whole, in memory. */
async function unwrap(codec: ShardCodec, source: ByteSource, context: DecodeContext): Promise<ByteSource | undefined> {
  const stored = await source.read(undefined, context.signal);
  if (stored === undefined) return undefined;
  const bytes = await decodeBytes(codec, context.dataType, stored.value, source.name);
  return memorySource(source.name, bytes, stored.generation);
}

/** Decodes all chunks of a stored object into the part `extent` of `target`; chunks not stored leave it as it is. */
export async function decodeObject(
  codec: ChunkCodec,
  dataType: DataType,
  stored: Uint8Array,
  name: string,
  target: VoxelArray,
  to: Layout,
  extent: Xyzc,
): Promise<void> {
  if (codec.kind === "plain") {
    const voxels = await decodePlain(codec, dataType, stored, name);
    copyBox(target, to, voxels.data, { start: 0, strides: voxels.strides }, extent);
    return;
  }
  const bytes = await decodeBytes(codec, dataType, stored, name);
  const length = shardIndexLength(codec);
  const indexBytes = codec.indexAtStart
    ? bytes.subarray(0, length)
    : bytes.subarray(Math.max(0, bytes.length - length));
  const index = new ShardIndex(codec, indexBytes, bytes.length, name);
  for (const cell of cellsOf({ begin: [0, 0, 0, 0], end: extent }, codec.chunkSize)) {
    const entry = index.entry(entryNumber(codec, cell));
    if (entry === undefined) continue;
    const box = cellBox(cell, codec.chunkSize, extent);
    const start = to.start + dot(box.begin, to.strides);
    const chunk = bytes.subarray(entry.offset, entry.offset + entry.length);
    const chunkName = `${name} (bytes ${entry.offset} to ${entry.offset + entry.length})`;
    await decodeObject(codec.inner, dataType, chunk, chunkName, target, { start, strides: to.strides }, extentOf(box));
  }
}

async function decodePlain(
  codec: PlainCodec,
  dataType: DataType,
  stored: Uint8Array,
  name: string,
): Promise<ChunkVoxels> {
  let bytes = await decodeBytes(codec, dataType, stored, name);
  const width = bytesPerVoxel(dataType);
  const expected = codec.length * width;
  if (bytes.length !== expected) {
    throw new VolumeError(
      "BAD_CHUNK",
      `Chunk ${name} decodes to ${bytes.length} bytes instead of ${expected} (${codec.length} ${dataType} voxels)`,
      { key: name },
    );
  }
  if (codec.bigEndian) {
    // What the store handed out is not ours to change.
    if (bytes.buffer === stored.buffer) bytes = bytes.slice();
    swapBytes(bytes, width);
  }
  return { data: viewVoxels(dataType, bytes), strides: codec.strides };
}

async function decodeBytes(
  codec: ChunkCodec,
  dataType: DataType,
  stored: Uint8Array,
  name: string,
): Promise<Uint8Array> {
  const limits = limitsOf(codec.bytesCodecs, maxPlainLength(codec, bytesPerVoxel(dataType)));
  const most = limits[codec.bytesCodecs.length]!;
  if (stored.length > most) {
    throw new VolumeError(
      "BAD_CHUNK",
      `${name} is stored in ${stored.length} bytes, but by its metadata ${most} are enough for any content`,
      { key: name },
    );
  }
  let bytes = stored;
  for (let step = codec.bytesCodecs.length - 1; step >= 0; step--) {
    const { name: codecName, decode } = codec.bytesCodecs[step]!;
    try {
      bytes = await decode(bytes, limits[step]!);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new VolumeError("BAD_CHUNK", `Chunk ${name} cannot be decoded by ${codecName}: ${reason}`, {
        key: name,
        cause,
      });
    }
  }
  return bytes;
}

function entryNumber(codec: ShardCodec, cell: Xyzc): number {
  return dot(cell, codec.entryStrides);
}

function dot(a: Xyzc, b: Xyzc): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}
