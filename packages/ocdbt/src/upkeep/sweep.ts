/**
 * Sweeping: data files that no version needs any more are removed. Needed is what any version leads to, of the manifest, of each
 * numbered manifest that is there, and of every registered fork.
 *
 * The order makes it safe beside writers: files are listed first, then manifests are read, so a file that a commit adds meanwhile is no
 * candidate; and a candidate is removed only when it is still unneeded after the grace, since a commit writes its files before its manifest.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import { MIN_GRACE_MS } from "../io/grace.ts";
import type { FamilyOptions } from "./family.ts";
import { markFamily } from "./mark-family.ts";
import { type FoundFile, listDataFiles } from "./own-files.ts";
import { drain, type UpkeepOptions } from "./progress.ts";
import { listMessages, staleMessages } from "./stale-messages.ts";
import { readSweepRecord, writeSweepRecord } from "./sweep-record.ts";
import { findSweepTarget } from "./sweep-target.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export interface SweepOptions extends UpkeepOptions, FamilyOptions {
  /** Look only; also the record of what waits stays as it is. */
  readonly dryRun?: boolean;
  /**
   * How long a file must have been unneeded, as seen by this sweep and an earlier one: at least 15 minutes. Default one day. What commits,
   * merges and transactions under way have written is safe for five; older files they look at again before they refer to them. 0 removes
   * at once: only while nothing else writes to the database or its forks.
   */
  readonly graceMs?: number;
  /** What the names of this database's own data files begin with. Default: as it was opened; of a fork its own. */
  readonly prefixes?: readonly string[];
  /** Of a fork inside its base: the store of the base (of the first one, if that is a fork itself), which may need the fork's files. */
  readonly base?: KvStore;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

export interface SweepResult {
  /** Files that were removed, or would be. */
  readonly removed: readonly FoundFile[];
  /** Unneeded files whose grace is not over; a later sweep removes them. */
  readonly waiting: readonly FoundFile[];
  /** Data files of this database that are needed. */
  readonly needed: number;
  /** Messages of versions that are not there (any more) that were removed, or would be. */
  readonly messages: number;
}

/**
 * Removes what is not needed. Forks that were made by other means than `fork`, by TensorStore for example, are not known: name them with
 * `unregistered`. Interrupted at any point, everything that is needed is there; run it again. Memory grows with the number of
 * files and nodes, about 200 bytes each.
 *
 * @throws {@link OcdbtError} `unsafe` when it is not known what a fork needs; `not-found` when there is no manifest to say what is needed;
 * `corrupt`, `not-found` when a version cannot be read to its end (see `fsck`); nothing is removed then.
 */
export async function sweep(db: OcdbtDatabase, options: SweepOptions = {}): Promise<SweepResult> {
  const { signal, dryRun, graceMs = DAY_MS, now = Date.now } = options;
  if (!(graceMs === 0 || graceMs >= MIN_GRACE_MS)) {
    const reason = "in less, commits that are under way may lose files; 0 needs the database to itself";
    throw new OcdbtError("bad-spec", `graceMs is ${graceMs}, expected 0 or at least ${MIN_GRACE_MS}: ${reason}`);
  }
  const { store } = db.parts;
  await expectManifest(db, signal);
  const target = await findSweepTarget(db, options);
  const files: FoundFile[] = [];
  for await (const file of listDataFiles(store, target.prefixes, signal)) files.push(file);
  const messages = await listMessages(db, options);
  // Who has found its files safe and keeps the manifest will have replaced it, however long it stands still meanwhile.
  if (!dryRun) (await db.parts.manifests.hold({ ...(signal && { signal }) }))?.release();
  const { reach, names } = await markFamily(target.root, options);
  const physical = names.get(target.forkUuid);
  if (physical === undefined) {
    throw new OcdbtError("unsafe", `this fork is not among those of the base ${target.root.url}; pass its own base`);
  }
  const unneeded = files.filter(({ path }) => !reach.files.has(physical(path)));
  const record = graceMs === 0 ? new Map<string, number>() : await readSweepRecord(store, db.uuid, signal);
  const time = now();
  const isDue = ({ path }: FoundFile): boolean => graceMs === 0 || time - (record.get(path) ?? time) >= graceMs;
  const removed = unneeded.filter(isDue);
  const waiting = unneeded.filter((file) => !isDue(file));
  const stale = await staleMessages(db, messages, options);
  const result = { removed, waiting, needed: files.length - unneeded.length, messages: stale.length };
  if (dryRun) return result;
  await remove(store, [...removed.map(({ path }) => path), ...stale], options);
  const left = new Map(waiting.map(({ path }) => [path, record.get(path) ?? time]));
  if (left.size > 0 || record.size > 0) await writeSweepRecord(store, db.uuid, left, signal);
  return result;
}

/** Without one, everything would look unneeded. */
async function expectManifest(db: OcdbtDatabase, signal: AbortSignal | undefined): Promise<void> {
  if ((await db.parts.manifests.read({ maxStalenessMs: 0, ...(signal && { signal }) })) !== undefined) return;
  const { url } = db.parts.store;
  const message =
    `there is no manifest in ${url} to say which data files are needed, so none was removed: look for a slip in the path; open the ` +
    "database with its manifestStore if the manifest lies elsewhere; bring it back from a backup if it was lost";
  throw new OcdbtError("not-found", message, { fields: { url } });
}

async function remove(store: KvStore, paths: readonly string[], options: UpkeepOptions): Promise<void> {
  const { signal, onProgress } = options;
  let done = 0;
  await drain(
    [...paths],
    async (path) => {
      await store.write(pathToBytes(path), null, { ...(signal && { signal }) });
      onProgress?.({ phase: "removing files", done: ++done, total: paths.length });
    },
    options,
  );
}
