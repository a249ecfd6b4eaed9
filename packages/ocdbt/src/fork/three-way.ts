/**
 * Two databases that once agreed, brought together key by key: what each changed since is walked side by side.
 * @module
 */
import { compareKeys } from "@pcg/kvstore";
import { type Change, diffTrees, valueBytes } from "../history/diff.ts";
import { isSameValue, type StoredValue, type Tree } from "../history/tree-cursor.ts";

/** A tree of one of the databases. */
export interface Side extends Tree {
  /** A value by a name that means the same whichever database it comes from. */
  readonly named: (value: StoredValue) => StoredValue;
}

/** A key that both sides changed, and not to the same. Absent: the key is not there. */
export interface MergeConflict {
  readonly key: Uint8Array;
  /** When both last agreed. */
  readonly ancestor?: StoredValue;
  /** On the side that is merged into. */
  readonly ours?: StoredValue;
  /** On the side that is merged. */
  readonly theirs?: StoredValue;
}

export type MergeStep =
  | { readonly kind: "take"; readonly change: Change }
  | { readonly kind: "conflict"; readonly change: Change; readonly conflict: MergeConflict };

/**
 * What `theirs` changed and `ours` lacks, in order of keys. Only of keys that both touched are values read, and only those
 * of equal size: to have been rewritten with the same bytes is no change, and to have been changed to the same is no
 * conflict.
 */
export async function* threeWay(
  ancestor: Side,
  ours: Side,
  theirs: Side,
  signal: AbortSignal | undefined,
): AsyncGenerator<MergeStep> {
  const own = changesOf(ancestor, ours, signal);
  try {
    let mine = await own.next();
    for await (const change of changesOf(ancestor, theirs, signal)) {
      while (!mine.done && compareKeys(mine.value.key, change.key) < 0) mine = await own.next();
      if (mine.done || compareKeys(mine.value.key, change.key) !== 0) {
        yield { kind: "take", change };
        continue;
      }
      const { before, after: ourValue } = mine.value;
      const isSame = (a: Side, x: StoredValue | undefined, b: Side, y: StoredValue | undefined): Promise<boolean> =>
        hasSameBytes(a, x, b, y, signal);
      if (await isSame(ours, ourValue, theirs, change.after)) continue;
      if (await isSame(ancestor, before, theirs, change.after)) continue;
      if (await isSame(ancestor, before, ours, ourValue)) yield { kind: "take", change };
      else yield { kind: "conflict", change, conflict: conflictOf(change, ourValue) };
    }
  } finally {
    await own.return(undefined);
  }
}

/** A value that has another name for each database is the same all the same. */
async function* changesOf(ancestor: Side, side: Side, signal: AbortSignal | undefined): AsyncGenerator<Change> {
  for await (const change of diffTrees(ancestor, side, { ...(signal && { signal }) })) {
    if (change.kind === "changed" && isSameValue(ancestor.named(change.before), side.named(change.after))) continue;
    yield change;
  }
}

function conflictOf({ key, before, after }: Change, ours: StoredValue | undefined): MergeConflict {
  return {
    key,
    ...(before === undefined ? {} : { ancestor: before }),
    ...(ours === undefined ? {} : { ours }),
    ...(after === undefined ? {} : { theirs: after }),
  };
}

async function hasSameBytes(
  one: Side,
  a: StoredValue | undefined,
  two: Side,
  b: StoredValue | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (a === undefined || b === undefined) return a === b;
  if (isSameValue(one.named(a), two.named(b))) return true;
  if (a.length !== b.length) return false;
  const [left, right] = await Promise.all([valueBytes(one.nodes, a, signal), valueBytes(two.nodes, b, signal)]);
  return compareKeys(left, right) === 0;
}
