import type { BytesCodec } from "./bytes-codecs.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import { shardIndexLength } from "./shard-index.ts";

/** Most bytes that a stored object of this chain can have; a longer one is corrupt or hostile. */
function maxStoredLength(codec: ChunkCodec, voxelBytes: number): number {
  return limitsOf(codec.bytesCodecs, maxPlainLength(codec, voxelBytes)).at(-1)!;
}

/** The same before the codecs from bytes to bytes. */
export function maxPlainLength(codec: ChunkCodec, voxelBytes: number): number {
  if (codec.kind === "plain") return codec.length * voxelBytes;
  return codec.entries * maxStoredLength(codec.inner, voxelBytes) + shardIndexLength(codec);
}

/** Most bytes before the first codec, after the first, after the second … */
export function limitsOf(codecs: readonly BytesCodec[], plain: number): number[] {
  const limits = [plain];
  for (const codec of codecs) limits.push(codec.encodedLimit(limits.at(-1)!));
  return limits;
}
