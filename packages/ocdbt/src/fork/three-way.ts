/**
 * Two lines of change since they last agreed, brought together key by key: both differences are walked side by side.
 * @module
 */
import { compareKeys } from "@pcg/kvstore";
import { type Change, diffTrees, valueBytes } from "../history/diff.ts";
import { isSameValue, type StoredValue, type Tree } from "../history/tree-cursor.ts";

/** One line of change. */
export interface Line {
  /** When both last agreed. */
  readonly ancestor: Tree;
  readonly newest: Tree;
}

/** A key that both lines changed, and not to the same. Absent: the key is not there. */
export interface MergeConflict {
  readonly key: Uint8Array;
  /** In the line that is merged, when both last agreed. */
  readonly ancestor?: StoredValue;
  /** In the line that is merged into. */
  readonly ours?: StoredValue;
  /** In the line that is merged. */
  readonly theirs?: StoredValue;
}

export type MergeStep =
  | { readonly kind: "take"; readonly change: Change }
  | { readonly kind: "conflict"; readonly change: Change; readonly conflict: MergeConflict };

/**
 * What `theirs` changed and `ours` lacks, in order of keys. Keys that both changed to the same (the same value by reference, or equal
 * bytes: such values are read) need nothing.
 *
 * @param inOurs a value of `theirs` as `ours` would refer to it; `undefined`: it cannot.
 */
export async function* threeWay(
  ours: Line,
  theirs: Line,
  inOurs: (value: StoredValue) => StoredValue | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<MergeStep> {
  const options = { ...(signal && { signal }) };
  const own = diffTrees(ours.ancestor, ours.newest, options);
  try {
    let mine = await own.next();
    for await (const change of diffTrees(theirs.ancestor, theirs.newest, options)) {
      while (!mine.done && compareKeys(mine.value.key, change.key) < 0) mine = await own.next();
      if (mine.done || compareKeys(mine.value.key, change.key) !== 0) yield { kind: "take", change };
      else if (!(await isSameOutcome(mine.value, change, ours.newest, theirs.newest, inOurs, signal))) {
        yield { kind: "conflict", change, conflict: conflictOf(mine.value, change) };
      }
    }
  } finally {
    await own.return(undefined);
  }
}

function conflictOf(mine: Change, change: Change): MergeConflict {
  return {
    key: change.key,
    ...(change.before === undefined ? {} : { ancestor: change.before }),
    ...(mine.after === undefined ? {} : { ours: mine.after }),
    ...(change.after === undefined ? {} : { theirs: change.after }),
  };
}

async function isSameOutcome(
  mine: Change,
  change: Change,
  ours: Tree,
  theirs: Tree,
  inOurs: (value: StoredValue) => StoredValue | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (mine.after === undefined || change.after === undefined) return mine.after === change.after;
  const mapped = inOurs(change.after);
  if (mapped !== undefined && isSameValue(mine.after, mapped)) return true;
  if (mine.after.length !== change.after.length) return false;
  const [a, b] = await Promise.all([
    valueBytes(ours.nodes, mine.after, signal),
    valueBytes(theirs.nodes, change.after, signal),
  ]);
  return compareKeys(a, b) === 0;
}
