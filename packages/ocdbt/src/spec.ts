/**
 * TensorStore's JSON of a database, `{"driver": "ocdbt", "base": {…}, "path": "seg/", "version": 12}`, without opening anything.
 * @module
 */
import {
  badSpec,
  type CoalesceOptions,
  checkSpecMembers,
  type KvStoreSpec,
  type KvStoreSpecObject,
} from "@pcg/kvstore";
import { type ConfigRequest, configFromJson } from "./config-json.ts";
import type { VersionSpec } from "./contract.ts";
import type { DataPrefixes } from "./io/data-file-writer.ts";
import { parseVersionJson } from "./view/version-spec.ts";

/** What a spec says. */
export interface OcdbtSpec {
  readonly base: KvStoreSpec;
  /** Where the manifest lies, when that is not beside the data. */
  readonly manifest: KvStoreSpec | undefined;
  /** What stands before keys. */
  readonly path: string;
  readonly version: VersionSpec | undefined;
  readonly config: ConfigRequest | undefined;
  /** Prefixes of new data files, where they are named. */
  readonly dataPrefix: Partial<DataPrefixes>;
  readonly targetDataFileBytes: number | undefined;
  /** The address of a coordinator. */
  readonly coordinator: string | undefined;
  readonly coalescing: CoalesceOptions | undefined;
}

/** Members of TensorStore's spec that change no result. */
const TUNING = [
  "cache_pool",
  "data_copy_concurrency",
  "experimental_read_coalescing_threshold_bytes",
  "experimental_read_coalescing_merged_bytes",
  "experimental_read_coalescing_interval",
];

const PREFIXES = {
  value_data_prefix: "value",
  btree_node_data_prefix: "btree",
  version_tree_node_data_prefix: "version-tree",
} as const;

const MEMBERS = [
  "base",
  "manifest",
  "config",
  "assume_config",
  "version",
  "coordinator",
  "target_data_file_size",
  ...Object.keys(PREFIXES),
  ...TUNING,
];

/** @throws `KvStoreError` or `OcdbtError` for a member that is not known, or whose value means nothing. */
export function parseOcdbtSpec(spec: KvStoreSpecObject): OcdbtSpec {
  checkSpecMembers(spec, MEMBERS);
  if (spec["base"] === undefined) throw badSpec(spec, '"base" must be the store that holds the database');
  const dataPrefix: { -readonly [Kind in keyof DataPrefixes]?: string } = {};
  for (const [name, kind] of Object.entries(PREFIXES)) {
    const prefix = optionalText(spec, name);
    if (prefix !== undefined) dataPrefix[kind] = prefix;
  }
  return {
    base: folderSpec(spec["base"]),
    manifest: spec["manifest"] === undefined ? undefined : folderSpec(spec["manifest"]),
    path: optionalText(spec, "path") ?? "",
    version: spec["version"] === undefined ? undefined : parseVersionJson(spec["version"]),
    config: spec["config"] === undefined ? undefined : configFromJson(spec["config"]),
    dataPrefix,
    // 0 is TensorStore's "its default".
    targetDataFileBytes: optionalNumber(spec, "target_data_file_size") || undefined,
    coordinator: coordinatorAddress(spec),
    coalescing: coalescing(spec),
  };
}

function coalescing(spec: KvStoreSpecObject): CoalesceOptions | undefined {
  const maxGapBytes = optionalNumber(spec, "experimental_read_coalescing_threshold_bytes");
  if (maxGapBytes === undefined) return undefined;
  const maxBytes = optionalNumber(spec, "experimental_read_coalescing_merged_bytes");
  return { maxGapBytes, ...(maxBytes !== undefined && maxBytes > 0 && { maxBytes }) };
}

/** TensorStore reads the path of a base as a folder, whether or not it ends in a slash. */
function folderSpec(base: unknown): KvStoreSpec {
  if (typeof base === "string") return base.includes("|") || base.endsWith("/") ? base : `${base}/`;
  const spec = base as KvStoreSpecObject;
  const path = typeof base === "object" && base !== null ? spec.path : undefined;
  return typeof path === "string" && path !== "" && !path.endsWith("/") ? { ...spec, path: `${path}/` } : spec;
}

function coordinatorAddress(spec: KvStoreSpecObject): string | undefined {
  const coordinator = spec["coordinator"];
  if (coordinator === undefined || coordinator === "ocdbt_coordinator") return undefined;
  if (typeof coordinator !== "object" || coordinator === null) {
    throw badSpec(
      spec,
      `"coordinator" is ${JSON.stringify(coordinator)}, and must be {"address": "unix:/path or http://host:port/"}`,
    );
  }
  const { address, ...others } = coordinator as { readonly address?: unknown };
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw badSpec(spec, `"coordinator" has a member ${JSON.stringify(other)}, and may have an address alone`);
  if (address === undefined) return undefined;
  if (typeof address === "string" && address !== "") return address;
  throw badSpec(
    spec,
    `the address of "coordinator" is ${JSON.stringify(address)}, and must be a text such as "unix:/run/db.sock"`,
  );
}

function optionalText(spec: KvStoreSpecObject, name: string): string | undefined {
  const value = spec[name];
  if (value === undefined || typeof value === "string") return value;
  throw badSpec(spec, `${JSON.stringify(name)} is ${JSON.stringify(value)}, and must be a text`);
}

function optionalNumber(spec: KvStoreSpecObject, name: string): number | undefined {
  const value = spec[name];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw badSpec(
    spec,
    `${JSON.stringify(name)} is ${JSON.stringify(value)}, and must be a whole number of bytes from 0 to 2^53`,
  );
}
