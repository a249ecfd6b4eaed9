/**
 * The `neuroglancer_uint64_sharded_v1` format.
 * @module
 */
export {
  locate,
  parseSharding,
  type ShardingSpec,
  type ShardLocation,
  shardIndexLength,
  shardName,
} from "./sharded/spec.ts";
