/**
 * Databases named by TensorStore's JSON, such as the one a fork publishes.
 * @module
 */
import { type KvDrivers, type KvStore, type KvStoreSpecObject, openKvStoreSpec } from "@pcg/kvstore";
import { type ConfigRequest, type DataPrefixes, parseOcdbtSpec, type VersionSpec } from "@pcg/ocdbt";
import { UsageError } from "./errors.ts";

/** A database as a URL or spec names it. */
export interface Named {
  readonly store: KvStore;
  readonly version: VersionSpec | undefined;
  /** What stands before keys. */
  readonly prefix: string;
  /** Prefixes of new data files, where they are not the usual ones. */
  readonly dataPrefix?: Partial<DataPrefixes>;
  /** Where new data files end, when that is said. */
  readonly targetDataFileBytes?: number;
  /** Where its manifest lies, when that is not beside the data. */
  readonly manifestStore?: KvStore;
  /** What the database must be like, or is made like. */
  readonly config?: ConfigRequest;
}

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
  const { base, manifest, path, version, config, dataPrefix, targetDataFileBytes } = parseOcdbtSpec(
    spec as KvStoreSpecObject,
  );
  const store = await openKvStoreSpec(base, drivers, { signal });
  const named = {
    store,
    version,
    prefix: path,
    dataPrefix,
    ...(targetDataFileBytes !== undefined && { targetDataFileBytes }),
    ...(config && { config }),
  };
  if (manifest === undefined) return named;
  try {
    return { ...named, manifestStore: await openKvStoreSpec(manifest, drivers, { signal }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}
