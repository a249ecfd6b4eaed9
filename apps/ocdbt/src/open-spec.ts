/**
 * Databases named by TensorStore's JSON, such as the one a fork publishes.
 * @module
 */
import { type KvDrivers, type KvStore, type KvStoreSpec, openKvStoreSpec } from "@pcg/kvstore";
import { type ConfigRequest, configFromJson, type DataPrefixes, parseVersionJson, type VersionSpec } from "@pcg/ocdbt";
import { UsageError } from "./errors.ts";

/** A database as a URL or spec names it. */
export interface Named {
  readonly store: KvStore;
  readonly version: VersionSpec | undefined;
  /** What stands before keys. */
  readonly prefix: string;
  /** Prefixes of new data files, where they are not the usual ones. */
  readonly dataPrefix?: Partial<DataPrefixes>;
  /** Where its manifest lies, when that is not beside the data. */
  readonly manifestStore?: KvStore;
  /** What the database must be like, or is made like. */
  readonly config?: ConfigRequest;
}

const PREFIXES = {
  value_data_prefix: "value",
  btree_node_data_prefix: "btree",
  version_tree_node_data_prefix: "version-tree",
} as const;
/** Members that change no result. */
const TUNING = [
  "cache_pool",
  "data_copy_concurrency",
  "experimental_read_coalescing_threshold_bytes",
  "experimental_read_coalescing_merged_bytes",
  "experimental_read_coalescing_interval",
];
const KNOWN = ["driver", "base", "manifest", "path", "version", "config", ...Object.keys(PREFIXES), ...TUNING];

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
  if (spec.coordinator !== undefined) {
    throw new UsageError('leave "coordinator" out of the spec: commands find it by its lease in the database');
  }
  const unknown = Object.keys(spec).filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`a JSON spec here has no ${unknown.join(", ")}; it has ${KNOWN.join(", ")}`);
  const dataPrefix: { -readonly [Kind in keyof DataPrefixes]?: string } = {};
  for (const [name, kind] of Object.entries(PREFIXES)) {
    const prefix = spec[name];
    if (prefix === undefined) continue;
    if (typeof prefix !== "string") throw new UsageError(`"${name}" must be a text`);
    dataPrefix[kind] = prefix;
  }
  const path = spec.path ?? "";
  if (typeof path !== "string") throw new UsageError('"path" must be a text');
  const version = spec.version === undefined ? undefined : parseVersionJson(spec.version);
  const config = spec.config === undefined ? {} : { config: configFromJson(spec.config) };
  const store = await openKvStoreSpec(folderSpec(spec.base), drivers, { signal });
  const named = { store, version, prefix: path, dataPrefix, ...config };
  if (spec.manifest === undefined) return named;
  try {
    return { ...named, manifestStore: await openKvStoreSpec(folderSpec(spec.manifest), drivers, { signal }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** TensorStore reads the path of a base as a folder, whether or not it ends in a slash. */
function folderSpec(base: unknown): KvStoreSpec {
  const inFolder = (path: string): string => (path === "" || path.endsWith("/") ? path : `${path}/`);
  if (typeof base === "string") return base.includes("|") ? base : inFolder(base);
  const { path } = (base ?? {}) as { readonly path?: unknown };
  return (typeof path === "string" ? { ...(base as object), path: inFolder(path) } : base) as KvStoreSpec;
}
