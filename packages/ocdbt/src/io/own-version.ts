import type { Manifest, VersionEntry } from "../format/types.ts";
import type { StoredManifest } from "../parts.ts";
import type { FindVersion } from "./manifest-store.ts";
import { locationName } from "./node-reader.ts";

/**
 * Whether `found`, a manifest that came after `previous`, has the version that `next` was to add: then `next` was written,
 * whatever the store answered. Decided by the version's number, time and root, whose file has a random name.
 */
export async function hasOwnVersion(
  found: Manifest,
  previous: StoredManifest | undefined,
  next: Manifest,
  findVersion: FindVersion,
): Promise<boolean> {
  const own = next.versions.at(-1)!;
  const before = previous?.manifest.versions.at(-1)?.generation ?? 0n;
  // A change of the history alone adds no version to be recognised by.
  if (own.generation <= before) return false;
  const newest = found.versions.at(-1)?.generation ?? 0n;
  if (newest < own.generation) return false;
  const version = await findVersion(found, own.generation);
  return version !== undefined && isSameVersion(version, own);
}

export function isSameVersion(a: VersionEntry, b: VersionEntry): boolean {
  return a.generation === b.generation && a.commitTime === b.commitTime && rootName(a) === rootName(b);
}

function rootName({ root }: VersionEntry): string {
  return root.location === undefined ? "" : locationName(root.location);
}
