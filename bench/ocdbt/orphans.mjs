// `node orphans.mjs FOLDER`: how many data files of the database in FOLDER no version needs, and their bytes, as JSON.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";

export async function countOrphans(folder) {
  const db = await openOcdbt(fileKvStore(folder), { create: false });
  const { nodes, manifests } = db.parts;
  const used = new Set();
  const seen = new Set();
  const mark = (file) => used.add(file.basePath + file.relativePath);
  const visit = async (reference) => {
    const { location } = reference;
    if (location === undefined || seen.has(`${location.file.relativePath}:${location.offset}`)) return;
    seen.add(`${location.file.relativePath}:${location.offset}`);
    mark(location.file);
    const node = await nodes.btreeNode(reference);
    if ("children" in node) for (const child of node.children) await visit(child);
    else for (const file of new Set(node.valueFiles)) if (file >= 0) mark(node.files[file]);
  };
  const visitVersions = async (reference) => {
    mark(reference.location.file);
    const node = await nodes.versionNode(reference);
    if ("children" in node) for (const child of node.children) await visitVersions(child);
    else for (const { root } of node.versions) await visit(root);
  };
  const { manifest } = await manifests.read();
  for (const { root } of manifest.versions) await visit(root);
  for (const reference of manifest.versionNodes) await visitVersions(reference);
  const orphans = readdirSync(join(folder, "d")).filter((name) => !used.has(`d/${name}`));
  const bytes = orphans.reduce((sum, name) => sum + statSync(join(folder, "d", name)).size, 0);
  await db.close();
  return { files: orphans.length, bytes, versions: Number(manifest.versions.at(-1).generation) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(JSON.stringify(await countOrphans(process.argv[2])));
}
