/**
 * Bringing a fork and its base together, either way. Values go by reference wherever the receiving side can name the file:
 *
 * - the base's files have the same names in a fork, so {@link updateFork} never copies;
 * - the files of a fork inside its base (`forks/<id>/`) are `forks/<id>/<id>_d/…` to the base, for us, TensorStore and
 *   Neuroglancer alike, so {@link merge} does not copy either; from then on the base needs these files, and dropping the
 *   fork leaves them;
 * - the files of a fork elsewhere are out of the base's reach: values are copied.
 *
 * Nodes of a fork refer to files of both by the fork's names, so the base cannot use them: a merge always writes those nodes
 * of its own tree that lie above what changed, also when it could be a fast-forward.
 * @module
 */
import { ChangeSet } from "../commit/changes.ts";
import type { Head, OcdbtDatabase } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import type { BtreeNodeReference, VersionEntry } from "../format/types.ts";
import { applyChanges, type CommittedTree, commitTree, headOf, isSameTree } from "../history/commit-tree.ts";
import type { Change } from "../history/diff.ts";
import type { CommitMessage } from "../history/messages.ts";
import type { StoredValue } from "../history/tree-cursor.ts";
import { requireVersion } from "../history/versions.ts";
import type { WrittenApart } from "../parts.ts";
import { nodesOf } from "../view/lost-version.ts";
import { forkDataPrefix } from "./layout.ts";
import { type FindFork, openFork } from "./open.ts";
import { type ForkRegistration, readRegistration, updateRegistration } from "./registry.ts";
import { type MergeConflict, type Side, threeWay } from "./three-way.ts";
import { ValueCopies } from "./value-copies.ts";

export interface MergeOptions extends FindFork, CommitMessage {
  /**
   * What becomes of keys that both sides changed: `fail`, nothing is merged at all (unless told otherwise); `ours`, the side
   * that is merged into keeps its own; `theirs`, it takes the other's.
   */
  readonly onConflict?: "fail" | "ours" | "theirs";
  /** Only look what would happen. */
  readonly dryRun?: boolean;
}

export interface MergeResult {
  /** `false`: conflicts stood in the way, or it was a dry run; nothing was changed. */
  readonly merged: boolean;
  /** Newest version of the side that is merged into. */
  readonly head: Head | undefined;
  /** Keys that changed, or would; not counted when everything was taken by one reference. */
  readonly keys?: number;
  /** Keys both sides changed, whatever became of them. */
  readonly conflicts: readonly MergeConflict[];
  /** The side that is merged into had not changed since both last agreed. */
  readonly fastForward: boolean;
}

/**
 * Merges what a fork changed since both last agreed into its base: one version of the base, or none. Both agreed where the
 * fork began, and from then on on what was last merged or updated; a key is in conflict when both changed it since, and not
 * to the same. Memory is proportional to the number of changed keys, and 64 MiB of values when they have to be copied.
 *
 * If the process ends after the merge and before it is recorded, the next time begins where this one began: keys that the
 * fork changes once more can be in conflict with themselves, to be looked at, but nothing is lost.
 *
 * @throws {@link OcdbtError} `not-found`; `version-not-found` when the version both last agreed on has expired.
 */
export async function merge(base: OcdbtDatabase, id: string, options: MergeOptions = {}): Promise<MergeResult> {
  return await withFork(base, id, options, async (both) => {
    const { fork, names } = both;
    const copies = new ValueCopies(fork, base, options.signal);
    const newest = await requireVersion(fork, { ancestor: 0 }, options.signal);
    const sides: Sides = { ...both, target: base, agreed: both.agreed.base, source: fork, newest };
    const result = await bringOver(sides, { ...options, apart: copies }, async (changes) => {
      const lent = changes.some(({ after }) => after !== undefined && names.isOwn(after));
      if (lent && names.areInside) await lendFiles(base, id, options.signal);
      return await copies.place(changes, (value) => names.inBase(value));
    });
    return await recorded(base, id, result, { on: "fork", fork: newest.generation }, options.signal);
  });
}

/**
 * Merges what the base changed since both last agreed into the fork. If the fork itself has not changed since, this takes
 * one reference, whatever the number of keys.
 *
 * @throws {@link OcdbtError} as {@link merge}.
 */
export async function updateFork(base: OcdbtDatabase, id: string, options: MergeOptions = {}): Promise<MergeResult> {
  return await withFork(base, id, options, async (both) => {
    const newest = await requireVersion(base, { ancestor: 0 }, options.signal);
    const { fork, agreed } = both;
    const sides: Sides = { ...both, target: fork, agreed: agreed.fork, source: base, newest, whole: newest.root };
    const result = await bringOver(sides, options, async (changes) => asChangeSet(changes));
    return await recorded(base, id, result, { on: "base", base: newest.generation }, options.signal);
  });
}

/** A fork, its base, and what they agreed on. */
interface Both {
  readonly fork: OcdbtDatabase;
  readonly names: ForkNames;
  /** Of each side, the newest version at that time. */
  readonly agreed: { readonly fork: bigint; readonly base: bigint };
  readonly ancestor: Side;
}

/** What is to be brought over, from where to where. */
export interface Sides extends Pick<Both, "fork" | "ancestor"> {
  readonly names: Pick<ForkNames, "inBase">;
  readonly target: OcdbtDatabase;
  /** Of the target, the newest version when both last agreed. */
  readonly agreed: bigint;
  readonly source: OcdbtDatabase;
  /** Of the source. */
  readonly newest: VersionEntry;
  /** The tree of `newest`, when the target can have it as it is. */
  readonly whole?: BtreeNodeReference;
}

/** What a pass over both lines of change found. */
interface Plan {
  readonly changes: readonly Change[];
  readonly conflicts: readonly MergeConflict[];
  readonly isStopped: boolean;
  readonly fastForward: boolean;
}

/** @param options `apart`: what `place` writes. @param place makes what is taken fit for the target, once it is sure that it is taken. */
export async function bringOver(
  sides: Sides,
  options: Omit<MergeOptions, "folder"> & { readonly apart?: WrittenApart },
  place: (changes: readonly Change[]) => Promise<ChangeSet>,
): Promise<MergeResult> {
  const { target, whole, ancestor } = sides;
  if (options.dryRun) {
    const head = await requireVersion(target, { ancestor: 0 }, options.signal);
    return resultOf(await planOf(sides, head, options), { head: headOf(head), written: false }, false);
  }
  let plan: Plan | undefined;
  const committed = await commitTree(
    target,
    async ({ root, version }, writer) => {
      plan = undefined;
      if (whole !== undefined && isSameTree(root, ancestor.root)) return whole;
      plan = await planOf(sides, version!, options);
      if (plan.isStopped || plan.changes.length === 0) return undefined;
      return await applyChanges(target, root, await place(plan.changes), writer, options.signal);
    },
    options,
  );
  return resultOf(plan, committed, plan === undefined || !plan.isStopped);
}

async function planOf(
  sides: Sides,
  current: VersionEntry,
  options: Pick<MergeOptions, "onConflict" | "signal">,
): Promise<Plan> {
  const { target, source, newest, ancestor } = sides;
  const { onConflict = "fail", signal } = options;
  const changes: Change[] = [];
  const conflicts: MergeConflict[] = [];
  const [ours, theirs] = [sideOf(target, current, sides), sideOf(source, newest, sides)];
  for await (const step of threeWay(ancestor, ours, theirs, signal)) {
    if (step.kind === "conflict") conflicts.push(step.conflict);
    if (step.kind === "take" || onConflict === "theirs") changes.push(step.change);
  }
  return {
    changes,
    conflicts,
    isStopped: conflicts.length > 0 && onConflict === "fail",
    fastForward: current.generation === sides.agreed,
  };
}

function resultOf(plan: Plan | undefined, { head }: CommittedTree, merged: boolean): MergeResult {
  if (plan === undefined) return { merged, head, conflicts: [], fastForward: true };
  const { changes, conflicts, fastForward } = plan;
  return { merged, head, keys: changes.length, conflicts, fastForward };
}

function asChangeSet(changes: readonly Change[]): ChangeSet {
  const set = new ChangeSet();
  for (const { key, after } of changes) set.set({ key, value: after ?? null });
  return set;
}

/** The names of the base are good for both, but for files of the fork. */
export function sideOf(db: OcdbtDatabase, version: VersionEntry, { fork, names }: Pick<Sides, "fork" | "names">): Side {
  const named = db === fork ? (value: StoredValue) => names.inBase(value) ?? value : (value: StoredValue) => value;
  return { nodes: nodesOf(version, db.parts), root: version.root, named };
}

/** What a fork's value is called in the base. */
class ForkNames {
  readonly #own: string;
  readonly #path: string | undefined;

  constructor({ id, location }: ForkRegistration) {
    this.#own = forkDataPrefix(id);
    this.#path = "path" in location ? location.path : undefined;
  }

  get areInside(): boolean {
    return this.#path !== undefined;
  }

  /** Whether the value lies in a file of the fork. */
  isOwn(value: StoredValue): boolean {
    return !(value instanceof Uint8Array) && pathOf(value).startsWith(this.#own);
  }

  inBase(value: StoredValue): StoredValue | undefined {
    if (value instanceof Uint8Array || !this.isOwn(value)) return value;
    if (this.#path === undefined) return undefined;
    return { ...value, file: { basePath: "", relativePath: this.#path + pathOf(value) } };
  }
}

function pathOf({ file }: Exclude<StoredValue, Uint8Array>): string {
  return file.basePath + file.relativePath;
}

async function withFork(
  base: OcdbtDatabase,
  id: string,
  options: FindFork,
  work: (both: Both) => Promise<MergeResult>,
): Promise<MergeResult> {
  const { folder, signal } = options;
  const { store } = base.parts;
  const fork = await openFork(store, id, { ...(folder && { folder }), ...(signal && { signal }) });
  try {
    const registration = (await readRegistration(store, id, signal))?.value;
    if (registration === undefined) {
      const message = `fork ${id} is not registered in ${store.url}: where it began is not known, so it cannot be merged`;
      throw new OcdbtError("not-found", message, { fields: { id } });
    }
    const names = new ForkNames(registration);
    const { generation } = registration.base;
    const agreed = registration.agreed ?? { on: "base", fork: generation, base: generation };
    const db = agreed.on === "fork" ? fork : base;
    const ancestor = sideOf(db, await agreedVersion(db, agreed[agreed.on], signal), { fork, names });
    return await work({ fork, names, agreed, ancestor });
  } finally {
    await fork.close();
  }
}

/** @throws `OcdbtError` `version-not-found` when it has expired */
export async function agreedVersion(
  db: OcdbtDatabase,
  generation: bigint,
  signal: AbortSignal | undefined,
): Promise<VersionEntry> {
  try {
    return await requireVersion(db, { generation }, signal);
  } catch (cause) {
    if (!isOcdbtError(cause, "version-not-found")) throw cause;
    const message = `generation ${generation} of ${db.url}, where fork and base last agreed, has expired; what changed since is not known`;
    throw new OcdbtError("version-not-found", message, { fields: { generation }, cause });
  }
}

/** From now on the base may refer to the fork's files. */
async function lendFiles(base: OcdbtDatabase, id: string, signal: AbortSignal | undefined): Promise<void> {
  const { store } = base.parts;
  if ((await readRegistration(store, id, signal))?.value.lendsFiles) return;
  const lend = (registration: ForkRegistration): ForkRegistration => {
    if (!registration.dropping) return { ...registration, lendsFiles: true };
    throw new OcdbtError("not-found", `fork ${id} is being dropped`, { fields: { id } });
  };
  await updateRegistration(store, id, lend, signal);
}

/** Keeps what both agree on now: all of the side that was merged is in the other. */
async function recorded(
  base: OcdbtDatabase,
  id: string,
  result: MergeResult,
  merged: { readonly on: "fork"; readonly fork: bigint } | { readonly on: "base"; readonly base: bigint },
  signal: AbortSignal | undefined,
): Promise<MergeResult> {
  if (!result.merged) return result;
  const { generation } = result.head!;
  const agreed = merged.on === "fork" ? { ...merged, base: generation } : { ...merged, fork: generation };
  await updateRegistration(base.parts.store, id, (registration) => ({ ...registration, agreed }), signal);
  return result;
}
