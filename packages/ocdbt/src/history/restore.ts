/**
 * What was, once more: as new versions, by reference. No value is read or moved.
 * @module
 */
import { type Key, type KeyRange, keyBytes } from "@pcg/kvstore";
import { ChangeSet } from "../commit/changes.ts";
import type { Head, OcdbtDatabase, VersionSpec } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import type { BtreeNodeReference, VersionEntry } from "../format/types.ts";
import { findGeneration } from "../view/resolve-version.ts";
import { applyChanges, type CommittedTree, type CurrentVersion, commitTree } from "./commit-tree.ts";
import { diffTrees } from "./diff.ts";
import type { CommitMessage } from "./messages.ts";
import { justBy, type StoredValue } from "./tree-cursor.ts";
import { requireVersion } from "./versions.ts";

export interface RestoreOptions extends CommitMessage {
  /** Only if this still is the newest version. */
  readonly ifHead?: Pick<Head, "generation">;
  readonly signal?: AbortSignal;
}

/** Which keys are restored: these, or all of a prefix or range, also those that have since been added, which go. */
export type RestoreSelection =
  | { readonly keys: readonly Key[] }
  | { readonly prefix: Key }
  | { readonly range: KeyRange };

/**
 * Makes an older version the newest again, as a version of its own, in time that does not depend on the number of keys.
 * Changes nothing when the contents are the older version's already.
 *
 * @throws {@link OcdbtError} `version-not-found`; `conflict` when `ifHead` is not the newest version.
 */
export async function restore(
  db: OcdbtDatabase,
  version: VersionSpec,
  options: RestoreOptions = {},
): Promise<CommittedTree> {
  const old = await requireVersion(db, version, options.signal);
  return await commitTree(db, async (current) => (await confirm(db, current, old, options)).root, options);
}

/**
 * Gives some keys the values they had in an older version, in one version that differs from the newest in nothing else.
 * Takes time in proportion to what differs.
 *
 * @returns also how many keys changed.
 * @throws {@link OcdbtError} `version-not-found`; `conflict` when `ifHead` is not the newest version.
 */
export async function restoreKeys(
  db: OcdbtDatabase,
  version: VersionSpec,
  selection: RestoreSelection,
  options: RestoreOptions = {},
): Promise<CommittedTree & { readonly keys: number }> {
  const { signal } = options;
  const old = await requireVersion(db, version, signal);
  let keys = 0;
  const committed = await commitTree(
    db,
    async (current, writer) => {
      const { root } = await confirm(db, current, old, options);
      const changes = new ChangeSet();
      keys = 0;
      for await (const [key, value] of differences(db, current.root, root, selection, signal)) {
        changes.set({ key, value: value ?? null });
        keys++;
      }
      return keys === 0 ? undefined : await applyChanges(db, current.root, changes, writer, signal);
    },
    options,
  );
  return { ...committed, keys };
}

/** The old version as this manifest has it: it may have expired since it was looked up. */
async function confirm(
  db: OcdbtDatabase,
  { manifest, version }: CurrentVersion,
  old: VersionEntry,
  { ifHead, signal }: RestoreOptions,
): Promise<VersionEntry> {
  if (ifHead !== undefined && version?.generation !== ifHead.generation) {
    const message = `${db.url} is at generation ${version?.generation ?? "none"}, not at ${ifHead.generation}; look at what has changed, then restore again`;
    throw new OcdbtError("conflict", message, {
      fields: { expected: ifHead.generation, found: version?.generation ?? 0n },
    });
  }
  const found = await findGeneration(manifest, old.generation, db.parts.nodes, { ...(signal && { signal }) });
  if (found !== undefined) return found;
  throw new OcdbtError("version-not-found", `generation ${old.generation} of ${db.url} has expired meanwhile`, {
    fields: { generation: old.generation },
  });
}

/** Keys of the selection that are not as they were, with what they had; `undefined`: nothing. */
async function* differences(
  db: OcdbtDatabase,
  current: BtreeNodeReference,
  old: BtreeNodeReference,
  selection: RestoreSelection,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly [Uint8Array, StoredValue | undefined]> {
  const { nodes } = db.parts;
  const parts = "keys" in selection ? selection.keys.map((key) => ({ range: justBy(keyBytes(key)) })) : [selection];
  for (const part of parts) {
    const options = { ...part, ...(signal && { signal }) };
    for await (const { key, after } of diffTrees({ nodes, root: current }, { nodes, root: old }, options)) {
      yield [key, after];
    }
  }
}
