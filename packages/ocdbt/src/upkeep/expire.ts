/**
 * Expiry: old versions are taken out of the history. The newest version, tagged ones and those that forks rely on stay, and so may a
 * few in between that end blocks of the version tree. Files are removed later, by `sweep`.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { pinnedGenerations } from "../fork/roots.ts";
import type { Manifest } from "../format/types.ts";
import { ExpiryNotice } from "../history/hold-version.ts";
import { countVersions } from "../history/versions.ts";
import type { DataFileWriter } from "../parts.ts";
import { resolveVersion } from "../view/resolve-version.ts";
import { checkTime } from "../view/version-spec.ts";
import { changeHistory } from "./change-history.ts";
import type { UpkeepOptions } from "./progress.ts";
import { type PruneRules, pruneVersions } from "./prune-versions.ts";

/** Which versions may go: those that are not among the newest `keepLast`, and were committed before `olderThan`. */
export interface ExpirePolicy {
  /** ns since the epoch, or `YYYY-MM-DDThh:mm:ss[.fffffffff]Z`. Without it age does not matter. */
  readonly olderThan?: bigint | string;
  /** Versions that stay whatever their age, counted from the newest. Default 1. */
  readonly keepLast?: number;
}

export interface ExpireOptions extends UpkeepOptions {
  /** Count only. */
  readonly dryRun?: boolean;
}

/** A version that the policy lets go, and that stays nevertheless. */
export interface HeldVersion {
  readonly generation: bigint;
  /** Such as `tag reviewed`, `fork 42 begins here`, `ends a block of the version tree`. */
  readonly reasons: readonly string[];
}

export interface ExpireResult {
  /** Versions that were taken out, or would be. */
  readonly expired: bigint;
  readonly kept: bigint;
  /** Those among the kept that are there in spite of the policy, oldest first. */
  readonly heldBack: readonly HeldVersion[];
}

/**
 * Takes old versions out of the history, in one exchange of the manifest; of a numbered database as a version more, with the tree of the
 * newest. Interrupted at any point, the history is the old one or the new one.
 *
 * @example await expire(db, { olderThan: "2026-01-01T00:00:00Z", keepLast: 100 })
 * @throws {@link OcdbtError} `bad-spec` for a policy that would keep nothing or says nothing; `unsafe` when a tag or fork cannot be read
 */
export async function expire(
  db: OcdbtDatabase,
  policy: ExpirePolicy,
  options: ExpireOptions = {},
): Promise<ExpireResult> {
  const { signal, dryRun } = options;
  const aside = { ...(signal && { signal }) };
  const bounds = checkPolicy(policy);
  const notice = new ExpiryNotice(db);
  let result: ExpireResult = { expired: 0n, kept: 0n, heldBack: [] };
  try {
    await changeHistory(
      db,
      async (current, writer) => {
        if (!dryRun) await notice.announce(current, aside);
        const { pruned, heldBack } = await prune(db, current, writer, bounds, options);
        const kept = countVersions(pruned);
        result = { expired: countVersions(current) - kept, kept, heldBack };
        return dryRun ? undefined : pruned;
      },
      aside,
    );
  } finally {
    // One that stays costs the next tag a version, and is removed by the next expiry.
    await notice.withdraw().catch(() => {});
  }
  return result;
}

interface Bounds {
  /** ns; `undefined`: age does not matter. */
  readonly before: bigint | undefined;
  readonly keepLast: number;
}

function checkPolicy({ olderThan, keepLast }: ExpirePolicy): Bounds {
  if (olderThan === undefined && keepLast === undefined) {
    throw new OcdbtError(
      "bad-spec",
      "a policy says olderThan, keepLast or both; without either every old version would go",
    );
  }
  if (keepLast !== undefined && (!Number.isSafeInteger(keepLast) || keepLast < 1)) {
    throw new OcdbtError("bad-spec", `keepLast is ${keepLast}, expected a whole number from 1 on`, {
      fields: { keepLast },
    });
  }
  return { before: olderThan === undefined ? undefined : checkTime(olderThan), keepLast: keepLast ?? 1 };
}

async function prune(
  db: OcdbtDatabase,
  manifest: Manifest,
  writer: DataFileWriter,
  bounds: Bounds,
  { signal, onProgress }: UpkeepOptions,
): Promise<{ readonly pruned: Manifest; readonly heldBack: readonly HeldVersion[] }> {
  const { nodes } = db.parts;
  // Read for each attempt: a tag that was made in between is seen.
  const needed = await pinnedGenerations(db, { ...(signal && { signal }) });
  onProgress?.({ phase: "reading what names versions", done: needed.size, total: needed.size });
  const first = await firstKept(db, manifest, bounds, signal);
  const pins = [...needed.keys()];
  const held = new Map<bigint, readonly string[]>();
  const rules: PruneRules = {
    keeps: (generation) => {
      if (generation >= first) return true;
      const reasons = needed.get(generation);
      if (reasons !== undefined) held.set(generation, reasons);
      return reasons !== undefined;
    },
    onBlockEnd: (generation) => held.set(generation, ["ends a block of the version tree"]),
    decide: (from, to) => {
      if (from >= first) return "all";
      const isNeeded = pins.some((generation) => generation >= from && generation <= to);
      return to < first && !isNeeded ? "none" : undefined;
    },
  };
  let done = 0;
  const onNode = (): void => onProgress?.({ phase: "reading version nodes", done: ++done });
  const pruned = await pruneVersions(manifest, rules, { nodes, writer, onNode, ...(signal && { signal }) });
  const heldBack = [...held]
    .map(([generation, reasons]) => ({ generation, reasons }))
    .sort((a, b) => (a.generation < b.generation ? -1 : 1));
  return { pruned, heldBack };
}

/** The first generation that the policy keeps of itself. */
async function firstKept(
  db: OcdbtDatabase,
  manifest: Manifest,
  { before, keepLast }: Bounds,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const { nodes } = db.parts;
  const find = async (spec: { readonly time: bigint } | { readonly ancestor: number }): Promise<bigint | undefined> => {
    try {
      return (await resolveVersion(manifest, spec, nodes, { ...(signal && { signal }) })).generation;
    } catch (error) {
      if (isOcdbtError(error, "version-not-found")) return undefined;
      throw error;
    }
  };
  const byCount = await find({ ancestor: keepLast - 1 });
  if (before === undefined || byCount === undefined) return byCount ?? 0n;
  if (before <= 0n) return 0n;
  const newestOlder = await find({ time: before - 1n });
  const byAge = newestOlder === undefined ? 0n : newestOlder + 1n;
  return byAge < byCount ? byAge : byCount;
}
