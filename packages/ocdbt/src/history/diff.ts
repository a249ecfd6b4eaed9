/**
 * What differs between two versions, found by walking both trees at once and stepping over every subtree they share: reads
 * are proportional to what changed, not to the number of keys.
 * @module
 */
import { compareKeys, type Key, type KeyRange, listRange } from "@pcg/kvstore";
import type { OcdbtDatabase, VersionSpec } from "../contract.ts";
import type { NodeReader } from "../parts.ts";
import { nodesOf } from "../view/lost-version.ts";
import {
  childNames,
  isSameSubtree,
  isSameValue,
  type StoredValue,
  type Tree,
  TreeCursor,
  type TreeItem,
} from "./tree-cursor.ts";
import { requireVersion } from "./versions.ts";

/** One key that differs. `length` of a value is its size. */
export type Change =
  | { readonly kind: "added"; readonly key: Uint8Array; readonly before?: never; readonly after: StoredValue }
  | { readonly kind: "removed"; readonly key: Uint8Array; readonly before: StoredValue; readonly after?: never }
  | { readonly kind: "changed"; readonly key: Uint8Array; readonly before: StoredValue; readonly after: StoredValue };

export interface DiffOptions {
  readonly prefix?: Key;
  readonly range?: KeyRange;
  /**
   * Also compare the bytes of values that lie in different places but have the same size, and pass over equal ones. Without
   * it a value that was rewritten, or moved by `compact`, counts as changed. Reads both values.
   */
  readonly compareBytes?: boolean;
  readonly signal?: AbortSignal;
}

/** One version of one database, for {@link diffBetween}. */
export interface DatabaseVersion {
  readonly db: OcdbtDatabase;
  /** The newest unless told. */
  readonly version?: VersionSpec;
}

/**
 * The keys that differ between two versions, in bytewise order.
 *
 * ```ts
 * for await (const { kind, key, before, after } of diff(db, { tag: "reviewed" }, { ancestor: 0 })) …
 * ```
 *
 * Memory: a node per level and side.
 *
 * @throws `OcdbtError` `version-not-found`, also when a version expires and is swept while it is walked
 */
export function diff(
  db: OcdbtDatabase,
  before: VersionSpec,
  after: VersionSpec = { ancestor: 0 },
  options: DiffOptions = {},
): AsyncGenerator<Change> {
  return diffBetween({ db, version: before }, { db, version: after }, options);
}

/**
 * The keys that differ between versions of two databases. Shared subtrees are stepped over where both see their files under
 * the same names, as a fork and its base do; between unrelated databases everything is read, and equal values in different
 * files differ unless `compareBytes`.
 */
export async function* diffBetween(
  before: DatabaseVersion,
  after: DatabaseVersion,
  options: DiffOptions = {},
): AsyncGenerator<Change> {
  const [a, b] = await Promise.all([treeOf(before, options.signal), treeOf(after, options.signal)]);
  yield* diffTrees(a, b, options);
}

/** {@link diff} of two trees. */
export async function* diffTrees(before: Tree, after: Tree, options: DiffOptions = {}): AsyncGenerator<Change> {
  const { signal } = options;
  for await (const change of walk(before, after, listRange(options), signal)) {
    if (options.compareBytes && change.kind === "changed" && (await hasSameBytes(change, before, after, signal)))
      continue;
    yield change;
  }
}

/** The bytes of a value. */
export async function valueBytes(nodes: NodeReader, value: StoredValue, signal?: AbortSignal): Promise<Uint8Array> {
  return value instanceof Uint8Array ? value : await nodes.value(value, { ...(signal && { signal }) });
}

async function* walk(
  before: Tree,
  after: Tree,
  range: KeyRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change> {
  const left = new TreeCursor(before, range);
  const right = new TreeCursor(after, range);
  for (;;) {
    signal?.throwIfAborted();
    const a = left.item;
    const b = right.item;
    if (a === undefined && b === undefined) return;
    if (b === undefined || (a !== undefined && endsBefore(a, b))) {
      if (a!.kind === "subtree") await left.expand(signal);
      else {
        yield { kind: "removed", key: a!.key, before: a!.value };
        left.skip();
      }
    } else if (a === undefined || endsBefore(b, a)) {
      if (b.kind === "subtree") await right.expand(signal);
      else {
        yield { kind: "added", key: b.key, after: b.value };
        right.skip();
      }
    } else if (a.kind === "entry" && b.kind === "entry") {
      // Neither comes before the other: the same key.
      if (!isSameValue(a.value, b.value)) yield { kind: "changed", key: a.key, before: a.value, after: b.value };
      left.skip();
      right.skip();
    } else if (isSameSubtree(a, b)) {
      left.skip();
      right.skip();
    } else {
      await lookInside(left, right, heightOf(a) - heightOf(b), signal);
    }
  }
}

/** Only nodes of one height can be the same one, so the higher side is opened until both are level. */
async function lookInside(
  left: TreeCursor,
  right: TreeCursor,
  levels: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (levels > 0) left.enter(await left.read(signal));
  else if (levels < 0) right.enter(await right.read(signal));
  else {
    const [a, b] = await Promise.all([left.read(signal), right.read(signal)]);
    left.enter(a, childNames(b));
    right.enter(b, childNames(a));
  }
}

/** Whether all keys of `a` come before all keys of `b`. */
function endsBefore(a: TreeItem, b: TreeItem): boolean {
  const start = b.kind === "entry" ? b.key : b.lower;
  if (a.kind === "entry") return compareKeys(a.key, start) < 0;
  return a.upper !== undefined && compareKeys(a.upper, start) <= 0;
}

function heightOf(item: TreeItem): number {
  return item.kind === "entry" ? -1 : item.reference.height;
}

async function treeOf(side: DatabaseVersion, signal: AbortSignal | undefined): Promise<Tree> {
  const version = await requireVersion(side.db, side.version ?? { ancestor: 0 }, signal);
  return { nodes: nodesOf(version, side.db.parts), root: version.root };
}

async function hasSameBytes(
  change: Change & { kind: "changed" },
  before: Tree,
  after: Tree,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (change.before.length !== change.after.length) return false;
  const [a, b] = await Promise.all([
    valueBytes(before.nodes, change.before, signal),
    valueBytes(after.nodes, change.after, signal),
  ]);
  return compareKeys(a, b) === 0;
}
