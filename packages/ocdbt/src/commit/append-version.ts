/**
 * The history of a manifest with one version more: the newest block of `2^arityLog2` generations lies in the manifest; when
 * it is full it moves into version-tree nodes, which the manifest refers to by height.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { encodeVersionNode, manifestReferenceRanges } from "../format/index.ts";
import type { BtreeNodeReference, Manifest, VersionEntry, VersionNode, VersionNodeReference } from "../format/types.ts";
import { versionNodeReference } from "../format/version-node.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";

const MAX_U64 = (1n << 64n) - 1n;

export interface AppendContext {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  /** ns since the epoch. A version is always later than the one before, whatever the clock says. */
  readonly now: bigint;
  readonly signal?: AbortSignal;
}

export async function appendVersion(
  manifest: Manifest,
  root: BtreeNodeReference,
  context: AppendContext,
): Promise<{ manifest: Manifest; version: VersionEntry }> {
  const { config, versions } = manifest;
  const previous = versions.at(-1);
  const generation = (previous?.generation ?? 0n) + 1n;
  const earliest = (previous?.commitTime ?? -1n) + 1n;
  const version: VersionEntry = { generation, root, commitTime: context.now > earliest ? context.now : earliest };
  for (const [what, value] of [
    ["generation", generation],
    ["commit time", version.commitTime],
  ] as const) {
    if (value <= MAX_U64) continue;
    throw new OcdbtError(
      "unsafe",
      `the next version would have ${what} ${value}, more than 64 bits hold; the newest one is ${previous?.generation} of ` +
        `${previous?.commitTime} ns: restore its contents into a new database`,
      { fields: { generation, commitTime: version.commitTime } },
    );
  }
  const blockIsFull = ((generation - 1n) & ((1n << BigInt(config.versionTreeArityLog2)) - 1n)) === 0n;
  if (previous === undefined || !blockIsFull) {
    return { manifest: { ...manifest, versions: [...versions, version] }, version };
  }
  const versionNodes = await foldBlock(manifest, generation, context);
  return { manifest: { ...manifest, versions: [version], versionNodes }, version };
}

/** The references of a manifest whose versions, a full block, move into a leaf before `generation` is added. */
async function foldBlock(
  { config, versions, versionNodes }: Manifest,
  generation: bigint,
  context: AppendContext,
): Promise<VersionNodeReference[]> {
  const { versionTreeArityLog2: arityLog2, compression } = config;
  const write = async (node: VersionNode): Promise<VersionNodeReference> => {
    const bytes = await encodeVersionNode(node, compression);
    return versionNodeReference(node, context.writer.append(bytes, "version-tree"));
  };
  const byHeight = new Map(versionNodes.map((reference) => [reference.height, reference]));
  const folded: VersionNodeReference[] = [];
  let below: VersionNodeReference | undefined = await write({ arityLog2, height: 0, versions });
  for (const { height, first, last } of manifestReferenceRanges(generation, arityLog2)) {
    const old = byHeight.get(height);
    const stays = old !== undefined && old.generation >= first && old.generation <= last;
    const joins = below !== undefined && below.generation >= first && below.generation <= last;
    if (joins) {
      const children = stays ? await childrenOf(old, context) : [];
      folded.push(await write({ arityLog2, height, children: [...children, below!] }));
    } else if (stays) folded.push(old);
    below = old;
  }
  return folded.reverse();
}

async function childrenOf(
  reference: VersionNodeReference,
  context: AppendContext,
): Promise<readonly VersionNodeReference[]> {
  const node = await context.nodes.versionNode(reference, context);
  // The reader checked the height, and a manifest refers to no leaves.
  return "children" in node ? node.children : [];
}
