/**
 * Versions on the command line: v12, 12, a time, a tag, head, head~3.
 * @module
 */
import { formatCommitTime, parseVersionText, type VersionSpec } from "@pcg/ocdbt";

export const VERSION_HELP =
  "Versions: v12, a time (2026-04-24T00:00:00Z: the newest then), a tag, head, head~3 (the third before it).";

/** @throws `OcdbtError` `bad-spec` */
export function parseVersion(text: string): VersionSpec {
  const ancestor = /^head(?:~(\d{1,15}))?$/.exec(text);
  if (ancestor !== null) return { ancestor: Number(ancestor[1] ?? 0) };
  return parseVersionText(/^\d{1,20}$/.test(text) ? `v${text}` : text.replace(/^@/, ""));
}

/** A commit time for people, to the millisecond. */
export function printTime(commitTime: bigint): string {
  return formatCommitTime((commitTime / 1_000_000n) * 1_000_000n);
}
