/**
 * All manifests of a database as they lie in the store, sound or not.
 * @module
 */
import { type KvStore, keyBytes } from "@pcg/kvstore";
import { isOcdbtError, type OcdbtError } from "../errors.ts";
import { bytesToPath, decodeManifest, MANIFEST_KEY, type Manifest, parseNumberedManifestKey } from "../format/index.ts";

/** A file that is, or should be, a manifest. */
export type ManifestFile = {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Of the base store. */
  readonly storeGeneration: string;
  /** From the name of a numbered manifest. */
  readonly numbered: bigint | undefined;
} & (
  | { readonly manifest: Manifest; readonly error?: never }
  | { readonly manifest?: never; readonly error: OcdbtError }
);

/** What a numbered database's own manifests begin with, and where they end. */
const NUMBERED = { start: keyBytes("manifest.0"), end: keyBytes("manifest.:") };

/**
 * `manifest.ocdbt`, and of a numbered database the numbered manifests that are there, oldest first. Files that go while this looks are
 * left out: newer ones have what they had.
 */
export async function storedManifests(store: KvStore, signal?: AbortSignal): Promise<ManifestFile[]> {
  const main = await readManifest(store, MANIFEST_KEY, undefined, signal);
  if (main === undefined) return [];
  if (main.manifest?.config.manifestKind === "single") return [main];
  const files = [main];
  if (!store.capabilities.list) return files;
  for await (const { key } of store.list({ range: NUMBERED, ...(signal && { signal }) })) {
    const name = bytesToPath(key);
    const generation = parseNumberedManifestKey(name);
    if (generation === undefined) continue;
    const file = await readManifest(store, name, generation, signal);
    if (file !== undefined) files.push(file);
  }
  return files;
}

async function readManifest(
  store: KvStore,
  key: string,
  numbered: bigint | undefined,
  signal: AbortSignal | undefined,
): Promise<ManifestFile | undefined> {
  const found = await store.read(key, { ...(signal && { signal }) });
  if (found === undefined) return undefined;
  const file = { key, bytes: found.value, storeGeneration: found.generation, numbered };
  try {
    const options = { file: key, ...(numbered === undefined ? {} : { numbered }) };
    return { ...file, manifest: await decodeManifest(found.value, options) };
  } catch (error) {
    if (!isOcdbtError(error)) throw error;
    return { ...file, error };
  }
}
