/**
 * A manifest that is one value, replaced on the condition that it is still the one read before.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { decodeManifest, encodeManifest, MANIFEST_KEY } from "../format/index.ts";
import type { Manifest } from "../format/types.ts";
import type { StagedManifest, StoredManifest } from "../parts.ts";
import type { FindVersion, ManifestPlace, ReplaceOptions } from "./manifest-store.ts";
import { hasOwnVersion } from "./own-version.ts";
import { putIf } from "./put-if.ts";

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

  keyOf(): string {
    return MANIFEST_KEY;
  }

  async stage(next: Manifest, options: { readonly signal?: AbortSignal }): Promise<StagedManifest | undefined> {
    if (this.#store.stage === undefined) return undefined;
    const bytes = await encodeManifest(next);
    const value = await this.#store.stage(MANIFEST_KEY, bytes, options);
    return value && { bytes, value };
  }

  async replace(
    previous: StoredManifest | undefined,
    next: Manifest,
    { signal, hold, staged }: ReplaceOptions,
  ): Promise<StoredManifest | undefined> {
    const asOf = performance.now();
    const bytes = staged?.bytes ?? (await encodeManifest(next));
    const outcome = await putIf(this.#store, MANIFEST_KEY, bytes, previous?.token ?? null, {
      ...(signal && { signal }),
      ...(hold && { hold }),
      ...(staged && { staged: staged.value }),
    });
    if (outcome.kind === "unknown") throw ambiguous(this.#store.url, outcome.error);
    if (outcome.kind === "written") {
      const { generation, recovered } = outcome;
      return { manifest: next, token: generation, asOf, ...(recovered && { recovered }) };
    }
    const { found } = outcome;
    if (found === undefined) return undefined;
    const manifest = await decodeManifest(found.value, { file: MANIFEST_KEY });
    const isOurs = await hasOwnVersion(manifest, previous, next, this.#findVersion);
    return isOurs ? { manifest, token: found.generation, asOf, recovered: true } : undefined;
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
