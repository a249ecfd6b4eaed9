/**
 * The `neuroglancer_uint64_sharded_v1` format by itself: values under 64-bit ids in few large files. Volumes use it by
 * way of `openPrecomputed`; meshes and skeletons are stored in it as well.
 * @module
 */
export { MAX_SHARD_BYTES, ShardBuilder, storedValues } from "./sharded/builder.ts";
export { defaultSharding } from "./sharded/default-sharding.ts";
export { type ShardChunks, shardShape, shardsOf } from "./sharded/geometry.ts";
export {
  type ByteSpan,
  decodeMinishardIndex,
  decodeShardIndex,
  encodeMinishardIndex,
  encodeShardIndex,
  type MinishardIndex,
} from "./sharded/layout.ts";
export { ShardedReader, type ShardedReaderOptions } from "./sharded/reader.ts";
export {
  locate,
  parseSharding,
  type ShardingSpec,
  type ShardLocation,
  shardIndexLength,
  shardName,
} from "./sharded/spec.ts";
