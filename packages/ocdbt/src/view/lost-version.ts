/**
 * Files that go while they are wanted: a version expires, a sweep removes what only it needed, and whoever had read the manifest before
 * finds nothing where it leads. Everything that begins with a manifest begins once more with the one there is then; what asked for
 * a version that is no more is told so.
 * @module
 */
import { isOcdbtError, OcdbtError } from "../errors.ts";
import type { VersionEntry } from "../format/types.ts";
import type { ManifestStore, NodeReader, StoredManifest } from "../parts.ts";
import { findGeneration } from "./resolve-version.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Where versions are looked up. */
export interface VersionPlace {
  readonly manifests: ManifestStore;
  readonly nodes: NodeReader;
  readonly store: { readonly url: string };
}

/** Whether `error` says that a data file is gone. */
export function isFileGone(error: unknown): boolean {
  return isOcdbtError(error, "not-found") && "file" in error.fields;
}

/** Does `work` on a manifest; once more on the newest one if a file is gone to which only an older one may have led. */
export async function fromManifest<T>(
  manifests: ManifestStore,
  options: Cancel & { readonly maxStalenessMs: number },
  work: (stored: StoredManifest | undefined) => Promise<T>,
): Promise<T> {
  const stored = await manifests.read(options);
  try {
    return await work(stored);
  } catch (error) {
    if (stored === undefined || !isFileGone(error)) throw error;
    const newest = await manifests.read({ ...options, maxStalenessMs: 0 });
    if (newest?.token === stored.token) throw error;
    return await work(newest);
  }
}

/** What to tell of a file of `version` that is gone: `version-not-found` if the version is, otherwise `error` itself. */
export async function whyLost(
  version: VersionEntry,
  error: unknown,
  { manifests, nodes, store }: VersionPlace,
  options: Cancel = {},
): Promise<unknown> {
  if (!isFileGone(error)) return error;
  const { generation } = version;
  const find = async (stored: StoredManifest | undefined): Promise<VersionEntry | undefined> =>
    stored && (await findGeneration(stored.manifest, generation, nodes, options));
  const found = await fromManifest(manifests, { maxStalenessMs: 0, ...options }, find);
  if (found !== undefined) return error;
  const message =
    `generation ${generation} of ${store.url} has expired, and its files are gone: what was read of it is right, the rest cannot be read any ` +
    "more. Tag versions that have to last";
  return new OcdbtError("version-not-found", message, { fields: { generation }, cause: error });
}

/** Reads the nodes and values of one version; fails with `version-not-found` when they are gone with it. */
export function nodesOf(version: VersionEntry, place: VersionPlace): NodeReader {
  const { nodes } = place;
  const tell = async (error: unknown): Promise<never> => {
    throw await whyLost(version, error, place);
  };
  return {
    cachedBtreeNode: (reference) => nodes.cachedBtreeNode(reference),
    keep: (reference, node) => nodes.keep(reference, node),
    btreeNode: (reference, options) => nodes.btreeNode(reference, options).catch(tell),
    ahead: (place) => {
      const read = nodes.ahead(place);
      return (options) => read(options).catch(tell);
    },
    versionNode: (reference, options) => nodes.versionNode(reference, options),
    value: (reference, options) => nodes.value(reference, options).catch(tell),
  };
}
