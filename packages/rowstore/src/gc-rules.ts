import type { GcRules } from "./contract.ts";

/**
 * Whether `gc` keeps a cell: the `rank`-th newest (from 0) of its column. A cell goes only when every limit given for
 * its family lets it go; a family without limits is left alone.
 */
export function keepsCell(rule: GcRules[string] | undefined, rank: number, timestamp: bigint, now: bigint): boolean {
  if (rule === undefined) return true;
  const { maxVersions, maxAgeUs } = rule;
  if (maxVersions === undefined && maxAgeUs === undefined) return true;
  const recent = maxVersions !== undefined && rank < maxVersions;
  const young = maxAgeUs !== undefined && timestamp >= now - maxAgeUs;
  return recent || young;
}
