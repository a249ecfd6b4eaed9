/**
 * Checks the version tree of a manifest and gives all versions that can be reached.
 * @module
 */
import { isOcdbtError, OcdbtError } from "../errors.ts";
import {
  decodeVersionNode,
  type Manifest,
  pathToBytes,
  printablePath,
  type VersionEntry,
  type VersionNode,
  type VersionNodeReference,
} from "../format/index.ts";
import { summaryOf } from "../format/version-node.ts";
import { fileName, storedBytes } from "../io/node-reader.ts";
import { describe, type TreeCheckContext } from "./check-tree.ts";

export interface CheckedVersions {
  /** Oldest first. */
  readonly versions: readonly VersionEntry[];
  /** Locations of version-tree nodes that cannot be used, see `describe`. */
  readonly damaged: ReadonlySet<string>;
}

export async function checkVersions(manifest: Manifest, context: TreeCheckContext): Promise<CheckedVersions> {
  const damaged = new Set<string>();
  const versions: VersionEntry[] = [];
  const below = async (references: readonly VersionNodeReference[]): Promise<void> => {
    for (const reference of references) {
      const node = await readNode(manifest, reference, context);
      if (node === undefined) damaged.add(describe(reference.location));
      else if ("versions" in node) versions.push(...node.versions);
      else await below(node.children);
    }
  };
  await below(manifest.versionNodes);
  versions.push(...manifest.versions);
  for (let i = 1; i < versions.length; i++) {
    const [before, version] = [versions[i - 1]!, versions[i]!];
    if (version.commitTime > before.commitTime) continue;
    const { generation } = version;
    const message = `generation ${generation} was committed at ${version.commitTime}, not after ${before.generation}`;
    context.findings.add("commit-times", message, { generation });
  }
  return { versions, damaged };
}

async function readNode(
  manifest: Manifest,
  reference: VersionNodeReference,
  { store, requests, budget, findings, usage, onNode, signal }: TreeCheckContext,
): Promise<VersionNode | undefined> {
  const { location, generation } = reference;
  const path = fileName(location.file);
  const facts = { file: printablePath(path), generation };
  signal?.throwIfAborted();
  let node: VersionNode;
  try {
    const { offset, length } = location;
    const read = async (): Promise<Uint8Array> => {
      const found = await requests.run(() =>
        store.read(pathToBytes(path), { range: { offset, length }, ...(signal && { signal }) }),
      );
      if (found !== undefined) return found.value;
      throw new OcdbtError("not-found", `${describe(location)}: the file is gone`);
    };
    node = await budget.load(storedBytes(location), read, (bytes) =>
      decodeVersionNode(bytes, { basePath: location.file.basePath, file: describe(location) }),
    );
  } catch (error) {
    if (!isOcdbtError(error)) throw error;
    findings.add("version-node-damaged", error.message, facts);
    return undefined;
  }
  onNode?.();
  usage.add(path, location.offset, location.length);
  const is = summaryOf(node);
  const { versionTreeArityLog2 } = manifest.config;
  if (node.height !== reference.height || is.generation !== generation || node.arityLog2 !== versionTreeArityLog2) {
    const says = `height ${reference.height}, last generation ${generation}, arity 2^${versionTreeArityLog2}`;
    const has = `${node.height}, ${is.generation}, 2^${node.arityLog2}`;
    findings.add("version-node-damaged", `${describe(location)} should have ${says}; it has ${has}`, facts);
    return undefined;
  }
  if (is.numGenerations !== reference.numGenerations || is.commitTime !== reference.commitTime) {
    const says = `${reference.numGenerations} versions from ${reference.commitTime} on`;
    const has = `${is.numGenerations} from ${is.commitTime} on`;
    findings.add("version-node-summary", `${describe(location)} should hold ${says}; it holds ${has}`, facts);
  }
  return node;
}
