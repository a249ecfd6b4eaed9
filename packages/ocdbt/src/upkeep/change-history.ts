/**
 * Changes of the history alone: the newest tree stays, the versions before it, or where their nodes lie, do not.
 *
 * A single manifest is exchanged without a new version, so a lost answer cannot be resolved by finding that version again. Therefore
 * files that an attempt wrote are removed only when the manifest found in the end does not refer to them.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { type Manifest, pathToBytes, type VersionNodeReference } from "../format/index.ts";
import { fileName } from "../io/node-reader.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";

/**
 * Makes `change` of the manifest; `undefined`, or the very same: nothing to do. It is called again after a conflict, and must be pure. A numbered
 * database gets a version more, with the tree of the newest.
 */
export async function changeHistory(
  db: OcdbtDatabase,
  change: (current: Manifest, writer: DataFileWriter) => Promise<Manifest | undefined>,
  { signal }: { readonly signal?: AbortSignal },
): Promise<void> {
  const { parts } = db;
  const writers: DataFileWriter[] = [];
  const next = async (current: Manifest): Promise<Manifest | undefined> => {
    const writer = parts.newDataFileWriter();
    writers.push(writer);
    const changed = await change(current, writer);
    if (changed === undefined || changed === current) return undefined;
    // Appending a version may read nodes that were just written.
    await writer.flush({ ...(signal && { signal }) });
    if (current.config.manifestKind === "single") return changed;
    const appended = await parts.appendVersion(changed, changed.versions.at(-1)!.root, writer);
    await writer.flush({ ...(signal && { signal }) });
    return appended.manifest;
  };
  await parts.updateManifest({ next, ...(signal && { signal }) });
  if (writers.length > 1) await removeUnused(db, new Set(writers.flatMap((writer) => writer.files)));
}

async function removeUnused(db: OcdbtDatabase, written: Set<string>): Promise<void> {
  const { manifests, nodes, store } = db.parts;
  const stored = await manifests.read({ maxStalenessMs: 0 });
  if (stored === undefined || written.size === 0) return;
  await forgetUsed(stored.manifest.versionNodes, nodes, written);
  for (const path of written) await store.write(pathToBytes(path), null);
}

async function forgetUsed(
  references: readonly VersionNodeReference[],
  nodes: NodeReader,
  written: Set<string>,
): Promise<void> {
  for (const reference of references) {
    written.delete(fileName(reference.location.file));
    const node = await nodes.versionNode(reference);
    if ("children" in node) await forgetUsed(node.children, nodes, written);
  }
}
