/**
 * Puts right what `fsck` found, as far as it can be. Whatever loses data has to be asked for; everything else is done by normal commits, or
 * by an exchange of a manifest that nobody could read.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { Head, OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { encodeManifest, type IndirectReference, MANIFEST_KEY, type VersionEntry } from "../format/index.ts";
import { commitTree, headOf } from "../history/commit-tree.ts";
import { versions, versionsOf } from "../history/versions.ts";
import { openOcdbt } from "../open.ts";
import type { OpenOptions } from "../open-options.ts";
import { changeHistory } from "./change-history.ts";
import { describe } from "./check-tree.ts";
import { type FsckOptions, type FsckReport, fsck, soundLength } from "./fsck.ts";
import { pruneVersions } from "./prune-versions.ts";
import { type RebuildResult, rebuild } from "./rebuild.ts";
import { recount } from "./recount.ts";
import { type ManifestFile, storedManifests } from "./stored-manifests.ts";

export interface RepairOptions extends FsckOptions {
  /** Say what would be done. What only shows after an earlier step is not foreseen. */
  readonly dryRun?: boolean;
  /**
   * Take versions out of the history that cannot be read in full. If the newest is one, the newest sound version becomes the newest again,
   * as a version more. One that ends a block of the version tree stays, since sound ones would go with it: an action `keep-version` says by
   * which policy `expire` takes it out, with the sound ones before it.
   */
  readonly dropVersions?: boolean;
  /**
   * If the newest version cannot be read in full, make a version of what can be read of it. With `dropVersions` only if no older version is sound;
   * without, not if nothing of the newest can be read but an older one is sound.
   */
  readonly dropKeys?: boolean;
  /** How the database is opened, for its data prefix. */
  readonly open?: Omit<OpenOptions, "create" | "config">;
}

export interface RepairAction {
  readonly kind: /** The stale tail of a manifest is cut off: nothing is lost. */
    | "cut-stale-tail"
    /** `manifest.ocdbt` of a numbered database is written from a numbered manifest: nothing is lost. */
    | "restore-config"
    /** A numbered manifest that cannot be read is removed; with it go its newest versions (`dropVersions`). */
    | "remove-manifest"
    /** What can be read of the newest version becomes a version (`dropKeys`). */
    | "rebuild"
    /** The newest sound version becomes the newest again (`dropVersions`). */
    | "restore-sound-version"
    /** References of the newest version, or of the version tree, are given the right counts: nothing is lost. */
    | "recount"
    /** Versions that cannot be read go (`dropVersions`). */
    | "drop-versions"
    /** A version that cannot be read had to stay: nothing was done about it, and the message says what would have to be. */
    | "keep-version";
  readonly message: string;
}

/** What could become of a newest version that cannot be read in full, and what each choice leaves. */
export interface RepairChoices {
  readonly newest: bigint;
  /** By `dropVersions`: the newest version that can be read in full. Absent: there is none. What was committed since is lost. */
  readonly sound?: Head & { readonly keys: bigint };
  /** By `dropKeys`: what can be read of the newest version, and what is lost of it as far as it is counted. */
  readonly readable: { readonly keys: number; readonly lostKeys: bigint };
}

export interface RepairResult {
  /** What was done, or would be. */
  readonly actions: readonly RepairAction[];
  /** The newest version cannot be read in full, and was left as it is. */
  readonly choices?: RepairChoices;
  readonly before: FsckReport;
  /** Absent after a dry run. */
  readonly after?: FsckReport;
}

/**
 * Repairs a database. Each step is complete in itself: interrupted, the database is as before or better; run it again.
 *
 * @example const { actions, after } = await repair(store, { dropVersions: true });
 * @throws {@link OcdbtError} `conflict` when somebody writes a damaged manifest at the same moment; `not-found`
 */
export async function repair(store: KvStore, options: RepairOptions = {}): Promise<RepairResult> {
  const { signal, dryRun } = options;
  const before = await fsck(store, options);
  if (before.counts.has("no-manifest") && (await storedManifests(store, signal)).length === 0) {
    const message = `there is no database in ${store.url} (no ${MANIFEST_KEY}): nothing can be repaired; look for a slip in the path`;
    throw new OcdbtError("not-found", message, { fields: { url: store.url } });
  }
  const actions = await repairManifests(store, options);
  if (dryRun && actions.length > 0) return { actions, before };
  const now = actions.length === 0 ? before : await fsck(store, options);
  if (now.counts.has("no-manifest") || now.counts.has("manifest-damaged") || now.versions === 0) {
    return dryRun ? { actions, before } : { actions, before, after: now };
  }
  const db = await openOcdbt(store, { ...options.open, create: false, ...(signal && { signal }) });
  const repairing = new Repair(db, now, options);
  try {
    await repairing.run();
  } finally {
    // The store stays the caller's.
    await db.parts.committer.close();
  }
  const { choices } = repairing;
  const result = { actions: [...actions, ...repairing.actions], ...(choices && { choices }), before };
  return dryRun ? result : { ...result, after: await fsck(store, options) };
}

async function repairManifests(store: KvStore, options: RepairOptions): Promise<RepairAction[]> {
  const { dryRun, dropVersions, signal } = options;
  const files = await storedManifests(store, signal);
  const newest = files.findLast(({ manifest }) => manifest !== undefined && manifest.versions.length > 0)?.manifest;
  const actions: RepairAction[] = [];
  for (const file of files) {
    if (file.manifest !== undefined) continue;
    const length = await soundLength(file.bytes, file.numbered);
    let action: RepairAction;
    let bytes: Uint8Array | null;
    if (length !== undefined) {
      action = {
        kind: "cut-stale-tail",
        message: `${file.key} keeps its first ${length} of ${file.bytes.length} bytes`,
      };
      bytes = file.bytes.subarray(0, length);
    } else if (file.key === MANIFEST_KEY && newest?.config.manifestKind === "numbered") {
      action = { kind: "restore-config", message: `${file.key} is written from the newest numbered manifest` };
      bytes = await encodeManifest({ config: newest.config, versions: [], versionNodes: [] });
    } else if (file.numbered !== undefined && newest !== undefined && dropVersions) {
      action = { kind: "remove-manifest", message: `${file.key} cannot be read, and is removed` };
      bytes = null;
    } else continue;
    actions.push(action);
    if (!dryRun) await exchange(store, file, bytes, signal);
  }
  return actions;
}

async function exchange(
  store: KvStore,
  { key, storeGeneration }: ManifestFile,
  bytes: Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const result = await store.write(key, bytes, { ifGeneration: storeGeneration, ...(signal && { signal }) });
  if (result.written) return;
  throw new OcdbtError("conflict", `${key} changed while it was repaired; look again with fsck`, {
    fields: { file: key },
  });
}

class Repair {
  readonly actions: RepairAction[] = [];
  choices: RepairChoices | undefined;
  readonly #db: OcdbtDatabase;
  readonly #report: FsckReport;
  readonly #options: RepairOptions;
  readonly #bad: ReadonlySet<bigint>;

  constructor(db: OcdbtDatabase, report: FsckReport, options: RepairOptions) {
    this.#db = db;
    this.#report = report;
    this.#options = options;
    this.#bad = new Set(report.damagedGenerations);
  }

  async run(): Promise<void> {
    const { dropVersions } = this.#options;
    const { counts, damagedVersionNodes } = this.#report;
    const newest = await this.#db.version();
    if (newest !== undefined && this.#bad.has(newest.generation)) await this.#mendNewest(newest);
    else if (newest !== undefined && counts.has("statistics")) await this.#recount(newest);
    if (dropVersions && (this.#bad.size > 0 || damagedVersionNodes.size > 0)) await this.#dropVersions();
    else if (counts.has("version-node-summary") && damagedVersionNodes.size === 0) await this.#recountVersions();
  }

  /** A version goes rather than keys of all versions: that one can be read, and older ones have what it lost. */
  async #mendNewest(newest: VersionEntry): Promise<void> {
    const { dropKeys, dropVersions, dryRun } = this.#options;
    const sound = await this.#newestSound();
    if (dropVersions && sound !== undefined) return await this.#restore(newest, sound);
    if (dropKeys && sound === undefined && !dryRun) return await this.#rebuild(newest);
    const readable = await this.#salvage(newest, true);
    if (dropKeys && dryRun && (readable.keys > 0 || sound === undefined)) return this.#noteRebuild(newest, readable);
    if (dropKeys && readable.keys > 0) return await this.#rebuild(newest);
    this.choices = {
      newest: newest.generation,
      ...(sound && { sound: { ...headOf(sound), keys: sound.root.statistics.numKeys } }),
      readable: { keys: readable.keys, lostKeys: readable.lostKeys },
    };
  }

  async #rebuild(newest: VersionEntry): Promise<void> {
    this.#noteRebuild(newest, await this.#salvage(newest, false));
  }

  async #salvage({ generation }: VersionEntry, dryRun: boolean): Promise<RebuildResult> {
    const { signal, onProgress } = this.#options;
    return await rebuild(this.#db, {
      skipUnreadable: true,
      dryRun,
      message: `repair of generation ${generation}`,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
  }

  #noteRebuild({ generation }: VersionEntry, { keys, lostKeys }: RebuildResult): void {
    const what = `what can be read of generation ${generation} becomes the newest version`;
    this.#note("rebuild", `${what}: ${keys} keys; about ${lostKeys} are lost`);
  }

  async #restore(newest: VersionEntry, sound: VersionEntry): Promise<void> {
    const { dryRun, signal } = this.#options;
    const what =
      `generation ${sound.generation}, of ${sound.root.statistics.numKeys} keys, becomes the newest again, in the place of ` +
      `${newest.generation}; what was committed since is lost`;
    this.#note("restore-sound-version", what);
    if (dryRun) return;
    await commitTree(
      this.#db,
      // Somebody may have put it right meanwhile.
      async ({ version }) => (version?.generation === newest.generation ? sound.root : undefined),
      { message: `repair: ${what}`, ...(signal && { signal }) },
    );
  }

  async #newestSound(): Promise<VersionEntry | undefined> {
    const { parts } = this.#db;
    const { signal } = this.#options;
    const stored = await parts.manifests.read({ ...(signal && { signal }) });
    if (stored === undefined) return undefined;
    const lost = this.#report.damagedVersionNodes;
    const { versionNodes } = stored.manifest;
    const readable = versionNodes.filter(({ location }) => !lost.has(describe(location)));
    const manifest = { ...stored.manifest, versionNodes: readable };
    for await (const version of versionsOf(manifest, parts.nodes, { ...(signal && { signal }) })) {
      if (!this.#bad.has(version.generation)) return version;
    }
    return undefined;
  }

  async #recount(newest: VersionEntry): Promise<void> {
    const { parts, config } = this.#db;
    const { dryRun, signal } = this.#options;
    let changed = false;
    await parts.updateManifest({
      next: async (current, writer) => {
        const version = current.versions.at(-1);
        if (version === undefined) return undefined;
        const context = { nodes: parts.nodes, writer, config, ...(signal && { signal }) };
        const root = await recount(version.root, context);
        changed = root !== version.root;
        if (!changed || dryRun) return undefined;
        return (await parts.appendVersion(current, root, writer)).manifest;
      },
      message: `repair: counts of generation ${newest.generation}`,
      ...(signal && { signal }),
    });
    if (changed) this.#note("recount", `generation ${newest.generation} with right counts becomes the newest version`);
  }

  async #dropVersions(): Promise<void> {
    const { dryRun } = this.#options;
    const lost = this.#report.damagedVersionNodes;
    await this.#prune({
      keeps: (generation) => !this.#bad.has(generation),
      decide: () => undefined,
      isLost: (location) => lost.has(describe(location)),
    });
    const staying = dryRun ? [] : await this.#staying();
    const gone = this.#bad.size - staying.length;
    const parts = [
      ...(gone === 0 ? [] : [gone === 1 ? "1 version" : `${gone} versions`]),
      ...(lost.size === 0 ? [] : [`what was below ${lost.size} version-tree nodes`]),
    ];
    if (parts.length > 0) {
      this.#note("drop-versions", `what cannot be read in full leaves the history: ${parts.join(", and ")}`);
    }
    for (const { generation, newer } of staying) {
      this.#note(
        "keep-version",
        newer === 0
          ? `generation ${generation} is the newest, and none before it can be read in full: drop keys to make a version of what can be read`
          : `generation ${generation} cannot be read in full, but ends a block of the version tree, and stays as long as versions ` +
              `before it do: expire all up to it with keepLast ${newer}, sound ones too, when they are no longer needed`,
      );
    }
  }

  /** The versions that could not be taken out, newest first, each with how many are newer. */
  async #staying(): Promise<{ readonly generation: bigint; readonly newer: number }[]> {
    const { signal } = this.#options;
    const staying: { readonly generation: bigint; readonly newer: number }[] = [];
    let newer = 0;
    for await (const { generation } of versions(this.#db, { ...(signal && { signal }) })) {
      if (this.#bad.has(generation)) staying.push({ generation, newer });
      newer++;
    }
    return staying;
  }

  async #recountVersions(): Promise<void> {
    this.#note("recount", "the nodes of the version tree are written anew, with right counts");
    await this.#prune({ keeps: () => true, decide: () => "all", moves: () => true });
  }

  async #prune(rules: {
    readonly keeps: (generation: bigint) => boolean;
    readonly decide: () => "all" | undefined;
    readonly moves?: () => boolean;
    readonly isLost?: (location: IndirectReference) => boolean;
  }): Promise<void> {
    const { dryRun, signal } = this.#options;
    if (dryRun) return;
    const { nodes } = this.#db.parts;
    const aside = { ...(signal && { signal }) };
    await changeHistory(
      this.#db,
      (current, writer) => pruneVersions(current, rules, { nodes, writer, ...aside }),
      aside,
    );
  }

  #note(kind: RepairAction["kind"], message: string): void {
    this.actions.push({ kind, message });
  }
}
