/**
 * A manifest that is one value, replaced on the condition that it is still the one read before.
 * @module
 */
import { isKvStoreError, type KvStore, type ReadResult } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { decodeManifest, encodeManifest, MANIFEST_KEY } from "../format/index.ts";
import type { Manifest } from "../format/types.ts";
import type { StoredManifest } from "../parts.ts";
import type { FindVersion, ManifestPlace } from "./manifest-store.ts";
import { hasOwnVersion } from "./own-version.ts";
import { backOff } from "./pause.ts";

/** How often a write whose answer is lost is sent again. */
const MAX_SENDS = 8;

export class SingleManifest implements ManifestPlace {
  readonly #store: KvStore;
  readonly #findVersion: FindVersion;

  constructor(store: KvStore, findVersion: FindVersion) {
    this.#store = store;
    this.#findVersion = findVersion;
  }

  async load(known: StoredManifest | undefined, signal: AbortSignal): Promise<StoredManifest | undefined> {
    const asOf = performance.now();
    const found =
      known === undefined
        ? await this.#store.read(MANIFEST_KEY, { signal })
        : await this.#store.read(MANIFEST_KEY, { signal, ifNotGeneration: known.token });
    if (found === "unchanged") return known;
    if (found === undefined) return undefined;
    return { manifest: await decodeManifest(found.value, { file: MANIFEST_KEY }), token: found.generation, asOf };
  }

  async replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    signal: AbortSignal | undefined,
  ): Promise<StoredManifest | undefined> {
    const bytes = await encodeManifest(next);
    const aside = signal === undefined ? {} : { signal };
    let ifGeneration = previous?.token ?? null;
    for (let send = 1; ; send++) {
      const asOf = performance.now();
      let failure: unknown;
      try {
        const result = await this.#store.write(MANIFEST_KEY, bytes, { ifGeneration, ...aside });
        if (result.written) return { manifest: next, token: result.generation!, asOf };
      } catch (error) {
        if (!isKvStoreError(error, "transient", "ambiguous")) throw error;
        failure = error;
      }
      const found = await this.#look(failure, aside);
      if (found !== undefined && equal(found.value, bytes)) {
        return { manifest: next, token: found.generation, asOf, recovered: true };
      }
      if (failure !== undefined && (found?.generation ?? null) === ifGeneration) {
        // Not written so far. Sent again under the same condition, at most one of the requests can succeed.
      } else if (failure !== undefined && found !== undefined && isStump(found.value, bytes)) {
        // A store that is not atomic broke off in the middle of our write.
        ifGeneration = found.generation;
      } else {
        if (found === undefined) return undefined;
        const manifest = await decodeManifest(found.value, { file: MANIFEST_KEY });
        const isOurs = await hasOwnVersion(manifest, previous, next, this.#findVersion);
        return isOurs ? { manifest, token: found.generation, asOf, recovered: true } : undefined;
      }
      if (send >= MAX_SENDS) throw failure;
      await backOff(send, signal);
    }
  }

  /** What is there now; when even that cannot be told, the outcome is unknown and said to be. */
  async #look(failure: unknown, aside: { readonly signal?: AbortSignal }): Promise<ReadResult | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#store.read(MANIFEST_KEY, aside);
      } catch (error) {
        if (isKvStoreError(error, "transient") && attempt < MAX_SENDS) {
          await backOff(attempt, aside.signal);
          continue;
        }
        if (failure === undefined) throw error;
        throw ambiguous(this.#store.url, error);
      }
    }
  }
}

export function ambiguous(url: string, cause: unknown): OcdbtError {
  return new OcdbtError(
    "ambiguous",
    `the answer to a commit in ${url} was lost, and the manifest cannot be read to see whether it was made; look at the ` +
      "newest versions before doing it again",
    { fields: { url }, cause },
  );
}

function isStump(found: Uint8Array, whole: Uint8Array): boolean {
  return found.length < whole.length && equal(found, whole.subarray(0, found.length));
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
