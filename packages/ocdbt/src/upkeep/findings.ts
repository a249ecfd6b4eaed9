/**
 * What `fsck` finds, as a caller can act on it.
 * @module
 */

/** Which rule something breaks. */
export type FindingCode =
  /** There is no `manifest.ocdbt`, or a numbered database has no numbered one. */
  | "no-manifest"
  /** A manifest is followed by the tail of a longer one, which a crash beside TensorStore can leave; `repair` cuts it. */
  | "manifest-stale-tail"
  | "manifest-damaged"
  /** Manifests of one database disagree about its configuration. */
  | "manifest-mismatch"
  /** An older numbered manifest leads to what cannot be read. Readers do not care, but `sweep` does until later commits have removed it. */
  | "manifest-outdated"
  /** A version-tree node cannot be read, or is not what refers to it says. */
  | "version-node-damaged"
  /** Numbers or times that refer to a version-tree node are not those in it. */
  | "version-node-summary"
  /** Commit times do not rise with generations: pins by time may find another version. */
  | "commit-times"
  /** A B+tree node cannot be read. */
  | "node-damaged"
  /** A file that nodes or values are in is gone. */
  | "file-missing"
  /** A reference leads beyond the end of its file. */
  | "out-of-bounds"
  /** A node's height or keys are not what its parent says. */
  | "node-misplaced"
  /** Counts of keys or bytes are wrong. */
  | "statistics"
  /** Bytes of a value could not be read (`deep`). */
  | "value-unreadable"
  /** A data file nobody needs; `sweep` removes it. */
  | "orphan-file"
  /** Part of a data file nobody needs; `compact` moves the rest. */
  | "unused-bytes"
  /** A tag that cannot be read, or names a version that is gone. */
  | "tag"
  /**
   * An error: a file that a registered fork needs is gone, or cannot be read. A warning: a registration that cannot be read, or whose
   * fork has no manifest or was not opened, so that it is not known what it needs.
   */
  | "fork";

/** Errors: some version cannot be read right. Warnings: it can, but something is not as it should be. Notes: room to be gained. */
export type Severity = "error" | "warning" | "note";

const SEVERITIES: Readonly<Record<FindingCode, Severity>> = {
  "no-manifest": "error",
  "manifest-stale-tail": "error",
  "manifest-damaged": "error",
  "manifest-mismatch": "error",
  "manifest-outdated": "warning",
  "version-node-damaged": "error",
  "version-node-summary": "warning",
  "commit-times": "warning",
  "node-damaged": "error",
  "file-missing": "error",
  "out-of-bounds": "error",
  "node-misplaced": "error",
  statistics: "warning",
  "value-unreadable": "error",
  "orphan-file": "note",
  "unused-bytes": "note",
  tag: "warning",
  fork: "warning",
};

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  /** Printable key of the base store. */
  readonly file?: string;
  readonly bytes?: number;
  /** A version that is affected. */
  readonly generation?: bigint;
}

/** Collects findings, up to a limit, and counts all. */
export class Findings {
  readonly list: Finding[] = [];
  readonly counts: Map<FindingCode, number> = new Map();
  readonly #limit: number;
  readonly #bySeverity: Record<Severity, number> = { error: 0, warning: 0, note: 0 };

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(
    code: FindingCode,
    message: string,
    facts: Pick<Finding, "file" | "bytes" | "generation"> & { readonly severity?: Severity } = {},
  ): void {
    const finding = { code, severity: SEVERITIES[code], message, ...facts };
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    this.#bySeverity[finding.severity]++;
    if (this.list.length < this.#limit) this.list.push(finding);
  }

  count(severity: Severity): number {
    return this.#bySeverity[severity];
  }
}
