/**
 * The manifest of one database: how fresh an answer is, sharing of requests, and that the configuration never changes under
 * an open handle. Where a manifest lies is decided in `single-manifest` and `numbered-manifest`.
 *
 * Both kinds begin with the key `manifest.ocdbt`. Of a single database it is the manifest, replaced by each commit; of a
 * numbered one it has the configuration only, and each commit creates `manifest.<generation>`.
 * @module
 */
import type { KeyHold, KvStore } from "@pcg/kvstore";
import { configDifference } from "../config-json.ts";
import { OcdbtError } from "../errors.ts";
import { decodeManifest, MANIFEST_KEY } from "../format/index.ts";
import type { Config, Manifest, VersionEntry } from "../format/types.ts";
import type { ManifestStore, StagedManifest, StoredManifest } from "../parts.ts";
import { NumberedManifest } from "./numbered-manifest.ts";
import { unlessAborted } from "./shared-reads.ts";
import { SingleManifest } from "./single-manifest.ts";

/** Looks for a generation in a manifest and its version nodes. */
export type FindVersion = (manifest: Manifest, generation: bigint) => Promise<VersionEntry | undefined>;

/** A place for manifests. */
export interface ManifestPlace {
  /** The newest, or `known` itself when nothing has changed. */
  load(known: StoredManifest | undefined, signal: AbortSignal): Promise<StoredManifest | undefined>;
  replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    options: ReplaceOptions,
  ): Promise<StoredManifest | undefined>;
  stage?(next: Manifest, options: Cancel): Promise<StagedManifest | undefined>;
  /** The key that is written for the manifest `next`; without one: for any that may come, if it is always the same. */
  keyOf(next: Manifest | undefined): string | undefined;
}

/** The manifest store of a database, with what the first commit of a new one asks. */
export interface OpenManifests extends ManifestStore {
  /** The configuration, once a manifest was seen or written. Of a numbered database it exists before its first version. */
  readonly config: Config | undefined;
}

interface Cancel {
  readonly signal?: AbortSignal;
}

export interface ReplaceOptions extends Cancel {
  /** On the key of the manifest. */
  readonly hold?: KeyHold | undefined;
  readonly staged?: StagedManifest | undefined;
}

interface Request {
  /** When it was sent; in the future until then, so that all who ask in the same turn of the event loop share it. */
  askedAt: number;
  readonly answer: Promise<StoredManifest | undefined>;
}

export function openManifests(store: KvStore, findVersion: FindVersion): OpenManifests {
  return new Manifests(store, findVersion);
}

class Manifests implements OpenManifests {
  readonly #store: KvStore;
  readonly #findVersion: FindVersion;
  readonly #never = new AbortController().signal;
  #config: Config | undefined;
  #place: ManifestPlace | undefined;
  #latest: StoredManifest | undefined;
  #running: Request | undefined;
  /** Asked when the one under way has ended, since that one may have been answered already. */
  #queued: Promise<StoredManifest | undefined> | undefined;

  constructor(store: KvStore, findVersion: FindVersion) {
    this.#store = store;
    this.#findVersion = findVersion;
  }

  get config(): Config | undefined {
    return this.#config;
  }

  // Strictly later in both comparisons: clocks may stand still for a while, and 0 means to ask whatever they say.
  cached(maxStalenessMs: number): StoredManifest | undefined {
    const latest = this.#latest;
    return latest !== undefined && latest.asOf > performance.now() - maxStalenessMs ? latest : undefined;
  }

  async read(options: Cancel & { readonly maxStalenessMs?: number } = {}): Promise<StoredManifest | undefined> {
    const { maxStalenessMs = 0, signal } = options;
    signal?.throwIfAborted();
    const cached = this.cached(maxStalenessMs);
    if (cached !== undefined) return cached;
    const answer = this.#request(performance.now() - maxStalenessMs);
    return signal === undefined ? await answer : await unlessAborted(answer, signal);
  }

  async replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    options: ReplaceOptions = {},
  ): Promise<StoredManifest | undefined> {
    options.signal?.throwIfAborted();
    if (this.#config !== undefined) this.#checkConfig(next.config);
    const place = this.#place ?? this.#placeOf(next.config);
    const stored = await place.replace(previous, next, options);
    if (stored === undefined) return undefined;
    this.#place = place;
    this.#keep(stored);
    return stored;
  }

  async stage(next: Manifest, options: Cancel = {}): Promise<StagedManifest | undefined> {
    return await (this.#place ?? this.#placeOf(next.config)).stage?.(next, options);
  }

  async hold({ next, signal }: Cancel & { readonly next?: Manifest } = {}): Promise<KeyHold | undefined> {
    const place = this.#place ?? (next && this.#placeOf(next.config));
    const key = place?.keyOf(next);
    return key === undefined ? undefined : await this.#store.hold?.(key, signal && { signal });
  }

  #request(oldestAcceptable: number): Promise<StoredManifest | undefined> {
    if (this.#running !== undefined && this.#running.askedAt > oldestAcceptable) return this.#running.answer;
    if (this.#running === undefined) return this.#ask();
    this.#queued ??= this.#running.answer.then(
      () => this.#askNext(),
      () => this.#askNext(),
    );
    return this.#queued;
  }

  #askNext(): Promise<StoredManifest | undefined> {
    this.#queued = undefined;
    return this.#running === undefined ? this.#ask() : this.#request(performance.now());
  }

  #ask(): Promise<StoredManifest | undefined> {
    const answer = Promise.resolve()
      .then(() => {
        request.askedAt = performance.now();
        return this.#load(request.askedAt);
      })
      .finally(() => {
        this.#running = undefined;
      });
    // Those who wait see a failure; when all have left, nobody is to be told.
    answer.catch(() => {});
    const request: Request = { askedAt: Number.POSITIVE_INFINITY, answer };
    this.#running = request;
    return answer;
  }

  async #load(askedAt: number): Promise<StoredManifest | undefined> {
    const known = this.#latest;
    if (this.#place === undefined) {
      const found = await this.#store.read(MANIFEST_KEY);
      if (found === undefined) return undefined;
      const manifest = await decodeManifest(found.value, { file: MANIFEST_KEY });
      this.#config = manifest.config;
      this.#place = this.#placeOf(manifest.config);
      if (manifest.config.manifestKind === "single") {
        return this.#keep({ manifest, token: found.generation, asOf: askedAt });
      }
    }
    const loaded = await this.#place.load(known, this.#never);
    if (loaded === undefined) {
      if (known !== undefined) throw this.#gone();
      return undefined;
    }
    if (loaded === known) return this.#keep({ ...known, asOf: askedAt });
    this.#checkConfig(loaded.manifest.config);
    return this.#keep({ ...loaded, asOf: askedAt });
  }

  /** Answers may overtake one another: generations only grow, so that the newest stays. */
  #keep(stored: StoredManifest): StoredManifest {
    this.#config ??= stored.manifest.config;
    const known = this.#latest;
    if (known !== undefined && newestGeneration(known) > newestGeneration(stored)) return known;
    this.#latest = stored;
    return stored;
  }

  #placeOf(config: Config): ManifestPlace {
    return config.manifestKind === "single"
      ? new SingleManifest(this.#store, this.#findVersion)
      : new NumberedManifest(this.#store, this.#findVersion);
  }

  #checkConfig(found: Config): void {
    const change = configDifference(this.#config!, found);
    if (change === undefined) return;
    throw new OcdbtError(
      "config-mismatch",
      `the database in ${this.#store.url} is not the one that was opened: ${change}; open it again`,
      { fields: { url: this.#store.url } },
    );
  }

  #gone(): OcdbtError {
    return new OcdbtError(
      "not-found",
      `the database in ${this.#store.url} has been removed since it was opened; open it again to make a new one`,
      { fields: { url: this.#store.url } },
    );
  }
}

function newestGeneration({ manifest }: StoredManifest): bigint {
  return manifest.versions.at(-1)?.generation ?? 0n;
}
