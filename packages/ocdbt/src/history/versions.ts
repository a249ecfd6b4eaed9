/**
 * The versions of a database, newest first, read as they are asked for.
 * @module
 */
import type { OcdbtDatabase, VersionSpec } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import type { Manifest, VersionEntry, VersionNode, VersionNodeReference } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { isFileGone } from "../view/lost-version.ts";

/** Bounds are inclusive; none means to the newest, or the oldest kept. */
export interface VersionRange {
  readonly minGeneration?: bigint;
  readonly maxGeneration?: bigint;
  /** ns since the epoch. */
  readonly minTime?: bigint;
  /** ns since the epoch. */
  readonly maxTime?: bigint;
}

/** Version nodes of one level that are read before they are needed. */
const readAhead = 16;

/**
 * The versions that are kept, newest first. They are those of the manifest as it is at the start, whatever is committed
 * meanwhile; those that expire and are swept before they are asked for are left out. Holds one version node per level of the version tree.
 */
export async function* versions(
  db: OcdbtDatabase,
  options: VersionRange & { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VersionEntry> {
  const { signal } = options;
  const { manifests, nodes } = db.parts;
  let bounds = options;
  for (let isStuck = false; ; ) {
    const stored = await manifests.read({ maxStalenessMs: 0, ...(signal && { signal }) });
    if (stored === undefined) return;
    try {
      for await (const version of versionsOf(stored.manifest, nodes, bounds)) {
        isStuck = false;
        bounds = { ...options, maxGeneration: version.generation - 1n };
        yield version;
      }
      return;
    } catch (error) {
      // A newer manifest tells what is left of the older versions. Failing at the same place again is damage.
      if (!isFileGone(error) || isStuck) throw error;
      isStuck = true;
    }
  }
}

/** {@link versions} of a manifest. */
export async function* versionsOf(
  manifest: Manifest,
  nodes: NodeReader,
  options: VersionRange & { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VersionEntry> {
  for await (const version of newestFirst(manifest, nodes, options)) {
    // Commit times rise with generations, so everything further on is out of bounds too.
    if (version.generation < (options.minGeneration ?? 0n) || version.commitTime < (options.minTime ?? 0n)) return;
    if (isAbove(version, options)) continue;
    yield version;
  }
}

/** Versions that a manifest leads to. */
export function countVersions({ versions, versionNodes }: Manifest): bigint {
  return versionNodes.reduce((sum, node) => sum + node.numGenerations, BigInt(versions.length));
}

/** The version a database has under a specification. @throws {@link OcdbtError} `version-not-found` */
export async function requireVersion(
  db: OcdbtDatabase,
  spec: VersionSpec,
  signal: AbortSignal | undefined,
): Promise<VersionEntry> {
  const version = await (await db.at(spec, { ...(signal && { signal }) })).version({ ...(signal && { signal }) });
  if (version !== undefined) return version;
  throw new OcdbtError("version-not-found", `${db.url} has no version yet`);
}

async function* newestFirst(
  manifest: Manifest,
  nodes: NodeReader,
  options: VersionRange & { readonly signal?: AbortSignal },
): AsyncGenerator<VersionEntry> {
  yield* manifest.versions.slice().reverse();
  yield* below(manifest.versionNodes, nodes, options);
}

async function* below(
  references: readonly VersionNodeReference[],
  nodes: NodeReader,
  options: VersionRange & { readonly signal?: AbortSignal },
): AsyncGenerator<VersionEntry> {
  const { signal } = options;
  const ordered = references.slice().sort((a, b) => (a.generation > b.generation ? -1 : 1));
  // All of a subtree is younger than the last version of the one before it, and not older than its own first.
  const wanted = ordered.filter(({ generation, commitTime }, i) => {
    if (generation < (options.minGeneration ?? 0n)) return false;
    return !isAbove({ generation: (ordered[i + 1]?.generation ?? 0n) + 1n, commitTime }, options);
  });
  const read = (reference: VersionNodeReference): Promise<VersionNode> => {
    const node = nodes.versionNode(reference, { ...(signal && { signal }) });
    // Whoever stops before it takes no notice of what was read ahead.
    node.catch(() => {});
    return node;
  };
  const ahead: Promise<VersionNode>[] = [];
  for (let i = 0, next = 0; i < wanted.length; i++) {
    signal?.throwIfAborted();
    // Who has read on for a while will probably go on.
    for (; next < Math.min(wanted.length, 2 * i + 1, i + readAhead); next++) ahead.push(read(wanted[next]!));
    const node = await ahead.shift()!;
    if ("versions" in node) yield* node.versions.slice().reverse();
    else yield* below(node.children, nodes, options);
  }
}

function isAbove(at: { readonly generation: bigint; readonly commitTime: bigint }, bounds: VersionRange): boolean {
  return (
    (bounds.maxGeneration !== undefined && at.generation > bounds.maxGeneration) ||
    (bounds.maxTime !== undefined && at.commitTime > bounds.maxTime)
  );
}
