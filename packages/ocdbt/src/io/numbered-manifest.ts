/**
 * Manifests that are one value per version, `manifest.<generation>`, for stores that can create but not replace on a
 * condition. The newest is found by listing.
 * @module
 */
import { type Generation, isKvStoreError, type KvStore, keyBytes, keyText } from "@pcg/kvstore";
import { configDifference } from "../config-json.ts";
import { OcdbtError } from "../errors.ts";
import {
  decodeManifest,
  encodeManifest,
  MANIFEST_KEY,
  numberedManifestKey,
  parseNumberedManifestKey,
} from "../format/index.ts";
import type { Config, Manifest } from "../format/types.ts";
import type { StoredManifest } from "../parts.ts";
import type { FindVersion, ManifestPlace, ReplaceOptions } from "./manifest-store.ts";
import { hasOwnVersion } from "./own-version.ts";
import { backOff, MAX_TRIES, retryTransient } from "./pause.ts";
import { putIf } from "./put-if.ts";
import { ambiguous } from "./single-manifest.ts";

/** Older manifests are for nobody: readers that listed them have long read them. */
const KEPT_GENERATIONS = 128n;

/** "manifest." followed by a digit; ":" is the character after "9", and hexadecimal letters come after it. */
const FIRST_KEY = keyBytes("manifest.0");
const END_KEY = keyBytes("manifest.:");

interface Cancel {
  readonly signal?: AbortSignal;
}

export class NumberedManifest implements ManifestPlace {
  readonly #store: KvStore;
  readonly #findVersion: FindVersion;

  constructor(store: KvStore, findVersion: FindVersion) {
    this.#store = store;
    this.#findVersion = findVersion;
  }

  async load(known: StoredManifest | undefined, signal: AbortSignal | undefined): Promise<StoredManifest | undefined> {
    const aside = signal === undefined ? {} : { signal };
    const before = known === undefined ? undefined : parseToken(known.token);
    for (let attempt = 1; ; attempt++) {
      const asOf = performance.now();
      const listed = await this.#newest(before?.number ?? 0n, aside);
      // A list may lag behind: what was read before is looked at by its name.
      const newest = listed ?? before?.number;
      if (newest === undefined) return undefined;
      const key = numberedManifestKey(newest);
      // The same number may be that of another database, which was made in the place of this one.
      const found =
        newest === before?.number
          ? await this.#store.read(key, { ifNotGeneration: before.generation, ...aside })
          : await this.#store.read(key, aside);
      if (found === "unchanged") return known;
      if (found !== undefined) {
        const token = printToken({ number: newest, generation: found.generation });
        return { manifest: await decodeManifest(found.value, { file: key, numbered: newest }), token, asOf };
      }
      if (listed === undefined) return undefined;
      // Removed as old while we looked: there are newer ones.
      if (attempt === MAX_TRIES) {
        throw new OcdbtError(
          "corrupt",
          `${key} in ${this.#store.url} is listed, but cannot be read; is the list out of date?`,
          { fields: { file: key } },
        );
      }
    }
  }

  /** TensorStore takes the lock of the key it creates, and no other. */
  keyOf(next: Manifest | undefined): string | undefined {
    return next && numberedManifestKey(next.versions.at(-1)!.generation);
  }

  async replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    { signal, hold }: ReplaceOptions,
  ): Promise<StoredManifest | undefined> {
    const aside = signal === undefined ? {} : { signal };
    const own = next.versions.at(-1)!;
    const before = previous === undefined ? undefined : parseToken(previous.token);
    const number = (before?.number ?? 0n) + 1n;
    if (own.generation !== number) {
      throw new RangeError(`the next numbered manifest must be that of generation ${number}, not ${own.generation}`);
    }
    if (previous === undefined && !(await this.#createConfig(next.config, signal))) return undefined;
    if (before !== undefined && !(await this.#isStill(before, aside))) return undefined;
    const key = numberedManifestKey(own.generation);
    const outcome = await putIf(this.#store, key, await encodeManifest(next), null, {
      ...aside,
      ...(hold && { hold }),
    });
    if (outcome.kind === "unknown") throw ambiguous(this.#store.url, outcome.error);
    // Created or not, the newest manifest tells: a writer that slept may create a number that was used and removed.
    const found = await this.#confirm(own.generation, signal);
    if (!(await hasOwnVersion(found.manifest, previous, next, this.#findVersion))) {
      // What was created after all refers to files that are about to be removed.
      if (outcome.kind === "written") await this.#store.write(key, null);
      return undefined;
    }
    await this.#removeOld(own.generation, aside);
    return outcome.kind === "written" && !outcome.recovered ? found : { ...found, recovered: true };
  }

  /** Whether a manifest is the one that was read, and not one of a database made in the place of this one. */
  async #isStill({ number, generation }: Token, aside: Cancel): Promise<boolean> {
    const key = numberedManifestKey(number);
    const read = () => this.#store.read(key, { ifNotGeneration: generation, ...aside });
    return (await retryTransient(read, aside.signal)) === "unchanged";
  }

  /** The newest manifest, of generation `least` or later: one of that number is there. A list that lags behind is asked again. */
  async #confirm(least: bigint, signal: AbortSignal | undefined): Promise<StoredManifest> {
    try {
      for (let attempt = 1; ; attempt++) {
        const found = await retryTransient(() => this.load(undefined, signal), signal);
        if (found !== undefined && parseToken(found.token).number >= least) return found;
        if (attempt === MAX_TRIES)
          throw new Error(`the list of manifests does not show ${numberedManifestKey(least)} yet`);
        await backOff(attempt + 3, signal);
      }
    } catch (error) {
      throw ambiguous(this.#store.url, error);
    }
  }

  /** Makes `manifest.ocdbt`. @returns whether it is there with this configuration. */
  async #createConfig(config: Config, signal: AbortSignal | undefined): Promise<boolean> {
    const bytes = await encodeManifest({ config, versions: [], versionNodes: [] });
    const outcome = await putIf(this.#store, MANIFEST_KEY, bytes, null, signal && { signal });
    // There is no version yet, so nothing can have been committed.
    if (outcome.kind === "unknown") throw outcome.error;
    if (outcome.kind === "written") return true;
    if (outcome.found === undefined) return false;
    const stored = await decodeManifest(outcome.found.value, { file: MANIFEST_KEY });
    return configDifference(stored.config, config) === undefined;
  }

  async #newest(from: bigint, aside: Cancel): Promise<bigint | undefined> {
    let newest: bigint | undefined;
    const start = from === 0n ? FIRST_KEY : keyBytes(numberedManifestKey(from));
    for await (const { key } of this.#store.list({ range: { start, end: END_KEY }, ...aside })) {
      newest = parseNumberedManifestKey(keyText(key) ?? "") ?? newest;
    }
    return newest;
  }

  async #removeOld(generation: bigint, aside: Cancel): Promise<void> {
    if (generation <= KEPT_GENERATIONS) return;
    const end = keyBytes(numberedManifestKey(generation - KEPT_GENERATIONS));
    try {
      await this.#store.deleteRange({ start: FIRST_KEY, end }, aside);
    } catch (error) {
      // The commit is made; a later one removes them.
      if (!isKvStoreError(error, "transient")) throw error;
    }
  }
}

/** Which manifest it is, and that it is the very one that was read. */
interface Token {
  readonly number: bigint;
  /** Of the base store. */
  readonly generation: Generation;
}

function printToken({ number, generation }: Token): string {
  return `${number}@${generation}`;
}

function parseToken(token: string): Token {
  const at = token.indexOf("@");
  return { number: BigInt(token.slice(0, at)), generation: token.slice(at + 1) };
}
