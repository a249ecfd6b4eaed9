/**
 * When one key changed: its path is followed in version after version, as far as the first subtree that the newer version
 * has too.
 * @module
 */
import { type Key, keyBytes } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import type { VersionEntry } from "../format/types.ts";
import { nodesOf } from "../view/lost-version.ts";
import { isSameValue, justBy, type StoredValue, TreeCursor } from "./tree-cursor.ts";
import { type VersionRange, versions } from "./versions.ts";

/** A version at which the key changed. */
export interface KeyChange {
  readonly version: VersionEntry;
  /** `kept`: the oldest version that was looked at has the key already. */
  readonly kind: "added" | "changed" | "removed" | "kept";
  /** What the key had from then on; `undefined`: it was removed. */
  readonly value: StoredValue | undefined;
}

/**
 * The versions at which a key changed, newest first: who set it, when, and to what. Of each version at least the root is
 * read, unless it is that of its neighbour.
 */
export async function* keyHistory(
  db: OcdbtDatabase,
  key: Key,
  options: VersionRange & { readonly signal?: AbortSignal } = {},
): AsyncGenerator<KeyChange> {
  const path = new KeyPath(db, keyBytes(key), options.signal);
  let newer: { readonly version: VersionEntry; readonly value: StoredValue | undefined } | undefined;
  for await (const version of versions(db, options)) {
    const value = await path.valueAt(version);
    if (newer !== undefined && !isSame(newer.value, value)) {
      yield { ...newer, kind: newer.value === undefined ? "removed" : value === undefined ? "added" : "changed" };
    }
    newer = { version, value };
  }
  if (newer?.value === undefined) return;
  yield { ...newer, kind: newer.version.generation === 1n ? "added" : "kept" };
}

/** Remembers the subtrees on the path of the last look-up: whatever else they hold, of the key they have what it had. */
class KeyPath {
  readonly #db: OcdbtDatabase;
  readonly #key: Uint8Array;
  readonly #signal: AbortSignal | undefined;
  #path: readonly string[] = [];
  #value: StoredValue | undefined;

  constructor(db: OcdbtDatabase, key: Uint8Array, signal: AbortSignal | undefined) {
    this.#db = db;
    this.#key = key;
    this.#signal = signal;
  }

  async valueAt(version: VersionEntry): Promise<StoredValue | undefined> {
    const cursor = new TreeCursor({ nodes: nodesOf(version, this.#db.parts), root: version.root }, justBy(this.#key));
    const path: string[] = [];
    while (cursor.item?.kind === "subtree") {
      const { prefix, reference } = cursor.item;
      const { file, offset, length } = reference.location;
      // The key is the same, so equally long prefixes are the same.
      const name = `${prefix.length}/${offset}+${length}/${file.basePath.length}/${file.basePath}${file.relativePath}`;
      const met = this.#path.indexOf(name);
      if (met >= 0) {
        this.#path = [...path, ...this.#path.slice(met)];
        return this.#value;
      }
      path.push(name);
      cursor.enter(await cursor.read(this.#signal));
    }
    this.#path = path;
    this.#value = cursor.item?.value;
    return this.#value;
  }
}

function isSame(a: StoredValue | undefined, b: StoredValue | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameValue(a, b);
}
