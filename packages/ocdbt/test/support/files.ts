import { type KvStore, keyText } from "@pcg/kvstore";
import type { BtreeNodeReference, DataFileId, Manifest, OcdbtDatabase, VersionNodeReference } from "../../src/index.ts";

const nameOf = ({ basePath, relativePath }: DataFileId): string => basePath + relativePath;

/** Data files that some version needs. */
export async function filesInUse(db: OcdbtDatabase): Promise<Set<string>> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const visit = async (reference: BtreeNodeReference): Promise<void> => {
    const { location } = reference;
    if (location === undefined || seen.has(`${nameOf(location.file)}:${location.offset}`)) return;
    seen.add(`${nameOf(location.file)}:${location.offset}`);
    used.add(nameOf(location.file));
    const node = await db.parts.nodes.btreeNode(reference);
    if ("children" in node) for (const child of node.children) await visit(child);
    else for (const file of new Set(node.valueFiles)) if (file >= 0) used.add(nameOf(node.files[file]!));
  };
  const visitVersions = async (reference: VersionNodeReference): Promise<void> => {
    used.add(nameOf(reference.location.file));
    const node = await db.parts.nodes.versionNode(reference);
    if ("children" in node) for (const child of node.children) await visitVersions(child);
    else for (const { root } of node.versions) await visit(root);
  };
  const manifest: Manifest | undefined = (await db.parts.manifests.read())?.manifest;
  for (const { root } of manifest?.versions ?? []) await visit(root);
  for (const reference of manifest?.versionNodes ?? []) await visitVersions(reference);
  return used;
}

/** Data files that no version needs. */
export async function orphans(store: KvStore, db: OcdbtDatabase): Promise<string[]> {
  const used = await filesInUse(db);
  const left: string[] = [];
  for await (const { key } of store.list({ prefix: "d/" })) if (!used.has(keyText(key)!)) left.push(keyText(key)!);
  return left;
}
