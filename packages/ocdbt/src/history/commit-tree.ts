/**
 * Versions that are made from trees rather than from mutations: computed on the newest version, and again on a newer one
 * whenever somebody else commits first.
 * @module
 */

import type { ChangeSet } from "../commit/changes.ts";
import { EMPTY_TREE, writeTree } from "../commit/tree-writer.ts";
import { WrittenSubtrees } from "../commit/written-subtrees.ts";
import type { Head, OcdbtDatabase } from "../contract.ts";
import type { BtreeNodeReference, Manifest, VersionEntry } from "../format/types.ts";
import type { DataFileWriter, WrittenApart } from "../parts.ts";
import { type CommitMessage, checkMessage } from "./messages.ts";

/** The state something starts from. */
export interface CurrentVersion {
  readonly manifest: Manifest;
  /** `undefined`: there is no version yet. */
  readonly version: VersionEntry | undefined;
  readonly root: BtreeNodeReference;
}

/** What became of it. */
export interface CommittedTree {
  /** The version made, or the one found when there was nothing to do. */
  readonly head: Head | undefined;
  /** Whether a version was made. */
  readonly written: boolean;
}

/**
 * Makes one version with the tree that `next` answers; `undefined`, or the very root that is there: nothing to do. `next` is
 * called again after a conflict, so it must be pure.
 */
export async function commitTree(
  db: OcdbtDatabase,
  next: (current: CurrentVersion, writer: DataFileWriter) => Promise<BtreeNodeReference | undefined>,
  options: CommitMessage & { readonly apart?: WrittenApart; readonly signal?: AbortSignal },
): Promise<CommittedTree> {
  checkMessage(options);
  const { message, author, apart, signal } = options;
  let outcome: CommittedTree = { head: undefined, written: false };
  await db.parts.updateManifest({
    next: async (manifest, writer) => {
      const version = manifest.versions.at(-1);
      const current = { manifest, version, root: version?.root ?? EMPTY_TREE };
      const root = await next(current, writer);
      if (root === undefined || isSameTree(root, current.root)) {
        outcome = { head: version && headOf(version), written: false };
        return undefined;
      }
      const appended = await db.parts.appendVersion(manifest, root, writer);
      outcome = { head: headOf(appended.version), written: true };
      return appended.manifest;
    },
    apart,
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    ...(signal && { signal }),
  });
  return outcome;
}

/** The tree with changes applied. */
export async function applyChanges(
  db: OcdbtDatabase,
  root: BtreeNodeReference,
  changes: ChangeSet,
  writer: DataFileWriter,
  signal: AbortSignal | undefined,
): Promise<BtreeNodeReference> {
  const { nodes, config } = db.parts;
  const context = { nodes, writer, config, written: new WrittenSubtrees(), ...(signal && { signal }) };
  return await writeTree(root, changes.net(), context);
}

export function headOf({ generation, commitTime }: VersionEntry): Head {
  return { generation, commitTime };
}

/** Whether two roots are the same node. */
export function isSameTree({ location: a }: BtreeNodeReference, { location: b }: BtreeNodeReference): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.offset === b.offset &&
    a.length === b.length &&
    a.file.basePath === b.file.basePath &&
    a.file.relativePath === b.file.relativePath
  );
}
