/**
 * Checks a database from its manifest down to the last value, and what lies beside it. Changes nothing.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { configDifference } from "../config-json.ts";
import type { OcdbtDatabase } from "../contract.ts";
import { isOcdbtError } from "../errors.ts";
import { forkDataPrefix } from "../fork/layout.ts";
import { listRegistrations, readOrigin, readRegistration } from "../fork/registry.ts";
import {
  decodeManifest,
  envelopeLength,
  MANIFEST_KEY,
  type Manifest,
  pathToBytes,
  printablePath,
} from "../format/index.ts";
import { listTags } from "../history/tags.ts";
import { DEFAULT_PREFIXES } from "../io/data-file-writer.ts";
import { DEFAULT_DECODE_BYTES, DecodeBudget } from "../io/decode-budget.ts";
import { Semaphore } from "../io/semaphore.ts";
import { type CheckedFamily, checkFamily } from "./check-family.ts";
import { TreeCheck, type TreeCheckContext } from "./check-tree.ts";
import { checkVersions } from "./check-versions.ts";
import type { FamilyOptions } from "./family.ts";
import { FileUsage } from "./file-usage.ts";
import { type Finding, type FindingCode, Findings } from "./findings.ts";
import { dataPrefixOf, type FoundFile, listDataFiles } from "./own-files.ts";
import type { UpkeepOptions } from "./progress.ts";
import { type ManifestFile, storedManifests } from "./stored-manifests.ts";

const REQUESTS = 16;
const READ_BYTES = 8 * 2 ** 20;

export interface FsckOptions extends UpkeepOptions, FamilyOptions {
  /** Read every byte that is referred to, values included. */
  readonly deep?: boolean;
  /** What the names of this database's own data files begin with, to find orphans. Default: as those its versions need, and `d/`. */
  readonly prefixes?: readonly string[];
  /** Findings that are kept; beyond they are counted. Default 10,000. */
  readonly maxFindings?: number;
}

export interface FsckReport {
  /** No errors: every version can be read in full, also of the registered forks that were reached. Warnings and notes may be there. */
  readonly isSound: boolean;
  readonly findings: readonly Finding[];
  /** How often each finding came, also those beyond the limit. */
  readonly counts: ReadonlyMap<FindingCode, number>;
  /** Versions, and distinct nodes of all of them. */
  readonly versions: number;
  readonly nodes: number;
  /** Keys of the newest version. */
  readonly keys: bigint;
  /** Data files that are referred to, their bytes, and how many of these are referred to. */
  readonly files: number;
  readonly fileBytes: number;
  readonly usedBytes: number;
  /** Versions that cannot be read in full, as far as the history can be read. */
  readonly damagedGenerations: readonly bigint[];
  /** Version-tree nodes that cannot be used: what is below them is lost from the history. */
  readonly damagedVersionNodes: ReadonlySet<string>;
}

/**
 * Checks everything. Takes time in proportion to the distinct nodes of all versions (with `deep`, to all bytes); memory too, about 300
 * bytes a node.
 *
 * @example const report = await fsck(store); if (!report.isSound) console.error(report.findings);
 */
export async function fsck(where: KvStore | OcdbtDatabase, options: FsckOptions = {}): Promise<FsckReport> {
  const store = "parts" in where ? where.parts.store : where;
  return await new Fsck(store, options).run();
}

class Fsck {
  readonly #store: KvStore;
  readonly #options: FsckOptions;
  readonly #findings: Findings;
  readonly #usage = new FileUsage();
  readonly #sizes = new Map<string, Promise<number | undefined>>();
  #nodes = 0;

  constructor(store: KvStore, options: FsckOptions) {
    this.#store = store;
    this.#options = options;
    this.#findings = new Findings(options.maxFindings ?? 10_000);
  }

  async run(): Promise<FsckReport> {
    const { signal, onProgress, deep } = this.#options;
    const newest = await this.#newestManifest();
    const manifest = newest?.manifest;
    const context: TreeCheckContext = {
      store: this.#store,
      requests: new Semaphore(REQUESTS),
      budget: new DecodeBudget(DEFAULT_DECODE_BYTES),
      findings: this.#findings,
      usage: this.#usage,
      sizeOf: (path) => this.#sizeOf(path),
      onNode: () => {
        if (++this.#nodes % 256 === 0) onProgress?.({ phase: "checking nodes", done: this.#nodes });
      },
      ...(signal && { signal }),
    };
    const { versions, damaged } =
      manifest === undefined ? { versions: [], damaged: new Set<string>() } : await checkVersions(manifest, context);
    const trees = new TreeCheck(context);
    const damagedGenerations: bigint[] = [];
    // The newest first, so that findings name the newest version they concern.
    for (const version of versions.toReversed()) {
      if (!(await trees.check(version.root, version.generation))) damagedGenerations.unshift(version.generation);
    }
    if (deep) await this.#readValues();
    if (newest !== undefined) {
      await this.#checkSurroundings(newest, new Set(versions.map(({ generation }) => generation)));
    }
    return {
      isSound: this.#findings.count("error") === 0,
      findings: this.#findings.list,
      counts: this.#findings.counts,
      versions: versions.length,
      nodes: trees.nodes,
      keys: versions.at(-1)?.root.statistics.numKeys ?? 0n,
      ...(await this.#totals()),
      damagedGenerations,
      damagedVersionNodes: damaged,
    };
  }

  /** The newest sound manifest that has versions. */
  async #newestManifest(): Promise<SoundManifest | undefined> {
    const files = await storedManifests(this.#store, this.#options.signal);
    const main = files[0];
    if (main === undefined) this.#findings.add("no-manifest", `there is no ${MANIFEST_KEY} in ${this.#store.url}`);
    for (const file of files) await this.#checkManifestFile(file, main?.manifest);
    const newest = files.findLast(hasVersions);
    if (newest === undefined && files.length > 1) {
      this.#findings.add("no-manifest", "none of the numbered manifests can be read");
    }
    return newest;
  }

  async #checkManifestFile(
    { key, bytes, manifest, error, numbered }: ManifestFile,
    main: Manifest | undefined,
  ): Promise<void> {
    if (manifest !== undefined) {
      const change = main && configDifference(main.config, manifest.config);
      if (change !== undefined) this.#findings.add("manifest-mismatch", `${key}: ${change}`, { file: key });
      return;
    }
    const length = await soundLength(bytes, numbered);
    if (length === undefined) this.#findings.add("manifest-damaged", error.message, { file: key });
    else {
      const message = `${key} has ${bytes.length} bytes: a sound manifest of ${length}, and the tail of an older one`;
      this.#findings.add("manifest-stale-tail", message, { file: key, bytes: bytes.length - length });
    }
  }

  #sizeOf(path: string): Promise<number | undefined> {
    let size = this.#sizes.get(path);
    if (size === undefined) {
      const { signal } = this.#options;
      const range = { offset: 0, length: 0 };
      size = this.#store.read(pathToBytes(path), { range, ...(signal && { signal }) }).then((found) => found?.size);
      this.#sizes.set(path, size);
    }
    return size;
  }

  async #readValues(): Promise<void> {
    const { signal, onProgress } = this.#options;
    let done = 0;
    for (const path of this.#usage.paths) {
      const size = await this.#sizeOf(path);
      for (const { start, end } of this.#usage.ranges(path)) {
        for (let offset = start; offset < Math.min(end, size ?? 0); offset += READ_BYTES) {
          const length = Math.min(READ_BYTES, end - offset, size! - offset);
          const found = await this.#store.read(pathToBytes(path), {
            range: { offset, length },
            ...(signal && { signal }),
          });
          if (found?.value.length !== length) {
            const message = `${printablePath(path)}: of ${length} bytes at ${offset} only ${found?.value.length ?? 0} came`;
            this.#findings.add("value-unreadable", message, { file: printablePath(path) });
          }
          done += length;
          onProgress?.({ phase: "reading values", done });
        }
      }
    }
  }

  async #totals(): Promise<Pick<FsckReport, "files" | "fileBytes" | "usedBytes">> {
    let files = 0;
    let fileBytes = 0;
    let usedBytes = 0;
    for (const path of this.#usage.paths) {
      const size = await this.#sizeOf(path);
      if (size === undefined) continue;
      files++;
      fileBytes += size;
      usedBytes += Math.min(size, this.#usage.bytes(path));
    }
    return { files, fileBytes, usedBytes };
  }

  /** Orphans, unused bytes, tags and forks. */
  async #checkSurroundings(newest: SoundManifest, generations: ReadonlySet<bigint>): Promise<void> {
    const { signal, unregistered = [] } = this.#options;
    const { manifest } = newest;
    if (!this.#store.capabilities.list) return;
    for await (const { name, tag, error } of listTags(this.#store, manifest.config.uuid, {
      ...(signal && { signal }),
    })) {
      if (tag === undefined) this.#findings.add("tag", error.message);
      else if (!generations.has(tag.generation)) {
        const { generation } = tag;
        this.#findings.add("tag", `tag ${name} names generation ${generation}, which is gone`, { generation });
      }
    }
    let hasForks = unregistered.length > 0;
    for await (const { error } of listRegistrations(this.#store, signal)) {
      hasForks = true;
      if (error !== undefined) this.#findings.add("fork", error.message);
    }
    // Files are listed before it is looked at who needs them: what a commit adds meanwhile is none of them.
    const files: FoundFile[] = [];
    for await (const file of listDataFiles(this.#store, await this.#ownPrefixes(manifest), signal)) files.push(file);
    const needsLook = hasForks || (await this.#hasOtherManifests(newest));
    const family = needsLook ? await this.#checkFamily(manifest) : undefined;
    // As long as not everything can be read, nobody knows what is needed.
    if (this.#findings.count("error") > 0) return;
    await this.#checkFiles(files, family);
  }

  /** Older numbered ones, or one that was committed meanwhile. */
  async #hasOtherManifests({ key, storeGeneration }: SoundManifest): Promise<boolean> {
    const files = await storedManifests(this.#store, this.#options.signal);
    return files.filter(hasVersions).some((file) => file.key !== key || file.storeGeneration !== storeGeneration);
  }

  /** Where orphans are looked for. */
  async #ownPrefixes({ config }: Manifest): Promise<ReadonlySet<string>> {
    const { prefixes, signal } = this.#options;
    if (prefixes !== undefined) return new Set(prefixes);
    const origin = await readOrigin(this.#store, "refs/", config.uuid, signal);
    if (origin !== undefined) {
      const registration = (await readRegistration(this.#store, origin.id, signal, "refs/base/"))?.value;
      // Inside its base, its files may be needed by versions of the base, which cannot be seen from here.
      const isApart = registration?.uuid === config.uuid && !("path" in registration.location);
      return new Set(isApart ? [forkDataPrefix(origin.id)] : []);
    }
    // A stack that is no fork of ours: which of the files it shows are its own cannot be told.
    if (this.#store.spec?.driver === "kvstack") return new Set();
    const own = new Set<string>(Object.values(DEFAULT_PREFIXES));
    for (const path of this.#usage.paths) {
      const prefix = dataPrefixOf(path);
      if (prefix !== undefined && !prefix.startsWith("forks/")) own.add(prefix);
    }
    return own;
  }

  async #checkFiles(files: readonly FoundFile[], family: CheckedFamily | undefined): Promise<void> {
    for (const { path, bytes } of files) {
      const file = printablePath(path);
      if (!this.#usage.has(path)) {
        if (family?.files.has(path)) continue;
        const size = bytes === undefined ? {} : { bytes };
        this.#findings.add("orphan-file", `no version refers to ${file}; sweep removes it`, { file, ...size });
        continue;
      }
      const size = bytes ?? (await this.#sizeOf(path)) ?? 0;
      const unused = size - this.#usage.bytes(path);
      if (unused <= 0 || family?.neededByOthers.has(path)) continue;
      this.#findings.add("unused-bytes", `${unused} of ${size} bytes of ${file} are not referred to`, {
        file,
        bytes: unused,
      });
    }
  }

  /** What is needed by older manifests and by forks, with what this database needs; what is damaged or cannot be told is a finding. */
  async #checkFamily(manifest: Manifest): Promise<CheckedFamily> {
    const isSound = this.#findings.count("error") === 0;
    const family = await checkFamily(this.#store, { manifest, isSound }, this.#options);
    for (const { fork, message, file } of family.damage) {
      const facts = file === undefined ? {} : { file };
      if (fork === undefined) this.#findings.add("manifest-outdated", message, facts);
      else this.#findings.add("fork", message, { severity: "error", ...facts });
    }
    for (const error of family.unknown) {
      this.#findings.add("fork", `what is called an orphan here may be needed: ${error.message}`);
    }
    return family;
  }
}

/** A file that is a sound manifest. */
type SoundManifest = Extract<ManifestFile, { readonly manifest: Manifest }>;

function hasVersions(file: ManifestFile): file is SoundManifest {
  return file.manifest !== undefined && file.manifest.versions.length > 0;
}

/** Length of the sound manifest that `bytes` begin with; `undefined` when they do not, or when nothing follows it. */
export async function soundLength(bytes: Uint8Array, numbered: bigint | undefined): Promise<number | undefined> {
  const length = envelopeLength(bytes);
  if (length === undefined || length === bytes.length) return undefined;
  try {
    await decodeManifest(bytes.subarray(0, length), numbered === undefined ? {} : { numbered });
    return length;
  } catch (error) {
    if (isOcdbtError(error)) return undefined;
    throw error;
  }
}
