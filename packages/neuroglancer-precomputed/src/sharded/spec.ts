/**
 * The `neuroglancer_uint64_sharded_v1` parameters and where they put a key: key → hash → minishard and shard.
 * @module
 */
import { murmur3x86_128Low64 } from "@pcg/codecs/murmur";
import { fail, integer, isObject, member, oneOf } from "../json-check.ts";

/** Parameters of a sharded store, in the names of the JSON. */
export interface ShardingSpec {
  readonly "@type": "neuroglancer_uint64_sharded_v1";
  readonly preshift_bits: number;
  readonly hash: "identity" | "murmurhash3_x86_128";
  readonly minishard_bits: number;
  readonly shard_bits: number;
  /** `"raw"` without it, as in the JSON. */
  readonly minishard_index_encoding?: "raw" | "gzip";
  readonly data_encoding?: "raw" | "gzip";
  readonly [member: string]: unknown;
}

/** Most minishards a shard may have: an index of 16 MiB. */
const MAX_MINISHARD_BITS = 20;

/** Where a key is stored. */
export interface ShardLocation {
  readonly shard: bigint;
  readonly minishard: number;
}

/** Checks sharding parameters; `path` names them in errors. */
export function parseSharding(value: unknown, path = "sharding"): ShardingSpec {
  if (!isObject(value)) fail(path, value, "must be an object");
  const at = (name: string): string => `${path}.${name}`;
  const type = oneOf(member(value, "@type", path), at("@type"), ["neuroglancer_uint64_sharded_v1"] as const);
  const preshift = integer(member(value, "preshift_bits", path), at("preshift_bits"), 0, 63);
  const hash = oneOf(member(value, "hash", path), at("hash"), ["identity", "murmurhash3_x86_128"] as const);
  const minishard = integer(member(value, "minishard_bits", path), at("minishard_bits"), 0, MAX_MINISHARD_BITS);
  const shard = integer(member(value, "shard_bits", path), at("shard_bits"), 0, 64 - minishard);
  for (const name of ["minishard_index_encoding", "data_encoding"] as const) {
    if (value[name] !== undefined) oneOf(value[name], at(name), ["raw", "gzip"] as const);
  }
  return { ...value, "@type": type, preshift_bits: preshift, hash, minishard_bits: minishard, shard_bits: shard };
}

/** The shard and minishard of `key`, a 64-bit unsigned integer. */
export function locate(spec: ShardingSpec, key: bigint): ShardLocation {
  const shifted = key >> BigInt(spec.preshift_bits);
  const hashed = spec.hash === "identity" ? shifted : murmur3x86_128Low64(shifted);
  return {
    minishard: Number(BigInt.asUintN(spec.minishard_bits, hashed)),
    shard: BigInt.asUintN(spec.shard_bits, hashed >> BigInt(spec.minishard_bits)),
  };
}

/** File name of a shard without its extension: hexadecimal, padded to ⌈shard_bits / 4⌉ digits. */
export function shardName(spec: ShardingSpec, shard: bigint): string {
  return shard.toString(16).padStart(Math.ceil(spec.shard_bits / 4), "0");
}

/** Bytes of the index at the start of a shard. */
export function shardIndexLength(spec: ShardingSpec): number {
  return 16 * 2 ** spec.minishard_bits;
}
