/**
 * From voxels to the bytes of a stored object.
 * @module
 */
import { copyBox } from "../array/copy-box.ts";
import type { Layout } from "../array/layout.ts";
import { cellBox, cellsOf, countOf, extentOf, type Xyzc } from "../box.ts";
import type { DataType, VoxelArray } from "../contract.ts";
import { allocateVoxels, bytesOf, bytesPerVoxel, fillVoxels } from "../data-type.ts";
import { swapBytes } from "./byte-order.ts";
import type { ChunkCodec, PlainCodec, ShardCodec } from "./chunk-codec.ts";
import { encodeShardIndex, shardIndexLength } from "./shard-index.ts";

export interface EncodeContext {
  readonly dataType: DataType;
  readonly fillValue: number | bigint;
}

/**
 * The stored object of a chunk or shard whose part `extent` lies inside the array; what lies beyond is fill. A shard
 * leaves out chunks that are all fill, which is safe as it is replaced as a whole. The object itself is never left out: in
 * a store that overlays another, a missing object would show what is below. Memory: one chunk, and the encoded shard
 * twice.
 */
export async function encodeObject(
  codec: ChunkCodec,
  data: VoxelArray,
  from: Layout,
  extent: Xyzc,
  context: EncodeContext,
): Promise<Uint8Array> {
  if (codec.kind === "plain") return encodePlain(codec, gather(codec, data, from, extent, context), context);
  return encodeShard(codec, data, from, extent, context);
}

async function encodeShard(
  codec: ShardCodec,
  data: VoxelArray,
  from: Layout,
  extent: Xyzc,
  context: EncodeContext,
): Promise<Uint8Array> {
  const entries: ({ offset: number; length: number } | undefined)[] = new Array(codec.entries).fill(undefined);
  const parts: Uint8Array[] = [];
  let offset = codec.indexAtStart ? shardIndexLength(codec) : 0;
  for (const cell of cellsOf({ begin: [0, 0, 0, 0], end: extent }, codec.chunkSize)) {
    const box = cellBox(cell, codec.chunkSize, extent);
    const layout = { start: from.start + dot(box.begin, from.strides), strides: from.strides };
    const part = await encodeInner(codec.inner, data, layout, extentOf(box), context);
    if (part === undefined) continue;
    entries[dot(cell, codec.entryStrides)] = { offset, length: part.length };
    parts.push(part);
    offset += part.length;
  }
  const index = encodeShardIndex(codec, entries);
  if (codec.indexAtStart) parts.unshift(index);
  else parts.push(index);
  return encodeBytes(codec, concat(parts));
}

/** A chunk inside a shard; `undefined` when it is all fill. */
async function encodeInner(
  codec: ChunkCodec,
  data: VoxelArray,
  from: Layout,
  extent: Xyzc,
  context: EncodeContext,
): Promise<Uint8Array | undefined> {
  if (codec.kind === "shard") return encodeShard(codec, data, from, extent, context);
  const chunk = gather(codec, data, from, extent, context);
  return isFill(chunk, context) ? undefined : encodePlain(codec, chunk, context);
}

/** The voxels of a chunk in stored order; `data` itself when that is what it holds and nothing will change it. */
function gather(
  codec: PlainCodec,
  data: VoxelArray,
  from: Layout,
  extent: Xyzc,
  { dataType, fillValue }: EncodeContext,
): VoxelArray {
  const isAsStored = codec.strides.every((stride, axis) => codec.size[axis] === 1 || stride === from.strides[axis]);
  const isWhole = data.length === codec.length && countOf(extent) === codec.length;
  if (isWhole && isAsStored && !codec.bigEndian) return data;
  const chunk = allocateVoxels(dataType, codec.length);
  if (countOf(extent) < codec.length) fillVoxels(chunk, fillValue);
  copyBox(chunk, { start: 0, strides: codec.strides }, data, from, extent);
  return chunk;
}

async function encodePlain(codec: PlainCodec, chunk: VoxelArray, { dataType }: EncodeContext): Promise<Uint8Array> {
  const bytes = bytesOf(chunk);
  if (codec.bigEndian) swapBytes(bytes, bytesPerVoxel(dataType));
  return encodeBytes(codec, bytes);
}

async function encodeBytes(codec: ChunkCodec, plain: Uint8Array): Promise<Uint8Array> {
  let bytes = plain;
  for (const step of codec.bytesCodecs) bytes = await step.encode(bytes);
  return bytes;
}

/** Compares bits, so that NaN fill is found and −0 is not taken for 0. */
function isFill(chunk: VoxelArray, { dataType, fillValue }: EncodeContext): boolean {
  const pattern = allocateVoxels(dataType, 1);
  fillVoxels(pattern, fillValue);
  const first = bytesOf(pattern);
  const bytes = bytesOf(chunk);
  const width = first.length;
  for (let i = 0; i < width; i++) if (bytes[i] !== first[i]) return false;
  if (width < 4) {
    for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return false;
    return true;
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const step = width / 4;
  for (let i = step; i < words.length; i++) if (words[i] !== words[i - step]) return false;
  return true;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function dot(a: Xyzc, b: Xyzc): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}
