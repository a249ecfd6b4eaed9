/**
 * Sharding parameters for a scale, when nobody has a better idea.
 * @module
 */
import { mortonBits } from "@pcg/codecs/morton";
import { ChunkGrid } from "../chunk-grid.ts";
import { bytesPerVoxel, type DataType } from "../data-type.ts";
import type { ScaleInfo } from "../info.ts";
import type { ShardingSpec } from "./spec.ts";

/** Decoded bytes of a shard: what a worker can hold, and less than the 4 GiB at which file systems and uploads differ. */
const MAX_SHARD_BYTES = 3.5e9;
/** A shard index of 8 KiB, read in one request even from afar. */
const MAX_MINISHARD_BITS = 9;
/** Chunks in a minishard: 24 bytes each make an index of 24 KiB, below 40 kB and with fewer than 4000 chunks. */
const MAX_CHUNK_BITS = 10;

/**
 * Parameters that make few, large shards of compact boxes: at most 3.5 GB of decoded voxels and 2^19 chunks in a shard,
 * at most 1024 chunks in a minishard.
 *
 * @example
 * addScale(info, { ...scale, sharding: defaultSharding(scale, info.data_type, info.num_channels) });
 */
export function defaultSharding(
  scale: Pick<ScaleInfo, "size" | "chunk_sizes" | "encoding">,
  dataType: DataType,
  channels: number,
): ShardingSpec {
  const chunkSize = scale.chunk_sizes[0]!;
  const gridBits = mortonBits(new ChunkGrid({ size: scale.size, chunkSize }).shape).reduce(
    (sum, bits) => sum + bits,
    0,
  );
  const chunkBytes = chunkSize.reduce((product, n) => product * n, bytesPerVoxel(dataType) * channels);
  const affordableBits = Math.max(0, Math.floor(Math.log2(MAX_SHARD_BYTES / chunkBytes)));
  const shardChunkBits = Math.min(gridBits, affordableBits, MAX_MINISHARD_BITS + MAX_CHUNK_BITS);
  const minishardBits = Math.max(0, shardChunkBits - MAX_CHUNK_BITS);
  const compressed = scale.encoding === "jpeg" || scale.encoding === "png";
  return {
    "@type": "neuroglancer_uint64_sharded_v1",
    hash: "identity",
    preshift_bits: shardChunkBits - minishardBits,
    minishard_bits: minishardBits,
    shard_bits: gridBits - shardChunkBits,
    minishard_index_encoding: "gzip",
    data_encoding: compressed ? "raw" : "gzip",
  };
}
