/**
 * Manifests made to be served: of one kind, and with the version asked for as the newest.
 * @module
 */
import type { OcdbtDatabase, VersionSpec } from "../contract.ts";
import { encodeManifest, type Manifest } from "../format/index.ts";
import { truncateManifest } from "../history/truncate.ts";
import { requireVersion } from "../history/versions.ts";
import { fromManifest } from "../view/lost-version.ts";
import { GatewayError, GONE } from "./errors.ts";

/** A manifest as a file. */
export interface ManifestFile {
  readonly bytes: Uint8Array;
  /** Of its contents. */
  readonly generation: string;
}

/** The encoded form of manifests that are still in use: the head is asked for again and again. */
const encoded = new WeakMap<Manifest, Promise<ManifestFile>>();

/**
 * The newest manifest, or one that ends with a version. It is always of the single kind, which every reader knows. A pinned
 * one has the versions before it too, but for those in version nodes that the cut goes through.
 */
export async function manifestFile(
  db: OcdbtDatabase,
  version: VersionSpec | "head",
  signal: AbortSignal,
): Promise<ManifestFile> {
  const { manifests, nodes } = db.parts;
  const pinned = version === "head" ? undefined : await requireVersion(db, version, signal);
  return await fromManifest(manifests, { maxStalenessMs: 0, signal }, async (stored) => {
    if (stored === undefined) throw new GatewayError(404, "not-found", "there is no database here yet");
    const { manifest } = stored;
    if (pinned === undefined) {
      const known = encoded.get(manifest) ?? encode(manifest);
      encoded.set(manifest, known);
      return await known;
    }
    const truncated = await truncateManifest(manifest, pinned.generation, nodes, { signal });
    if (truncated !== undefined) return await encode(truncated);
    throw new GatewayError(GONE, "version-not-found", `generation ${pinned.generation} has just expired`);
  });
}

async function encode(manifest: Manifest): Promise<ManifestFile> {
  const bytes = await encodeManifest({ ...manifest, config: { ...manifest.config, manifestKind: "single" } });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  let generation = "";
  for (const byte of hash.subarray(0, 16)) generation += byte.toString(16).padStart(2, "0");
  return { bytes, generation };
}
