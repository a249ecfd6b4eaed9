/**
 * Databases in pipelines of stores: `file:///db/|ocdbt:@v12/seg/`, and TensorStore's JSON
 * `{"driver": "ocdbt", "base": {…}, "path": "seg/", "version": 12}`.
 * @module
 */
import {
  badSpec,
  type KvDrivers,
  type KvStore,
  type KvStoreSpecObject,
  type OpenSpec,
  type UrlStage,
  withCoalescedReads,
  withPrefix,
} from "@pcg/kvstore";
import type { OcdbtDatabase, VersionSpec } from "./contract.ts";
import { openOcdbt } from "./open.ts";
import type { OpenOptions } from "./open-options.ts";
import { parseOcdbtSpec } from "./spec.ts";
import { parseStagePath, printVersion } from "./view/version-spec.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

export interface OcdbtDriverOptions
  extends Omit<OpenOptions, "config" | "create" | "dataPrefix" | "manifestStore" | "committer" | "signal"> {
  /** Commits through the coordinator at the address that a spec names, see `coordinatedCommitter`. */
  readonly coordinated?: (address: string) => NonNullable<OpenOptions["committer"]>;
}

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
  const {
    base: inner,
    manifest,
    path,
    version,
    config,
    dataPrefix,
    coordinator,
    targetDataFileBytes,
    coalescing,
  } = parseOcdbtSpec(spec);
  const { coordinated, ...rest } = options;
  if (coordinator !== undefined && coordinated === undefined && version === undefined) {
    throw badSpec(spec, `"coordinator" names ${coordinator}, and this process was given no way to reach coordinators`);
  }
  const base = await openInner(inner, cancel);
  let manifestStore: KvStore | undefined;
  try {
    if (manifest !== undefined) manifestStore = await openInner(manifest, cancel);
    const db = await openOcdbt(coalescing === undefined ? base : withCoalescedReads(base, coalescing), {
      ...rest,
      ...cancel,
      ...(config && { config }),
      ...(manifestStore && { manifestStore }),
      dataPrefix,
      ...(targetDataFileBytes !== undefined && { targetDataFileBytes }),
      ...(version !== undefined && { create: false }),
      ...(coordinator !== undefined && version === undefined && { committer: coordinated!(coordinator) }),
    });
    return await shown(db, version, path, cancel);
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
