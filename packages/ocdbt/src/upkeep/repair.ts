/**
 * Puts right what `fsck` found, as far as it can be. Whatever loses data has to be asked for; everything else is done by normal commits, or
 * by an exchange of a manifest that nobody could read.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { encodeManifest, type IndirectReference, MANIFEST_KEY, type VersionEntry } from "../format/index.ts";
import { commitTree } from "../history/commit-tree.ts";
import { versions, versionsOf } from "../history/versions.ts";
import { type OpenOptions, openOcdbt } from "../open.ts";
import { changeHistory } from "./change-history.ts";
import { describe } from "./check-tree.ts";
import { type FsckOptions, type FsckReport, fsck, soundLength } from "./fsck.ts";
import { pruneVersions } from "./prune-versions.ts";
import { rebuild } from "./rebuild.ts";
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
  /** If the newest version cannot be read in full, make a version of what can be read of it. Comes before `dropVersions`. */
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

export interface RepairResult {
  /** What was done, or would be. */
  readonly actions: readonly RepairAction[];
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
  try {
    actions.push(...(await new Repair(db, now, options).run()));
  } finally {
    // The store stays the caller's.
    await db.parts.committer.close();
  }
  return dryRun ? { actions, before } : { actions, before, after: await fsck(store, options) };
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
  readonly #db: OcdbtDatabase;
  readonly #report: FsckReport;
  readonly #options: RepairOptions;
  readonly #bad: ReadonlySet<bigint>;
  readonly #actions: RepairAction[] = [];

  constructor(db: OcdbtDatabase, report: FsckReport, options: RepairOptions) {
    this.#db = db;
    this.#report = report;
    this.#options = options;
    this.#bad = new Set(report.damagedGenerations);
  }

  async run(): Promise<RepairAction[]> {
    const { dropKeys, dropVersions } = this.#options;
    const { counts, damagedVersionNodes } = this.#report;
    const newest = await this.#db.version();
    if (newest !== undefined && this.#bad.has(newest.generation)) {
      if (dropKeys) await this.#rebuild(newest);
      else if (dropVersions) await this.#restore(newest);
    } else if (newest !== undefined && counts.has("statistics")) await this.#recount(newest);
    if (dropVersions && (this.#bad.size > 0 || damagedVersionNodes.size > 0)) await this.#dropVersions();
    else if (counts.has("version-node-summary") && damagedVersionNodes.size === 0) await this.#recountVersions();
    return this.#actions;
  }

  async #rebuild(newest: VersionEntry): Promise<void> {
    const { dryRun, signal, onProgress } = this.#options;
    const what = `what can be read of generation ${newest.generation} becomes the newest version`;
    if (dryRun) return this.#note("rebuild", what);
    const { keys, lostKeys } = await rebuild(this.#db, {
      skipUnreadable: true,
      message: `repair of generation ${newest.generation}`,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
    this.#note("rebuild", `${what}: ${keys} keys; about ${lostKeys} are lost`);
  }

  async #restore(newest: VersionEntry): Promise<void> {
    const { dryRun, signal } = this.#options;
    const sound = await this.#newestSound();
    if (sound === undefined) return;
    const what = `generation ${sound.generation} becomes the newest again, in the place of ${newest.generation}`;
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
    this.#actions.push({ kind, message });
  }
}
