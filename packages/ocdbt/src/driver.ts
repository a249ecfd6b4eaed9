/**
 * Databases in pipelines of stores: `file:///db/|ocdbt:@v12/seg/`, and TensorStore's JSON
 * `{"driver": "ocdbt", "base": {…}, "path": "seg/", "version": 12}`.
 * @module
 */
import {
  badSpec,
  checkSpecMembers,
  type KvDrivers,
  type KvStore,
  type KvStoreSpec,
  type KvStoreSpecObject,
  type OpenSpec,
  type UrlStage,
  withCoalescedReads,
  withPrefix,
} from "@pcg/kvstore";
import { configFromJson } from "./config-json.ts";
import type { OcdbtDatabase, VersionSpec } from "./contract.ts";
import { DEFAULT_PREFIXES } from "./io/data-file-writer.ts";
import { openOcdbt } from "./open.ts";
import type { OpenOptions } from "./open-options.ts";
import { parseStagePath, parseVersionJson, printVersion } from "./view/version-spec.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

export interface OcdbtDriverOptions
  extends Omit<OpenOptions, "config" | "create" | "dataPrefix" | "manifestStore" | "committer" | "signal"> {
  /** Commits through the coordinator at the address that a spec names, see `coordinatedCommitter`. */
  readonly coordinated?: (address: string) => NonNullable<OpenOptions["committer"]>;
}

/** Members of TensorStore's spec that change no result. */
const TUNING = [
  "cache_pool",
  "data_copy_concurrency",
  "experimental_read_coalescing_threshold_bytes",
  "experimental_read_coalescing_merged_bytes",
  "experimental_read_coalescing_interval",
];

const MEMBERS = [
  "base",
  "manifest",
  "config",
  "assume_config",
  "version",
  "coordinator",
  "target_data_file_size",
  "value_data_prefix",
  "btree_node_data_prefix",
  "version_tree_node_data_prefix",
  ...TUNING,
];

/**
 * Driver of the stage `|ocdbt:[@v12|@2026-04-24T00:00:00Z|@tag/]path` and of TensorStore's JSON specs. A version gives a store
 * that is read only; without one, writes to the store are commits. A database that does not exist is empty until then.
 */
export function ocdbtDriver(options: OcdbtDriverOptions = {}): KvDrivers {
  return {
    ocdbt: {
      openStage: (store, stage, cancel) => openStage(store, stage, options, cancel),
      openSpec: (spec, open, cancel) => openSpec(spec, open, options, cancel),
    },
  };
}

async function openStage(
  store: KvStore,
  stage: UrlStage,
  { coordinated: _coordinated, ...options }: OcdbtDriverOptions,
  cancel: Cancel,
): Promise<KvStore> {
  const { version, path } = parseStagePath(stage.path);
  const db = await openOcdbt(store, { ...options, ...cancel, ...(version !== undefined && { create: false }) });
  try {
    return await shown(db, version, path, cancel);
  } catch (error) {
    // Closing it closes the store, which the pipeline does as well; stores may be closed twice.
    await db.close();
    throw error;
  }
}

async function openSpec(
  spec: KvStoreSpecObject,
  openInner: OpenSpec,
  options: OcdbtDriverOptions,
  cancel: Cancel,
): Promise<KvStore> {
  checkSpecMembers(spec, MEMBERS);
  if (spec["base"] === undefined) throw badSpec(spec, '"base" must be the store that holds the database');
  const { coordinated, ...rest } = options;
  const address = coordinatorAddress(spec);
  const version = spec["version"] === undefined ? undefined : parseVersionJson(spec["version"]);
  if (address !== undefined && coordinated === undefined && version === undefined) {
    throw badSpec(spec, `"coordinator" names ${address}, and this process was given no way to reach coordinators`);
  }
  const config = configFromJson(spec["config"] ?? {});
  const target = optionalNumber(spec, "target_data_file_size");
  const base = await openInner(folderSpec(spec["base"]), cancel);
  let manifestStore: KvStore | undefined;
  try {
    if (spec["manifest"] !== undefined) manifestStore = await openInner(folderSpec(spec["manifest"]), cancel);
    const db = await openOcdbt(coalesced(base, spec), {
      ...rest,
      ...cancel,
      config,
      ...(manifestStore !== undefined && { manifestStore }),
      dataPrefix: {
        value: optionalText(spec, "value_data_prefix") ?? DEFAULT_PREFIXES.value,
        btree: optionalText(spec, "btree_node_data_prefix") ?? DEFAULT_PREFIXES.btree,
        "version-tree": optionalText(spec, "version_tree_node_data_prefix") ?? DEFAULT_PREFIXES["version-tree"],
      },
      ...(target !== undefined && target > 0 && { targetDataFileBytes: target }),
      ...(version !== undefined && { create: false }),
      ...(address !== undefined && version === undefined && { committer: coordinated!(address) }),
    });
    return await shown(db, version, spec.path ?? "", cancel);
  } catch (error) {
    await Promise.all([base.close(), manifestStore?.close()]);
    throw error;
  }
}

/** The part of a database that a URL or spec names. Closing it closes the database. */
async function shown(
  db: OcdbtDatabase,
  version: VersionSpec | undefined,
  path: string,
  cancel: Cancel,
): Promise<KvStore> {
  const store = version === undefined ? db : await pinned(db, version, cancel);
  return path === "" ? store : withPrefix(store, path);
}

async function pinned(db: OcdbtDatabase, version: VersionSpec, cancel: Cancel): Promise<KvStore> {
  const view = await db.at(version, cancel);
  const { capabilities, spec } = view;
  return {
    capabilities,
    url: `${db.url}@${printVersion(version)}/`,
    spec,
    read: view.read.bind(view),
    write: view.write.bind(view),
    list: view.list.bind(view),
    deleteRange: view.deleteRange.bind(view),
    close: () => db.close(),
  };
}

/** TensorStore reads the path of a base as a folder, whether or not it ends in a slash. */
function folderSpec(base: unknown): KvStoreSpec {
  if (typeof base === "string") return base.includes("|") || base.endsWith("/") ? base : `${base}/`;
  const spec = base as KvStoreSpecObject;
  const path = typeof base === "object" && base !== null ? spec.path : undefined;
  return typeof path === "string" && path !== "" && !path.endsWith("/") ? { ...spec, path: `${path}/` } : spec;
}

function coalesced(base: KvStore, spec: KvStoreSpecObject): KvStore {
  const maxGapBytes = optionalNumber(spec, "experimental_read_coalescing_threshold_bytes");
  if (maxGapBytes === undefined) return base;
  const maxBytes = optionalNumber(spec, "experimental_read_coalescing_merged_bytes");
  return withCoalescedReads(base, { maxGapBytes, ...(maxBytes !== undefined && maxBytes > 0 && { maxBytes }) });
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
