/**
 * A manifest as if an older version were its newest: for forks at a version, and for serving a version as a database.
 * @module
 */
import {
  type GenerationRange,
  type Manifest,
  manifestReferenceRanges,
  type VersionNode,
  type VersionNodeReference,
} from "../format/index.ts";
import type { IndirectReference } from "../format/types.ts";
import { versionNodeReference } from "../format/version-node.ts";
import type { NodeReader } from "../parts.ts";
import { versionsOf } from "./versions.ts";

export interface TruncateOptions {
  /**
   * Puts a version node where the result can refer to it. The block of the version tree that the cut goes through has to be
   * written anew, a node per height at most; without this, those nodes are left out: the versions in them are not in the
   * result.
   */
  readonly writeNode?: (node: VersionNode) => Promise<IndirectReference>;
  readonly signal?: AbortSignal;
}

/**
 * `manifest` with `generation` as its newest version and nothing after. Version nodes that end before the cut are kept by
 * reference.
 *
 * @returns `undefined` when the manifest does not have this generation.
 */
export async function truncateManifest(
  manifest: Manifest,
  generation: bigint,
  nodes: NodeReader,
  options: TruncateOptions = {},
): Promise<Manifest | undefined> {
  const { writeNode, signal } = options;
  const { versionTreeArityLog2 } = manifest.config;
  const block = BigInt(versionTreeArityLog2);
  const versions = [];
  const bounds = { minGeneration: (((generation - 1n) >> block) << block) + 1n, maxGeneration: generation };
  for await (const version of versionsOf(manifest, nodes, { ...bounds, ...(signal && { signal }) }))
    versions.unshift(version);
  if (versions.at(-1)?.generation !== generation) return undefined;

  const versionNodes: VersionNodeReference[] = [];
  for (const range of manifestReferenceRanges(generation, versionTreeArityLog2)) {
    const found = await findNode(manifest.versionNodes, range, nodes, signal);
    if (found === undefined) continue;
    const children = found.children.filter((child) => child.generation <= range.last);
    if (children.length === found.children.length) versionNodes.unshift(found.reference);
    else if (children.length > 0 && writeNode !== undefined) {
      const node = { arityLog2: versionTreeArityLog2, height: range.height, children };
      versionNodes.unshift(versionNodeReference(node, await writeNode(node)));
    }
  }
  return { config: manifest.config, versions, versionNodes };
}

/** The node whose block is the one that `range` is a part of. */
async function findNode(
  references: readonly VersionNodeReference[],
  range: GenerationRange,
  nodes: NodeReader,
  signal: AbortSignal | undefined,
): Promise<{ reference: VersionNodeReference; children: readonly VersionNodeReference[] } | undefined> {
  let level = references;
  for (;;) {
    const reference = level
      .filter(({ generation }) => generation >= range.first)
      .reduce<VersionNodeReference | undefined>((a, b) => (a && a.generation < b.generation ? a : b), undefined);
    if (reference === undefined || reference.height < range.height) return undefined;
    const node = await nodes.versionNode(reference, { ...(signal && { signal }) });
    if ("versions" in node) return undefined;
    if (reference.height === range.height) return { reference, children: node.children };
    level = node.children;
  }
}
