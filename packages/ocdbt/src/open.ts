/**
 * Opening and making databases.
 * @module
 */
import { type KvDrivers, type KvStore, kvStack, openKvStore, parseUrl } from "@pcg/kvstore";
import { appendVersion } from "./commit/append-version.ts";
import { CommitLoop } from "./commit/commit-loop.ts";
import { createGroupCommitter } from "./commit/group-commit.ts";
import { updateManifest } from "./commit/update-manifest.ts";
import { type ConfigRequest, configDifference, newConfig } from "./config-json.ts";
import type { CommitEvent, OcdbtDatabase } from "./contract.ts";
import { createDatabase } from "./database.ts";
import { OcdbtError } from "./errors.ts";
import type { Config } from "./format/types.ts";
import { readTag } from "./history/tags.ts";
import { createDataFileWriter, DEFAULT_PREFIXES } from "./io/data-file-writer.ts";
import { DEFAULT_DECODE_BYTES, DecodeBudget } from "./io/decode-budget.ts";
import { type OpenManifests, openManifests } from "./io/manifest-store.ts";
import { createNodeReader } from "./io/node-reader.ts";
import { Semaphore } from "./io/semaphore.ts";
import { checkOptions, dataPrefixes, type OpenOptions, type OpenUrlOptions, OWN_PREFIXES } from "./open-options.ts";
import type { DatabaseParts } from "./parts.ts";
import { findGeneration } from "./view/resolve-version.ts";

/**
 * Opens the database in a store, or at a URL such as `file:///data/db/` (`|ocdbt:` at its end is allowed). Closing the database
 * closes the store.
 *
 * @throws `OcdbtError` `not-found` (with `create: false`), `config-mismatch`, `bad-spec`, `corrupt`; whatever the store throws.
 */
export function openOcdbt(store: KvStore, options?: OpenOptions): Promise<OcdbtDatabase>;
export function openOcdbt(url: string, options: OpenUrlOptions): Promise<OcdbtDatabase>;
export async function openOcdbt(
  where: KvStore | string,
  options: OpenOptions & { readonly drivers?: KvDrivers } = {},
): Promise<OcdbtDatabase> {
  if (typeof where !== "string" && typeof where?.read !== "function") {
    throw new TypeError(
      `openOcdbt needs a store, such as fileKvStore("/data/db/"), or a URL, not ${where === null ? "null" : typeof where}`,
    );
  }
  checkOptions(options);
  const store = typeof where === "string" ? await openBase(where, options) : where;
  try {
    return await open(store, options);
  } catch (error) {
    if (typeof where === "string") await store.close();
    throw error;
  }
}

async function openBase(url: string, { drivers, signal }: Partial<OpenUrlOptions>): Promise<KvStore> {
  if (drivers === undefined) {
    throw new TypeError(
      "openOcdbt needs drivers to open a URL: openOcdbt(url, { drivers: { ...fileDriver(), ...httpDriver() } })",
    );
  }
  const parsed = parseUrl(url);
  const last = parsed.stages.at(-1);
  const isOwn = last?.scheme === "ocdbt";
  if (isOwn && last.path !== "") {
    const hint = "open the database and ask it for a version or prefix, or open the URL as a store with ocdbtDriver()";
    throw new OcdbtError("bad-spec", `${url} names a part of a database; ${hint}`, { fields: { url } });
  }
  const base = isOwn ? { ...parsed, stages: parsed.stages.slice(0, -1) } : parsed;
  return await openKvStore(base, drivers, signal === undefined ? {} : { signal });
}

async function open(data: KvStore, options: OpenOptions): Promise<OcdbtDatabase> {
  const { manifestStore } = options;
  const store = manifestStore === undefined ? data : withManifestIn(data, manifestStore);
  const { config: request = {}, maxStalenessMs = 0, maxStagedBytes = 64 << 20, create = true, signal } = options;
  const requests = new Semaphore(options.concurrency ?? (store.capabilities.batchesReads ? 4096 : 32));
  const budget = new DecodeBudget(options.decodeBytes ?? DEFAULT_DECODE_BYTES);
  const nodes = createNodeReader(store, { cacheBytes: options.cacheBytes ?? 128 << 20, requests, budget });
  const manifests = openManifests(store, (manifest, generation) => findGeneration(manifest, generation, nodes));
  const checkConfig = configChecker(store, request);
  await manifests.read(signal === undefined ? {} : { signal });
  if (manifests.config !== undefined) checkConfig(manifests.config);
  else if (!create) {
    throw new OcdbtError(
      "not-found",
      `there is no database in ${store.url} (no manifest.ocdbt); look for a slip in the path, or make it`,
      { fields: { url: store.url } },
    );
  }
  const parts = await makeParts(store, { ...options, nodes, manifests, checkConfig, request });
  const url = `${store.url}|ocdbt:`;
  const spec = store.spec && {
    driver: "ocdbt",
    base: data.spec!,
    ...(manifestStore && { manifest: manifestStore.spec! }),
    ...specPrefixes(options.dataPrefix),
  };
  return createDatabase({ parts, url, spec, maxStalenessMs, maxStagedBytes, checkConfig });
}

function withManifestIn(data: KvStore, own: KvStore): KvStore {
  return kvStack([{ store: data }, ...OWN_PREFIXES.map((prefix) => ({ store: own, prefix, stripPrefix: 0 }))]);
}

interface PartsContext extends OpenOptions {
  readonly nodes: DatabaseParts["nodes"];
  readonly manifests: OpenManifests;
  readonly checkConfig: (stored: Config) => void;
  readonly request: ConfigRequest;
}

async function makeParts(store: KvStore, context: PartsContext): Promise<DatabaseParts> {
  const { nodes, manifests, checkConfig, now = systemTime, maxClockSkewMs } = context;
  let proposed: Config | undefined;
  const config = (): Config => {
    if (manifests.config !== undefined) return manifests.config;
    proposed ??= newConfig(context.request);
    return proposed;
  };
  const prefixes = dataPrefixes(context.dataPrefix);
  const targetFileBytes = context.targetDataFileBytes ?? 64 << 20;
  const newDataFileWriter: DatabaseParts["newDataFileWriter"] = () =>
    createDataFileWriter(store, { prefixes, targetFileBytes });
  const listeners = new Set<(event: CommitEvent) => void>();
  const loop = new CommitLoop({
    store,
    manifests,
    newWriter: newDataFileWriter,
    emit: (event) => {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          // Not the commit's failure: it goes to the process.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    now,
    maxClockSkew: maxClockSkewMs === undefined ? undefined : BigInt(Math.round(maxClockSkewMs * 1e6)),
  });
  const direct = createGroupCommitter({ store, nodes, loop, initialConfig: config, checkConfig, now });
  const parts: Omit<DatabaseParts, "committer"> = {
    store,
    manifests,
    nodes,
    get config() {
      return config();
    },
    newDataFileWriter,
    async resolveTag(name, options = {}) {
      const tag = await readTag(store, config().uuid, name, options);
      if (tag !== undefined) return tag.generation;
      throw new OcdbtError("version-not-found", `there is no tag ${name} in ${store.url}`, { fields: { name } });
    },
    updateManifest: (update) => updateManifest(update, { loop, initialConfig: config }),
    appendVersion: (manifest, root, writer) => appendVersion(manifest, root, { nodes, writer, now: now() }),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const committer = (await context.committer?.(direct, parts)) ?? direct;
  return Object.defineProperty(parts, "committer", { value: committer, enumerable: true }) as DatabaseParts;
}

/** Refuses a stored configuration that is not the one that was asked for. */
function configChecker(store: KvStore, request: ConfigRequest): (stored: Config) => void {
  let checked: Config | undefined;
  return (stored) => {
    if (stored === checked) return;
    const change = configDifference({ ...stored, ...request }, stored);
    if (change !== undefined) {
      throw new OcdbtError(
        "config-mismatch",
        `the database in ${store.url} is not made as was asked for: ${change}; open it without a config`,
        { fields: { url: store.url } },
      );
    }
    checked = stored;
  };
}

/** The members of a spec that name prefixes other than the default. */
function specPrefixes(prefix: OpenOptions["dataPrefix"]): Record<string, string> {
  const { value, btree, "version-tree": versionTree } = dataPrefixes(prefix);
  return {
    ...(value === DEFAULT_PREFIXES.value ? {} : { value_data_prefix: value }),
    ...(btree === DEFAULT_PREFIXES.btree ? {} : { btree_node_data_prefix: btree }),
    ...(versionTree === DEFAULT_PREFIXES["version-tree"] ? {} : { version_tree_node_data_prefix: versionTree }),
  };
}

/**
 * The clock tells milliseconds; at random within the last one, so that no two commits have the same time, which is all that tells versions
 * apart that others make at the same moment with the same tree.
 */
function systemTime(): bigint {
  return BigInt(Date.now()) * 1_000_000n - BigInt(Math.floor(Math.random() * 1e6));
}
