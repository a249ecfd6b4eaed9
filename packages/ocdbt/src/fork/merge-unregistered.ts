/**
 * Merging forks that nobody registered: those that were made by hand, or by other programs, as a copy of the base's manifest over a stack of stores.
 * Nothing is known of them but what their history says.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import type { StoredValue } from "../history/tree-cursor.ts";
import { requireVersion, versions } from "../history/versions.ts";
import { fileName } from "../io/node-reader.ts";
import { isSameVersion } from "../io/own-version.ts";
import { fromManifest } from "../view/lost-version.ts";
import { findGeneration } from "../view/resolve-version.ts";
import { agreedVersion, bringOver, type MergeOptions, type MergeResult, type Sides, sideOf } from "./merge.ts";
import type { Agreement } from "./registry.ts";
import { ValueCopies } from "./value-copies.ts";

export interface MergeUnregisteredOptions extends Omit<MergeOptions, "folder"> {
  /** What both last agreed on: as an earlier merge answered. Unless told, the newest version that is in both histories. */
  readonly agreed?: Agreement;
}

export interface UnregisteredMerge extends MergeResult {
  /** What both agree on now, to be given to the next merge: nothing else remembers it. */
  readonly agreed: Agreement;
}

/**
 * Merges what a fork changed that was not made by `fork` into its base: one version of the base, or none. Values in files that the base has are referred to,
 * all others are copied. Such a fork is no fork to `expire` and `sweep` of the base: name it there with `unregistered`.
 *
 * If the version where the fork began has expired in either history, an older one is taken: keys that only the base changed since can then be in
 * conflict, but nothing is lost.
 *
 * @param fork opened by the specification that its program published.
 * @example const { agreed } = await mergeUnregistered(base, await openOcdbt(stack, { dataPrefix: "42_d/", create: false }));
 * @throws {@link OcdbtError} `version-not-found` when the histories have nothing in common, or what both agreed on has expired.
 */
export async function mergeUnregistered(
  base: OcdbtDatabase,
  fork: OcdbtDatabase,
  options: MergeUnregisteredOptions = {},
): Promise<UnregisteredMerge> {
  const { signal } = options;
  const newest = await requireVersion(fork, { ancestor: 0 }, signal);
  const agreed = options.agreed ?? (await commonVersion(base, fork, signal));
  // All that both can name has the same name in both.
  const together: Pick<Sides, "fork" | "names"> = { fork, names: { inBase: (value) => value } };
  const side = agreed.on === "fork" ? fork : base;
  const ancestor = sideOf(side, await agreedVersion(side, agreed[agreed.on], signal), together);
  const sides: Sides = { ...together, target: base, agreed: agreed.base, source: fork, newest, ancestor };
  const copies = new ValueCopies(fork, base, signal);
  const files = new FilesOf(base, signal);
  const result = await bringOver(sides, { ...options, apart: copies }, (changes) =>
    copies.place(changes, (value) => files.named(value)),
  );
  if (!result.merged) return { ...result, agreed };
  return { ...result, agreed: { on: "fork", fork: newest.generation, base: result.head!.generation } };
}

/** Versions are the same when number, time and root are: roots have random names. */
async function commonVersion(
  base: OcdbtDatabase,
  fork: OcdbtDatabase,
  signal: AbortSignal | undefined,
): Promise<Agreement> {
  const { manifests, nodes } = base.parts;
  const cancel = { ...(signal && { signal }) };
  for await (const version of versions(fork, cancel)) {
    const { generation } = version;
    const own = await fromManifest(manifests, { maxStalenessMs: 1000, ...cancel }, async (stored) => {
      return stored && (await findGeneration(stored.manifest, generation, nodes, cancel));
    });
    if (own !== undefined && isSameVersion(own, version)) return { on: "base", fork: generation, base: generation };
  }
  const message =
    `${fork.url} and ${base.url} have no version in common: it is no fork of it, or where it began has expired; if you know a version ` +
    "whose contents both had, pass it as agreed";
  throw new OcdbtError("version-not-found", message, { fields: { base: base.url, fork: fork.url } });
}

/** Which of a fork's values lie in files that the base sees, too. Names of data files are random, so equal ones are the same file. */
class FilesOf {
  readonly #base: OcdbtDatabase;
  readonly #signal: AbortSignal | undefined;
  readonly #present = new Map<string, Promise<boolean>>();

  constructor(base: OcdbtDatabase, signal: AbortSignal | undefined) {
    this.#base = base;
    this.#signal = signal;
  }

  async named(value: StoredValue): Promise<StoredValue | undefined> {
    if (value instanceof Uint8Array) return value;
    const path = fileName(value.file);
    let present = this.#present.get(path);
    if (present === undefined) {
      const signal = this.#signal;
      const range = { offset: 0, length: 0 };
      present = this.#base.parts.store
        .read(pathToBytes(path), { range, ...(signal && { signal }) })
        .then((found) => found !== undefined);
      this.#present.set(path, present);
    }
    return (await present) ? value : undefined;
  }
}
