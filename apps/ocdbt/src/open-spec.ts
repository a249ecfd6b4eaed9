/**
 * Databases named by TensorStore's JSON, such as the one a fork publishes.
 * @module
 */
import { type KvDrivers, type KvStore, type KvStoreSpec, openKvStoreSpec } from "@pcg/kvstore";
import { parseVersionJson, type VersionSpec } from "@pcg/ocdbt";
import { UsageError } from "./errors.ts";

/** A database as a URL or spec names it. */
export interface Named {
  readonly store: KvStore;
  readonly version: VersionSpec | undefined;
  /** What stands before keys. */
  readonly prefix: string;
  /** Prefix of new data files, when it is not the usual one. */
  readonly dataPrefix?: string;
}

const PREFIXES = ["value_data_prefix", "btree_node_data_prefix", "version_tree_node_data_prefix"];
const KNOWN = ["driver", "base", "path", "version", ...PREFIXES];

/** @throws UsageError for JSON that is not an ocdbt spec, or says more than a command line can keep to. */
export async function openNamedSpec(text: string, drivers: KvDrivers, signal: AbortSignal): Promise<Named> {
  let spec: Record<string, unknown>;
  try {
    spec = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${text.slice(0, 80)} is no URL, and not JSON either: ${(error as Error).message}`);
  }
  if (spec.driver !== "ocdbt" || spec.base === undefined) {
    throw new UsageError('a JSON spec here must be {"driver": "ocdbt", "base": …}');
  }
  const unknown = Object.keys(spec).filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`a JSON spec here has no ${unknown.join(", ")}; it has ${KNOWN.join(", ")}`);
  const prefixes = [...new Set(PREFIXES.map((name) => spec[name]).filter((prefix) => prefix !== undefined))];
  const [dataPrefix] = prefixes;
  if (prefixes.length > 1 || (dataPrefix !== undefined && typeof dataPrefix !== "string")) {
    throw new UsageError(`${PREFIXES.join(", ")} must be one text here`);
  }
  const path = spec.path ?? "";
  if (typeof path !== "string") throw new UsageError('"path" must be a text');
  const version = spec.version === undefined ? undefined : parseVersionJson(spec.version);
  const store = await openKvStoreSpec(spec.base as KvStoreSpec, drivers, { signal });
  return { store, version, prefix: path, ...(dataPrefix === undefined ? {} : { dataPrefix }) };
}
